//! One request's view of an environment: who asks, when, and the rows.
//!
//! The methods here are *trusted*: they keep rows whole (ids, dates, owners, versions) and check
//! nothing else. What a caller may do, and how tables behave, is in `write` and `rules`; the
//! solution lifecycle uses these methods to write what it imports.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::catalogue::{Catalogue, ManyToMany, Ownership, Table};
use super::environment::Environment;
use super::failure::ServiceError;
use super::row::{self, Row};
use super::security::Power;
use crate::emulator::clock::on_the_wire;
use crate::emulator::definition::derived_id;
use crate::emulator::directory::{Identity, IdentityKind};
use crate::emulator::store::Transaction;

/// An environment at the time of one request, seen by one user.
pub struct Session<'a> {
    /// The request's transaction.
    pub tx: &'a Transaction<'a>,
    /// The environment.
    pub environment: Environment,
    /// The address of the Web API as the caller wrote it, for example
    /// `https://contoso-dev.crm4.dynamics.com/api/data/v9.2`.
    pub root: String,
    /// The time of the request.
    pub now: Timestamp,
    /// The `systemuserid` in whose name things happen.
    pub user: Uuid,
    /// The `systemuserid` of the caller when the caller impersonates [`Session::user`].
    pub impersonator: Option<Uuid>,
    /// The unmanaged solution that the header `MSCRM.SolutionUniqueName` names.
    pub solution: Option<String>,
    scope: String,
    catalogue: RefCell<Option<Arc<Catalogue>>>,
    /// What users' roles allow, as far as it was looked up; relating rows may change it.
    pub(super) powers: RefCell<HashMap<Uuid, Option<Power>>>,
}

impl<'a> Session<'a> {
    /// A session of the environment's own SYSTEM user, which may do everything.
    pub fn system(tx: &'a Transaction<'a>, environment: Environment, now: Timestamp) -> Self {
        let user = environment.own_id("systemuser", "SYSTEM");
        let root = format!("https://{}/api/data/v9.2", environment.host);
        Self::new(tx, environment, root, now, user)
    }

    /// A session of the user `user`.
    pub fn new(
        tx: &'a Transaction<'a>,
        environment: Environment,
        root: String,
        now: Timestamp,
        user: Uuid,
    ) -> Self {
        let scope = environment.scope();
        Self {
            tx,
            environment,
            root,
            now,
            user,
            impersonator: None,
            solution: None,
            scope,
            catalogue: RefCell::new(None),
            powers: RefCell::default(),
        }
    }

    /// Where the environment's rows are in the store. Kinds that begin with `@` are not tables.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The time of the request as it goes over the wire.
    pub fn moment(&self) -> String {
        on_the_wire(self.now)
    }

    /// The environment's tables.
    ///
    /// # Errors
    /// Those of the store; so for all methods here.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>, ServiceError> {
        if let Some(catalogue) = self.catalogue.borrow().as_ref() {
            return Ok(catalogue.clone());
        }
        let catalogue = Catalogue::of(self.tx, &self.scope)?;
        *self.catalogue.borrow_mut() = Some(catalogue.clone());
        Ok(catalogue)
    }

    /// Must be called after tables were registered or unregistered, so that this request sees it.
    pub fn catalogue_changed(&self) {
        *self.catalogue.borrow_mut() = None;
    }

    /// The table with this logical name.
    ///
    /// # Errors
    /// `400` when there is none.
    pub fn table(&self, name: &str) -> Result<Arc<Table>, ServiceError> {
        self.catalogue()?.table(name).cloned().ok_or_else(|| {
            let message =
                format!("The entity with a name = '{name}' was not found in the MetadataCache.");
            ServiceError::bad_request("0x80041102", message)
        })
    }

    /// The table with this entity set name.
    ///
    /// # Errors
    /// `404` when there is none.
    pub fn table_of_set(&self, set: &str) -> Result<Arc<Table>, ServiceError> {
        self.catalogue()?
            .by_set(set)
            .cloned()
            .ok_or_else(|| ServiceError::no_resource(set))
    }

    /// The row `id` of `table`.
    pub fn row(&self, table: &str, id: Uuid) -> Result<Option<Row>, ServiceError> {
        Ok(self
            .tx
            .get(&self.scope, table, &id.to_string())?
            .and_then(into_row))
    }

    /// The row `id` of `table`.
    ///
    /// # Errors
    /// `404` when there is none.
    pub fn existing(&self, table: &str, id: Uuid) -> Result<Row, ServiceError> {
        self.row(table, id)?
            .ok_or_else(|| ServiceError::no_row(table, id))
    }

    /// All rows of `table` in the order in which they were created.
    pub fn rows(&self, table: &str) -> Result<Vec<Row>, ServiceError> {
        let list = self.tx.list(&self.scope, table)?;
        Ok(list
            .into_iter()
            .filter_map(|(_, body)| into_row(body))
            .collect())
    }

    /// The first row of `table` whose `property` is `value`; text is compared without regard to
    /// letter case, as the database does.
    pub fn find(
        &self,
        table: &str,
        property: &str,
        value: &Value,
    ) -> Result<Option<Row>, ServiceError> {
        let same = |row: &Row| match (row.get(property), value) {
            (Some(Value::String(left)), Value::String(right)) => {
                left.to_lowercase() == right.to_lowercase()
            }
            (left, right) => left.unwrap_or(&Value::Null) == right,
        };
        Ok(self.rows(table)?.into_iter().find(same))
    }

    /// Writes a new row: gives it an id if it has none, dates, creator, owner, defaults, a version.
    /// Members that are `null` are left out. A row with the same id is replaced.
    pub fn insert(&self, table: &str, row: Row) -> Result<Uuid, ServiceError> {
        let table = self.table(table)?;
        let mut row: Row = row
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        let id = match row::id(&row, &table.key) {
            Some(id) => id,
            None => self.new_id(&table.name)?,
        };
        row.insert(table.key.clone(), id.to_string().into());
        let moment = self.moment();
        let mut fill = |property: &str, value: Value| {
            row.entry(property).or_insert(value);
        };
        if !table.is_intersect {
            fill("createdon", moment.clone().into());
            fill("modifiedon", moment.into());
            fill("_createdby_value", self.user.to_string().into());
            fill("_modifiedby_value", self.user.to_string().into());
            if let Some(impersonator) = self.impersonator {
                fill("_createdonbehalfby_value", impersonator.to_string().into());
            }
        }
        for column in &table.columns {
            if let Some(default) = &column.default {
                fill(&column.name, default.clone());
            }
        }
        if table.ownership == Ownership::Organization {
            fill(
                "_organizationid_value",
                self.environment.organization_id.to_string().into(),
            );
        }
        if table.ownership == Ownership::User {
            self.own(&mut row)?;
        }
        self.put(&table.name, id, row)?;
        Ok(id)
    }

    /// Changes a row: members that are `null` are taken out, all others replaced.
    ///
    /// # Errors
    /// `404` when there is no such row.
    pub fn update(&self, table: &str, id: Uuid, changes: Row) -> Result<Row, ServiceError> {
        let mut row = self.existing(table, id)?;
        let owner_changes = changes.contains_key("_ownerid_value");
        for (property, value) in changes {
            if value.is_null() {
                row.shift_remove(&property);
            } else {
                row.insert(property, value);
            }
        }
        if owner_changes {
            self.own(&mut row)?;
        }
        row.insert("modifiedon".into(), self.moment().into());
        row.insert("_modifiedby_value".into(), self.user.to_string().into());
        if let Some(impersonator) = self.impersonator {
            row.insert(
                "_modifiedonbehalfby_value".into(),
                impersonator.to_string().into(),
            );
        }
        self.put(table, id, row.clone())?;
        Ok(row)
    }

    /// Deletes a row with its N:N pairs, its shares and its files, and says whether it was there.
    pub fn remove(&self, table: &str, id: Uuid) -> Result<bool, ServiceError> {
        self.powers.borrow_mut().clear();
        let catalogue = self.catalogue()?;
        for relationship in catalogue.relationships() {
            for (is_side, column) in [
                (relationship.left == table, &relationship.left_column),
                (relationship.right == table, &relationship.right_column),
            ] {
                if !is_side {
                    continue;
                }
                for (key, body) in self.tx.list(&self.scope, &relationship.intersect)? {
                    if body.get(column).and_then(Value::as_str) == Some(&id.to_string()) {
                        self.tx.delete(&self.scope, &relationship.intersect, &key)?;
                    }
                }
            }
        }
        self.tx.delete(&self.scope, SHARES, &share_key(table, id))?;
        Ok(self.tx.delete(&self.scope, table, &id.to_string())?)
    }

    /// Relates two rows through the N:N relationship `name`, the row of its left table first.
    /// Says whether they were not related before.
    pub fn link(&self, name: &str, left: Uuid, right: Uuid) -> Result<bool, ServiceError> {
        self.powers.borrow_mut().clear();
        let relationship = self.relationship(name)?;
        let id = pair_id(&relationship, left, right);
        if self.row(&relationship.intersect, id)?.is_some() {
            return Ok(false);
        }
        let mut pair = Row::new();
        pair.insert(
            format!("{}id", relationship.intersect),
            id.to_string().into(),
        );
        pair.insert(relationship.left_column.clone(), left.to_string().into());
        pair.insert(relationship.right_column.clone(), right.to_string().into());
        self.insert(&relationship.intersect, pair)?;
        Ok(true)
    }

    /// Ends what [`Session::link`] began and says whether the rows were related.
    pub fn unlink(&self, name: &str, left: Uuid, right: Uuid) -> Result<bool, ServiceError> {
        self.powers.borrow_mut().clear();
        let relationship = self.relationship(name)?;
        let id = pair_id(&relationship, left, right).to_string();
        Ok(self.tx.delete(&self.scope, &relationship.intersect, &id)?)
    }

    /// The ids of the rows on the other side that `id` is related to. `from_left` says that `id`
    /// is a row of the relationship's left table.
    pub fn linked(&self, name: &str, id: Uuid, from_left: bool) -> Result<Vec<Uuid>, ServiceError> {
        let relationship = self.relationship(name)?;
        let (near, far) = match from_left {
            true => (&relationship.left_column, &relationship.right_column),
            false => (&relationship.right_column, &relationship.left_column),
        };
        let pairs = self.rows(&relationship.intersect)?;
        let pairs = pairs.iter().filter(|pair| row::id(pair, near) == Some(id));
        Ok(pairs.filter_map(|pair| row::id(pair, far)).collect())
    }

    /// The user row of a person or application, made when there is none yet.
    pub fn add_user(&self, identity: &Identity) -> Result<Uuid, ServiceError> {
        let object_id = Value::from(identity.object_id.to_string());
        if let Some(user) = self.find("systemuser", "azureactivedirectoryobjectid", &object_id)?
            && let Some(id) = row::id(&user, "systemuserid")
        {
            return Ok(id);
        }
        let environment = &self.environment;
        let name = match identity.kind {
            // The service writes application users with a mark before their name.
            IdentityKind::Application => format!("# {}", identity.name),
            IdentityKind::User | IdentityKind::Group => identity.name.clone(),
        };
        let sign_in = identity
            .upn
            .clone()
            .unwrap_or_else(|| identity.object_id.to_string());
        self.insert(
            "systemuser",
            row::row! {
                "systemuserid": environment.own_id("systemuser", &identity.object_id.to_string()),
                "fullname": name,
                "domainname": sign_in,
                "internalemailaddress": sign_in,
                "azureactivedirectoryobjectid": identity.object_id,
                "applicationid": identity.app_id,
                "accessmode": if identity.app_id.is_some() { 4 } else { 0 },
                "_businessunitid_value": environment.business_unit_id,
                "organizationid": environment.organization_id,
            },
        )
    }

    /// An id for a new row of `table`: the same requests make the same ids in every tenant.
    pub fn new_id(&self, table: &str) -> Result<Uuid, ServiceError> {
        let number = self.tx.next(&format!("id:{}", self.scope))?;
        Ok(derived_id(
            "row",
            &format!("{}/{table}/{number}", self.scope),
        ))
    }

    /// The N:N relationship with this schema name.
    ///
    /// # Errors
    /// `404` when there is none.
    pub fn relationship(&self, name: &str) -> Result<Arc<ManyToMany>, ServiceError> {
        let catalogue = self.catalogue()?;
        let found = catalogue
            .relationships()
            .find(|it| it.name == name)
            .cloned();
        found.ok_or_else(|| ServiceError::no_resource(name))
    }

    fn put(&self, table: &str, id: Uuid, mut row: Row) -> Result<(), ServiceError> {
        /// Versions of a real database are large numbers; small ones look like mistakes.
        const FIRST_VERSION: i64 = 1_000_000;
        let version = FIRST_VERSION + self.tx.next(&format!("version:{}", self.scope))?;
        row.insert("versionnumber".into(), version.into());
        Ok(self
            .tx
            .put(&self.scope, table, &id.to_string(), &Value::Object(row))?)
    }

    /// Makes a row's four owner columns agree with its owner; without one it is the user's.
    fn own(&self, row: &mut Row) -> Result<(), ServiceError> {
        const TABLE: &str = "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
        let owner = row::id(row, "_ownerid_value").unwrap_or(self.user);
        let by_team = row::text(row, TABLE) == Some("team") || {
            row::text(row, TABLE).is_none() && self.row("team", owner)?.is_some()
        };
        let (table, mine, other) = match by_team {
            true => ("team", "_owningteam_value", "_owninguser_value"),
            false => ("systemuser", "_owninguser_value", "_owningteam_value"),
        };
        let principal = self.row(table, owner)?.unwrap_or_default();
        let unit = row::id(&principal, "_businessunitid_value")
            .unwrap_or(self.environment.business_unit_id);
        row.insert("_ownerid_value".into(), owner.to_string().into());
        row.insert(TABLE.into(), table.into());
        row.insert(mine.into(), owner.to_string().into());
        row.shift_remove(other);
        row.insert("_owningbusinessunit_value".into(), unit.to_string().into());
        Ok(())
    }
}

/// The kind of the stored documents that say with whom a row is shared.
pub(super) const SHARES: &str = "@share";

/// The key of the document that says with whom the row `id` of `table` is shared.
pub(super) fn share_key(table: &str, id: Uuid) -> String {
    format!("{table}/{id}")
}

fn pair_id(relationship: &ManyToMany, left: Uuid, right: Uuid) -> Uuid {
    derived_id(&relationship.intersect, &format!("{left}/{right}"))
}

fn into_row(body: Value) -> Option<Row> {
    match body {
        Value::Object(row) => Some(row),
        _ => None,
    }
}
