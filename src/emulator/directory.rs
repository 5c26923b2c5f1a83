//! The tenant's directory: users, groups and applications, and who a caller is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::credentials::one_way;
use super::definition::{ApplicationDefinition, GroupDefinition, TenantDefinition, UserDefinition};
use super::store::{StoreError, Transaction};

const SCOPE: &str = "directory";
/// Groups may be nested; deeper nesting than this is taken for a circle.
const DEEPEST_NESTING: usize = 16;

/// Somebody or something with an object id in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// The object id.
    pub object_id: Uuid,
    /// The display name.
    pub name: String,
    /// The sign-in name of a user.
    pub upn: Option<String>,
    /// The application id of an application.
    pub app_id: Option<Uuid>,
}

/// The kinds of directory objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityKind {
    /// A person.
    User,
    /// A security group.
    Group,
    /// A registered application, through its service principal.
    Application,
}

impl IdentityKind {
    /// The name by which the Power Apps service calls this kind.
    pub fn principal_type(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Application => "ServicePrincipal",
        }
    }
}

/// Writes the people of `definition` into the store.
///
/// # Errors
/// Those of the store; so for all functions here.
pub fn establish(tx: &Transaction<'_>, definition: &TenantDefinition) -> Result<(), StoreError> {
    for user in &definition.users {
        let stored = UserDefinition {
            object_id: Some(user.id()),
            access_tokens: user.access_tokens.iter().map(|it| one_way(it)).collect(),
            ..user.clone()
        };
        put(tx, "user", user.id(), &stored)?;
    }
    for group in &definition.groups {
        let stored = GroupDefinition {
            object_id: Some(group.id()),
            ..group.clone()
        };
        put(tx, "group", group.id(), &stored)?;
    }
    for application in &definition.applications {
        let stored = ApplicationDefinition {
            object_id: Some(application.id()),
            secret: one_way(&application.secret),
            ..application.clone()
        };
        put(tx, "application", application.id(), &stored)?;
    }
    Ok(())
}

/// All users, in the order in which they were defined.
pub fn users(tx: &Transaction<'_>) -> Result<Vec<UserDefinition>, StoreError> {
    list(tx, "user")
}

/// All groups.
pub fn groups(tx: &Transaction<'_>) -> Result<Vec<GroupDefinition>, StoreError> {
    list(tx, "group")
}

/// All applications.
pub fn applications(tx: &Transaction<'_>) -> Result<Vec<ApplicationDefinition>, StoreError> {
    list(tx, "application")
}

/// The user, group or application with this object id.
pub fn by_object_id(tx: &Transaction<'_>, id: Uuid) -> Result<Option<Identity>, StoreError> {
    let key = id.to_string();
    if let Some(user) = tx.get(SCOPE, "user", &key)? {
        return Ok(Some(Identity::from(&read::<UserDefinition>(user)?)));
    }
    if let Some(group) = tx.get(SCOPE, "group", &key)? {
        return Ok(Some(Identity::from(&read::<GroupDefinition>(group)?)));
    }
    match tx.get(SCOPE, "application", &key)? {
        Some(it) => Ok(Some(Identity::from(&read::<ApplicationDefinition>(it)?))),
        None => Ok(None),
    }
}

/// Whoever goes by `name`: a sign-in name, an application id, the name of a group or an object id.
pub fn by_name(tx: &Transaction<'_>, name: &str) -> Result<Option<Identity>, StoreError> {
    if let Some(user) = users(tx)?
        .iter()
        .find(|user| user.upn.eq_ignore_ascii_case(name))
    {
        return Ok(Some(user.into()));
    }
    if let Some(group) = groups(tx)?
        .iter()
        .find(|group| group.name.eq_ignore_ascii_case(name))
    {
        return Ok(Some(group.into()));
    }
    let Ok(id) = Uuid::parse_str(name) else {
        return Ok(None);
    };
    if let Some(application) = application(tx, id)? {
        return Ok(Some((&application).into()));
    }
    by_object_id(tx, id)
}

/// The application with this application (client) id.
pub fn application(
    tx: &Transaction<'_>,
    app_id: Uuid,
) -> Result<Option<ApplicationDefinition>, StoreError> {
    Ok(applications(tx)?
        .into_iter()
        .find(|application| application.app_id == app_id))
}

/// The user who has this personal access token.
pub fn by_access_token(tx: &Transaction<'_>, token: &str) -> Result<Option<Identity>, StoreError> {
    let token = one_way(token);
    let found = users(tx)?
        .into_iter()
        .find(|user| user.access_tokens.contains(&token));
    Ok(found.as_ref().map(Identity::from))
}

/// The user with this sign-in name; the part before its `@` is enough, as an address with a user
/// in it has room for no more than that.
pub fn by_user_name(tx: &Transaction<'_>, name: &str) -> Result<Option<Identity>, StoreError> {
    let is_named = |upn: &str| {
        let short = upn.split('@').next().unwrap_or_default();
        upn.eq_ignore_ascii_case(name) || short.eq_ignore_ascii_case(name)
    };
    let found = users(tx)?.into_iter().find(|user| is_named(&user.upn));
    Ok(found.as_ref().map(Identity::from))
}

/// The object ids of all groups that `member` belongs to, directly or through other groups.
pub fn groups_of(tx: &Transaction<'_>, member: &Identity) -> Result<Vec<Uuid>, StoreError> {
    let groups = groups(tx)?;
    let mut found: Vec<Uuid> = Vec::new();
    let mut names = member.names();
    for _ in 0..DEEPEST_NESTING {
        let next: Vec<&GroupDefinition> = groups
            .iter()
            .filter(|group| !found.contains(&group.id()))
            .filter(|group| {
                group
                    .members
                    .iter()
                    .any(|it| names.iter().any(|name| it.eq_ignore_ascii_case(name)))
            })
            .collect();
        if next.is_empty() {
            break;
        }
        found.extend(next.iter().map(|group| group.id()));
        names = next
            .iter()
            .flat_map(|group| Identity::from(*group).names())
            .collect();
    }
    Ok(found)
}

impl Identity {
    /// All names by which a definition may call this identity.
    fn names(&self) -> Vec<String> {
        let mut names = vec![self.object_id.to_string()];
        names.extend(self.upn.clone());
        names.extend(self.app_id.map(|id| id.to_string()));
        if self.kind == IdentityKind::Group {
            names.push(self.name.clone());
        }
        names
    }
}

impl From<&UserDefinition> for Identity {
    fn from(user: &UserDefinition) -> Self {
        Self {
            kind: IdentityKind::User,
            object_id: user.id(),
            name: user.name.clone(),
            upn: Some(user.upn.clone()),
            app_id: None,
        }
    }
}

impl From<&GroupDefinition> for Identity {
    fn from(group: &GroupDefinition) -> Self {
        let (object_id, name) = (group.id(), group.name.clone());
        Self {
            kind: IdentityKind::Group,
            object_id,
            name,
            upn: None,
            app_id: None,
        }
    }
}

impl From<&ApplicationDefinition> for Identity {
    fn from(application: &ApplicationDefinition) -> Self {
        Self {
            kind: IdentityKind::Application,
            object_id: application.id(),
            name: application.name.clone(),
            upn: None,
            app_id: Some(application.app_id),
        }
    }
}

fn put(
    tx: &Transaction<'_>,
    kind: &str,
    id: Uuid,
    body: &impl Serialize,
) -> Result<(), StoreError> {
    tx.put(SCOPE, kind, &id.to_string(), &serde_json::to_value(body)?)
}

fn list<T: for<'de> Deserialize<'de>>(
    tx: &Transaction<'_>,
    kind: &str,
) -> Result<Vec<T>, StoreError> {
    tx.list(SCOPE, kind)?
        .into_iter()
        .map(|(_, body)| read(body))
        .collect()
}

fn read<T: for<'de> Deserialize<'de>>(body: Value) -> Result<T, StoreError> {
    Ok(serde_json::from_value(body)?)
}
