//! One organisation as one request sees it: its documents, identities and addresses.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::{Answer, Refusal, bad_request};
use crate::emulator::call::Call;
use crate::emulator::definition::derived_id;
use crate::emulator::directory::{self, Identity, IdentityKind};
use crate::emulator::store::Transaction;
use crate::git::Person;

/// What a path segment may hold unencoded (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An organisation during one request.
pub(super) struct Organisation<'a> {
    /// The request.
    pub call: &'a Call,
    /// The request's transaction.
    pub tx: &'a Transaction<'a>,
    /// The organisation's name as it was created.
    pub name: String,
    /// Where its bare repositories are.
    pub folder: PathBuf,
    /// Who calls.
    pub me: Identity,
    scope: String,
}

impl<'a> Organisation<'a> {
    pub fn new(
        call: &'a Call,
        tx: &'a Transaction<'a>,
        name: String,
        repositories: &Path,
        me: Identity,
    ) -> Self {
        let folder = repositories.join(&name);
        Self {
            call,
            tx,
            scope: scope(&name),
            name,
            folder,
            me,
        }
    }

    /// The document `id` of `kind`.
    pub fn get<T: DeserializeOwned>(&self, kind: &str, id: impl ToString) -> Answer<Option<T>> {
        let found = self.tx.get(&self.scope, kind, &id.to_string())?;
        Ok(found.map(serde_json::from_value).transpose()?)
    }

    /// All documents of `kind` in the order of their creation.
    pub fn list<T: DeserializeOwned>(&self, kind: &str) -> Answer<Vec<T>> {
        let rows = self.tx.list(&self.scope, kind)?;
        rows.into_iter()
            .map(|(_, body)| Ok(serde_json::from_value(body)?))
            .collect()
    }

    /// The ids and documents of `kind`.
    pub fn rows(&self, kind: &str) -> Answer<Vec<(String, Value)>> {
        Ok(self.tx.list(&self.scope, kind)?)
    }

    pub fn put(&self, kind: &str, id: impl ToString, body: &impl Serialize) -> Answer<()> {
        Ok(self.tx.put(
            &self.scope,
            kind,
            &id.to_string(),
            &serde_json::to_value(body)?,
        )?)
    }

    pub fn delete(&self, kind: &str, id: impl ToString) -> Answer<bool> {
        Ok(self.tx.delete(&self.scope, kind, &id.to_string())?)
    }

    /// The next number of a kind that is numbered through the whole organisation.
    pub fn next(&self, kind: &str) -> Answer<i64> {
        Ok(self.tx.next(&format!("{}:{kind}", self.scope))?)
    }

    /// The absolute address of `path`, a list of segments that are encoded here.
    pub fn url(&self, path: &[&str]) -> String {
        let mut url = format!("{}/{}", self.call.base, segment(&self.name));
        for part in path {
            url.push('/');
            url.push_str(&segment(part));
        }
        url
    }

    /// Now, as the service writes moments: UTC with seven digits.
    pub fn now(&self) -> String {
        stamp(self.call.now)
    }

    /// Now in whole seconds, for commits.
    pub fn seconds(&self) -> i64 {
        self.call.now.as_second()
    }

    /// The body as JSON.
    pub fn body(&self) -> Answer<Value> {
        self.call.json().map_err(|error| {
            bad_request(
                "VssPropertyValidationException",
                &format!("The body is not JSON: {error}"),
            )
        })
    }

    /// The caller as the author of commits that the service makes.
    pub fn author(&self) -> Person {
        let email = match (&self.me.upn, self.me.app_id) {
            (Some(upn), _) => upn.clone(),
            (None, Some(app)) => app.to_string(),
            (None, None) => self.me.object_id.to_string(),
        };
        Person {
            name: self.me.name.clone(),
            email,
        }
    }

    /// The identity with this id as other objects refer to it.
    pub fn identity(&self, id: Uuid) -> Answer<Value> {
        let known = directory::by_object_id(self.tx, id)?;
        Ok(match known {
            Some(identity) => self.identity_ref(&identity),
            None => json!({ "id": id, "displayName": id.to_string(), "uniqueName": "" }),
        })
    }

    /// An identity as other objects refer to it (facts/git-hosts.md, section 1).
    pub fn identity_ref(&self, identity: &Identity) -> Value {
        let id = identity.object_id;
        let unique = match (&identity.upn, identity.app_id) {
            (Some(upn), _) => upn.clone(),
            (None, Some(app)) => app.to_string(),
            (None, None) => format!("[{}]\\{}", self.name, identity.name),
        };
        let image = self.url(&["_api", "_common", "identityImage"]);
        let image = format!("{image}?id={id}");
        let mut value = json!({
            "displayName": identity.name,
            "url": self.url(&["_apis", "Identities", &id.to_string()]),
            "_links": { "avatar": { "href": image } },
            "id": id,
            "uniqueName": unique,
            "imageUrl": image,
            "descriptor": format!("aad.{}", derived_id("descriptor", &id.to_string()).simple()),
        });
        if identity.kind == IdentityKind::Group {
            value["isContainer"] = true.into();
        }
        value
    }

    /// Whom an identity in a request body means: `{id}`, or a name for the lenient clients.
    pub fn find_identity(&self, value: &Value) -> Answer<Identity> {
        let text = value
            .get("id")
            .or_else(|| value.get("uniqueName"))
            .unwrap_or(value)
            .as_str()
            .unwrap_or_default();
        directory::by_name(self.tx, text)?.ok_or_else(|| {
            bad_request(
                "IdentityNotFoundException",
                &format!("TF14045: The identity {text} could not be found."),
            )
        })
    }

    /// Whether the caller is `id` or belongs to the group `id`.
    pub fn am_i(&self, id: Uuid) -> Answer<bool> {
        Ok(self.me.object_id == id || directory::groups_of(self.tx, &self.me)?.contains(&id))
    }

    /// Whether `member` is `id` or belongs to the group `id`.
    pub fn is_member(&self, member: Uuid, id: Uuid) -> Answer<bool> {
        if member == id {
            return Ok(true);
        }
        match directory::by_object_id(self.tx, member)? {
            Some(identity) => Ok(directory::groups_of(self.tx, &identity)?.contains(&id)),
            None => Ok(false),
        }
    }

    /// A query parameter, whatever the case of its name.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self
            .call
            .query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A query parameter that is a number.
    pub fn number(&self, name: &str) -> Answer<Option<usize>> {
        self.query(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    bad_request(
                        "ArgumentException",
                        &format!("{name} is not a number: {text}"),
                    )
                })
            })
            .transpose()
    }
}

/// The store's scope of an organisation.
pub(super) fn scope(name: &str) -> String {
    format!("organisation:{}", name.to_lowercase())
}

/// A moment as Azure DevOps writes it.
pub(super) fn stamp(moment: Timestamp) -> String {
    format!("{moment:.7}")
}

/// `text` as one segment of an address.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A flag in a request: some published examples send booleans as strings.
pub(super) fn flag(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// An enumeration's value in a request: a name in any case, or the number that some clients send
/// (facts/git-hosts.md, section 1).
pub(super) fn named(value: &Value, names: &[(&'static str, i64)]) -> Option<&'static str> {
    let by_number = |number: i64| names.iter().find(|(_, it)| *it == number);
    let found = match value {
        Value::Number(number) => by_number(number.as_i64()?),
        Value::String(text) => names
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .or_else(|| by_number(text.parse().ok()?)),
        _ => None,
    };
    found.map(|(name, _)| *name)
}

/// The text member `name` of a request body, refused when it is missing.
pub(super) fn required<'v>(body: &'v Value, name: &str) -> Result<&'v str, Refusal> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            bad_request(
                "ArgumentNullException",
                &format!("Value cannot be null. Parameter name: {name}"),
            )
        })
}

/// Whether `value` is the number that `text`, a part of an address, says.
pub(super) fn is_number(value: &Value, text: &str) -> bool {
    value
        .as_i64()
        .is_some_and(|number| text.parse() == Ok(number))
}
