//! Connections of an environment.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::directory::{self, Identity};
use crate::emulator::store::{StoreError, Transaction};

const KIND: &str = "@connection";

/// A connector with somebody's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The connection's name: mostly 32 hexadecimal digits.
    pub id: String,
    /// The connector, for example `shared_office365`.
    pub connector: String,
    /// What makers see.
    pub display_name: String,
    /// Who made it.
    pub owner: Identity,
    /// With whom it is shared.
    pub shared_with: Vec<ConnectionShare>,
    /// When it was made, as it goes over the wire.
    pub created_on: String,
}

/// Somebody with whom a connection is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionShare {
    /// The person, group or application.
    pub with: Identity,
    /// What they may do: `CanView`, `CanViewWithShare` or `CanEdit`.
    pub role: String,
}

impl Connection {
    /// All connections of the environment whose rows are in `scope`.
    ///
    /// # Errors
    /// Those of the store; so for all functions here.
    pub fn all(tx: &Transaction<'_>, scope: &str) -> Result<Vec<Self>, StoreError> {
        let list = tx.list(scope, KIND)?.into_iter();
        list.map(|(_, body)| Ok(serde_json::from_value(body)?))
            .collect()
    }

    /// The connection with this name; dashes and letter case do not matter.
    pub fn by_id(tx: &Transaction<'_>, scope: &str, id: &str) -> Result<Option<Self>, StoreError> {
        let plain = |text: &str| text.replace('-', "").to_lowercase();
        Ok(Self::all(tx, scope)?
            .into_iter()
            .find(|it| plain(&it.id) == plain(id)))
    }

    /// Writes it.
    pub fn store(&self, tx: &Transaction<'_>, scope: &str) -> Result<(), StoreError> {
        tx.put(scope, KIND, &self.id, &serde_json::to_value(self)?)
    }

    /// Deletes it.
    pub fn delete(&self, tx: &Transaction<'_>, scope: &str) -> Result<(), StoreError> {
        tx.delete(scope, KIND, &self.id)?;
        Ok(())
    }

    /// Whether `identity` may use it: as its owner, because it is shared with it or with one of
    /// its groups.
    pub fn usable_by(&self, tx: &Transaction<'_>, identity: &Identity) -> Result<bool, StoreError> {
        if self.owner.object_id == identity.object_id {
            return Ok(true);
        }
        let mut allowed: Vec<Uuid> = directory::groups_of(tx, identity)?;
        allowed.push(identity.object_id);
        Ok(self
            .shared_with
            .iter()
            .any(|share| allowed.contains(&share.with.object_id)))
    }

    /// The connector's id as connection references write it.
    pub fn connector_id(&self) -> String {
        format!("/providers/Microsoft.PowerApps/apis/{}", self.connector)
    }

    /// The connection as the services describe it (facts/dataverse-web-api.md, section 8.4).
    pub fn on_the_wire(&self, environment_id: &str) -> Value {
        let connector = self.connector_id();
        let environment = format!("/providers/Microsoft.PowerApps/environments/{environment_id}");
        json!({
            "name": self.id,
            "id": format!("{connector}/connections/{}", self.id),
            "type": "Microsoft.PowerApps/apis/connections",
            "properties": {
                "apiId": connector,
                "displayName": self.display_name,
                "statuses": [{ "status": "Connected" }],
                "connectionParameters": {},
                "createdBy": {
                    "id": self.owner.object_id,
                    "displayName": self.owner.name,
                    "type": self.owner.kind.principal_type(),
                    "userPrincipalName": self.owner.upn,
                },
                "createdTime": self.created_on,
                "lastModifiedTime": self.created_on,
                "environment": { "id": environment, "name": environment_id },
                "accountName": self.display_name,
                "allowSharing": true,
            },
        })
    }
}
