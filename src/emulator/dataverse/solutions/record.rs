//! What an environment knows about each component: its layers and which solutions hold it.
//!
//! A component has one layer per managed solution that brings it, in the order of their first
//! installation, and above them at most one unmanaged layer, `Active`, which all unmanaged
//! solutions share (facts/dataverse-web-api.md, section 5.1). The rows that callers read and write
//! are beside it in the ordinary tables; what callers changed there is found by comparing.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::emulator::store::StoreError;
use crate::solution::component::{Component, Identity, Payload, Place, Reference, references};

/// The kind of the stored documents.
const KIND: &str = "@component";
/// The name of the unmanaged layer.
pub(super) const ACTIVE: &str = "Active";
/// What a solution is called while its upgrade waits to be applied.
pub(super) const HOLDING: &str = "_Upgrade";

/// One component of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Which component.
    #[serde(flatten)]
    pub identity: Identity,
    /// Its id in this environment: of its row, or of its definition.
    pub object_id: Uuid,
    /// The component it is a part of.
    pub parent: Option<Identity>,
    /// The layers, the lowest first.
    pub layers: Vec<Layer>,
    /// The solutions that hold it.
    pub members: Vec<Member>,
    /// Whether it was made here rather than by a managed solution.
    pub made_here: bool,
    /// The row as it was when last published, where it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_row: Option<Row>,
    /// When it came into the environment.
    pub created_on: String,
}

/// What one solution says about a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Layer {
    /// The managed solution's unique name, or [`ACTIVE`].
    pub solution: String,
    /// The definition; `None` when a maker changed only the row.
    pub definition: Option<Definition>,
    /// The definition that was published before this one, until this one is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Definition>,
    /// When the layer was written.
    pub since: String,
}

/// A component's definition with its text and payload kept as blobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Definition {
    pub id: Option<Uuid>,
    pub schema_name: Option<String>,
    pub display_name: String,
    pub place: Place,
    pub fragment: String,
    pub payload: Vec<(String, String)>,
    /// Its place among the components of the package that it came in.
    pub position: usize,
    pub references: Vec<Reference>,
}

/// A solution's hold on a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    /// The solution's unique name.
    pub solution: String,
    /// 0 with all parts, 1 without parts, 2 only the shell; `None` for kinds without the notion.
    pub behavior: Option<u8>,
    /// Whether it is in the solution by itself, not only as a part of something that is.
    pub by_itself: bool,
}

impl Definition {
    /// Keeps the definition of `component`.
    pub(super) fn keep(
        session: &Session<'_>,
        component: &Component,
        position: usize,
    ) -> Result<Self, StoreError> {
        let mut payload = Vec::with_capacity(component.payload.len());
        for part in &component.payload {
            payload.push((part.name.clone(), session.tx.put_blob(&part.bytes)?));
        }
        Ok(Self {
            id: component.id,
            schema_name: component.schema_name.clone(),
            display_name: component.display_name.clone(),
            place: component.place.clone(),
            fragment: session.tx.put_blob(component.fragment.as_bytes())?,
            payload,
            position,
            references: references(component),
        })
    }

    /// The component that this defines.
    pub(super) fn component(
        &self,
        session: &Session<'_>,
        record: &Record,
    ) -> Result<Component, ServiceError> {
        let bytes = |hash: &str| -> Result<Vec<u8>, ServiceError> {
            session.tx.get_blob(hash)?.ok_or_else(|| {
                ServiceError::new(
                    crate::transport::StatusCode::INTERNAL_SERVER_ERROR,
                    "0x80040216",
                    format!("The stored definition of {} is gone.", record.identity),
                )
            })
        };
        let mut payload = Vec::with_capacity(self.payload.len());
        for (name, hash) in &self.payload {
            payload.push(Payload {
                name: name.clone(),
                bytes: bytes(hash)?,
            });
        }
        Ok(Component {
            component_type: record.identity.component_type.clone(),
            key: record.identity.key.clone(),
            id: self.id,
            schema_name: self.schema_name.clone(),
            display_name: self.display_name.clone(),
            parent: record.parent.clone(),
            place: self.place.clone(),
            fragment: String::from_utf8_lossy(&bytes(&self.fragment)?).into_owned(),
            payload,
        })
    }

    /// Whether both say the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.fragment == other.fragment && self.payload == other.payload
    }
}

impl Record {
    /// The definition that is in effect: the topmost one.
    pub(super) fn effective(&self) -> Option<&Definition> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| layer.definition.as_ref())
    }

    /// The definition that is in effect for those who see only what is published.
    pub(super) fn published(&self) -> Option<&Definition> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| layer.published.as_ref().or(layer.definition.as_ref()))
    }

    /// The topmost managed definition.
    pub(super) fn managed(&self) -> Option<&Definition> {
        let managed = self
            .layers
            .iter()
            .rev()
            .filter(|layer| layer.solution != ACTIVE);
        managed.filter_map(|layer| layer.definition.as_ref()).next()
    }

    /// The layer that `solution` wrote.
    pub(super) fn layer(&self, solution: &str) -> Option<&Layer> {
        self.layers
            .iter()
            .find(|layer| layer.solution.eq_ignore_ascii_case(solution))
    }

    /// Whether a managed solution has a layer here.
    pub(super) fn is_managed(&self) -> bool {
        self.layers.iter().any(|layer| layer.solution != ACTIVE)
    }

    /// Whether the unmanaged layer is there.
    pub(super) fn is_customized(&self) -> bool {
        self.layer(ACTIVE).is_some()
    }

    /// Whether `solution` holds it.
    pub(super) fn is_in(&self, solution: &str) -> bool {
        self.member(solution).is_some()
    }

    /// The hold that `solution` has on it.
    pub(super) fn member(&self, solution: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.solution.eq_ignore_ascii_case(solution))
    }

    /// Adds it to `solution` or changes how it is in there.
    pub(super) fn join(&mut self, solution: &str, behavior: Option<u8>, by_itself: bool) {
        let found = self
            .members
            .iter_mut()
            .find(|member| member.solution.eq_ignore_ascii_case(solution));
        match found {
            Some(member) => {
                member.behavior = behavior.or(member.behavior);
                member.by_itself |= by_itself;
            }
            None => self.members.push(Member {
                solution: solution.to_owned(),
                behavior,
                by_itself,
            }),
        }
    }

    /// Takes it out of `solution`.
    pub(super) fn leave(&mut self, solution: &str) {
        self.members
            .retain(|member| !member.solution.eq_ignore_ascii_case(solution));
    }

    /// Writes the unmanaged layer.
    pub(super) fn customize(&mut self, definition: Option<Definition>, since: String) {
        match self
            .layers
            .last_mut()
            .filter(|layer| layer.solution == ACTIVE)
        {
            Some(layer) => {
                layer.definition = definition.or(layer.definition.take());
                layer.since = since;
            }
            None => self.layers.push(Layer {
                solution: ACTIVE.to_owned(),
                definition,
                published: None,
                since,
            }),
        }
    }

    /// Writes the layer of the managed `solution`: a new one goes on top of the other managed
    /// ones, or, with `above`, right above the layer of that solution.
    pub(super) fn cover(
        &mut self,
        solution: &str,
        definition: Definition,
        since: String,
        above: Option<&str>,
    ) {
        let new = Layer {
            solution: solution.to_owned(),
            definition: Some(definition),
            published: None,
            since,
        };
        let at = |name: &str| {
            self.layers
                .iter()
                .position(|layer| layer.solution.eq_ignore_ascii_case(name))
        };
        if let Some(index) = at(solution) {
            self.layers[index] = new;
        } else if let Some(index) = above.and_then(at) {
            self.layers.insert(index + 1, new);
        } else {
            let index = at(ACTIVE).unwrap_or(self.layers.len());
            self.layers.insert(index, new);
        }
    }

    /// Takes the layer of `solution` away and says whether it was there.
    pub(super) fn uncover(&mut self, solution: &str) -> bool {
        let before = self.layers.len();
        self.layers
            .retain(|layer| !layer.solution.eq_ignore_ascii_case(solution));
        self.layers.len() < before
    }

    /// The name that people see.
    pub(super) fn display_name(&self) -> &str {
        self.effective()
            .map_or(&self.identity.key, |definition| &definition.display_name)
    }

    /// The schema or unique name.
    pub(super) fn schema_name(&self) -> Option<&str> {
        self.effective()
            .and_then(|definition| definition.schema_name.as_deref())
    }
}

/// All components of an environment, read once and written back where they changed.
pub(super) struct Records {
    by_identity: BTreeMap<Identity, Record>,
    by_object: HashMap<Uuid, Identity>,
    changed: HashSet<Identity>,
    gone: HashSet<Identity>,
}

impl Records {
    /// Reads them.
    pub(super) fn load(session: &Session<'_>) -> Result<Self, ServiceError> {
        let mut records = Self {
            by_identity: BTreeMap::new(),
            by_object: HashMap::new(),
            changed: HashSet::new(),
            gone: HashSet::new(),
        };
        for (_, body) in session.tx.list(session.scope(), KIND)? {
            let record: Record = serde_json::from_value(body).map_err(StoreError::from)?;
            records
                .by_object
                .insert(record.object_id, record.identity.clone());
            records.by_identity.insert(record.identity.clone(), record);
        }
        Ok(records)
    }

    /// Writes back what changed.
    pub(super) fn save(self, session: &Session<'_>) -> Result<(), ServiceError> {
        for identity in &self.gone {
            if !self.by_identity.contains_key(identity) {
                session
                    .tx
                    .delete(session.scope(), KIND, &identity.to_string())?;
            }
        }
        let mut changed: Vec<_> = self.changed.iter().collect();
        changed.sort();
        for identity in changed {
            if let Some(record) = self.by_identity.get(identity) {
                save(session, record)?;
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, identity: &Identity) -> Option<&Record> {
        self.by_identity.get(identity)
    }

    /// The record to be changed.
    pub(super) fn change(&mut self, identity: &Identity) -> Option<&mut Record> {
        let record = self.by_identity.get_mut(identity)?;
        self.changed.insert(identity.clone());
        Some(record)
    }

    pub(super) fn insert(&mut self, record: Record) {
        self.changed.insert(record.identity.clone());
        self.by_object
            .insert(record.object_id, record.identity.clone());
        self.by_identity.insert(record.identity.clone(), record);
    }

    pub(super) fn remove(&mut self, identity: &Identity) -> Option<Record> {
        self.changed.remove(identity);
        self.gone.insert(identity.clone());
        let record = self.by_identity.remove(identity)?;
        self.by_object.remove(&record.object_id);
        Some(record)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.by_identity.values()
    }

    /// The component with this id, if it is one.
    pub(super) fn with_object(&self, object_id: Uuid) -> Option<&Record> {
        self.by_object
            .get(&object_id)
            .and_then(|identity| self.by_identity.get(identity))
    }

    /// The record that `identity` means: itself, or, where it names an id, the component with it.
    pub(super) fn meant(&self, identity: &Identity) -> Option<&Record> {
        self.get(identity).or_else(|| {
            let record = self.with_object(identity.key.parse().ok()?)?;
            (record.identity.component_type == identity.component_type).then_some(record)
        })
    }

    /// The components that `solution` holds, parts of whole tables included, in package order.
    pub(super) fn content_of(&self, solution: &str) -> Vec<&Record> {
        let whole = |identity: &Identity| {
            self.get(identity)
                .and_then(|table| table.member(solution))
                .is_some_and(|member| member.behavior.unwrap_or(0) == 0)
        };
        let mut found: Vec<&Record> = self
            .iter()
            .filter(|record| {
                record.is_in(solution)
                    || matches!(
                        record.effective().map(|definition| &definition.place),
                        Some(Place::Table { .. })
                    ) && record.parent.as_ref().is_some_and(whole)
            })
            .collect();
        found.sort_by_key(|record| {
            record
                .effective()
                .map_or(usize::MAX, |definition| definition.position)
        });
        found
    }
}

/// Reads one component.
pub(super) fn load(
    session: &Session<'_>,
    identity: &Identity,
) -> Result<Option<Record>, ServiceError> {
    let body = session
        .tx
        .get(session.scope(), KIND, &identity.to_string())?;
    Ok(body
        .map(serde_json::from_value)
        .transpose()
        .map_err(StoreError::from)?)
}

/// Writes one component.
pub(super) fn save(session: &Session<'_>, record: &Record) -> Result<(), ServiceError> {
    let body: Value = serde_json::to_value(record).map_err(StoreError::from)?;
    Ok(session
        .tx
        .put(session.scope(), KIND, &record.identity.to_string(), &body)?)
}
