//! The tables of an environment: which columns, lookups and relationships they have.
//!
//! Standard tables are data, `tables/*.toml`, in the notation of [`notation`]. Tables and columns
//! that came with a solution are stored as rows of the environment. The [`Catalogue`] of an
//! environment is both together.

mod notation;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use uuid::Uuid;

pub use table::{
    AlternateKey, Choice, Column, ColumnKind, LookupTarget, ManyToMany, Ownership, Table,
};

use crate::emulator::store::{StoreError, Transaction};

/// The kind of stored rows that hold the tables that came with solutions.
const STORED_TABLES: &str = "@table";
/// The kind of stored rows that hold the N:N relationships that came with solutions.
const STORED_RELATIONSHIPS: &str = "@many_to_many";
/// The kind of the row that holds the version of what is stored.
const STORED_VERSION: &str = "@catalogue";
/// How many environments' catalogues are kept ready. More than a tenant mostly has environments.
const KEPT: usize = 32;

/// All tables of one environment.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    tables: BTreeMap<String, Arc<Table>>,
    by_set: HashMap<String, String>,
    many_to_many: Vec<Arc<ManyToMany>>,
}

static STANDARD: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
    let mut catalogue = Catalogue::default();
    for source in [
        include_str!("tables/solutions.toml"),
        include_str!("tables/people.toml"),
        include_str!("tables/processes.toml"),
        include_str!("tables/apps.toml"),
        include_str!("tables/customization.toml"),
        include_str!("tables/extensibility.toml"),
        include_str!("tables/business.toml"),
    ] {
        let read = notation::read(source);
        // The files are part of the program and a test reads every one of them.
        let (tables, relationships) = read.expect("the standard tables are well written");
        tables.into_iter().for_each(|table| catalogue.add(table));
        relationships
            .into_iter()
            .for_each(|it| catalogue.relate(it));
    }
    Arc::new(catalogue)
});

type Kept = HashMap<String, Arc<Catalogue>>;
static READY: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

impl Catalogue {
    /// The catalogue of the environment whose rows are in `scope`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(tx: &Transaction<'_>, scope: &str) -> Result<Arc<Self>, StoreError> {
        let Some(version) = tx.get(scope, STORED_VERSION, "version")? else {
            return Ok(STANDARD.clone());
        };
        let version = version.as_str().unwrap_or_default().to_owned();
        let ready = || READY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(catalogue) = ready().get(&version) {
            return Ok(catalogue.clone());
        }
        let mut catalogue = Self::clone(&STANDARD);
        for (_, body) in tx.list(scope, STORED_TABLES)? {
            catalogue.add(serde_json::from_value(body)?);
        }
        for (_, body) in tx.list(scope, STORED_RELATIONSHIPS)? {
            catalogue.relate(serde_json::from_value(body)?);
        }
        let catalogue = Arc::new(catalogue);
        let mut ready = ready();
        if ready.len() >= KEPT {
            ready.clear();
        }
        ready.insert(version, catalogue.clone());
        Ok(catalogue)
    }

    /// The table with this logical name.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// The table with this entity set name.
    pub fn by_set(&self, set: &str) -> Option<&Arc<Table>> {
        self.by_set.get(set).and_then(|name| self.tables.get(name))
    }

    /// All tables, ordered by logical name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// All N:N relationships.
    pub fn relationships(&self) -> impl Iterator<Item = &Arc<ManyToMany>> {
        self.many_to_many.iter()
    }

    /// The N:N relationship that `table` reaches through `navigation`, and whether `table` is its
    /// left side.
    pub fn many_to_many(&self, table: &str, navigation: &str) -> Option<(&Arc<ManyToMany>, bool)> {
        self.many_to_many.iter().find_map(|it| {
            if it.left == table && it.left_navigation == navigation {
                Some((it, true))
            } else if it.right == table && it.right_navigation == navigation {
                Some((it, false))
            } else {
                None
            }
        })
    }

    /// The lookup of another table that `table` reaches backwards through the collection-valued
    /// `navigation`: that other table and its lookup column.
    pub fn one_to_many(&self, table: &str, navigation: &str) -> Option<(&Arc<Table>, &Column)> {
        self.tables.values().find_map(|other| {
            let column = other.columns.iter().find(|column| {
                let targets = column.targets().iter();
                let mut targets = targets.filter(|target| target.reaches(table));
                targets.any(|target| target.collection == navigation)
            })?;
            Some((other, column))
        })
    }

    /// Adds a table, or adds its columns and keys to the table of that name.
    fn add(&mut self, mut table: Table) {
        if let Some(there) = self.tables.get(&table.name) {
            let mut merged = Table::clone(there);
            for column in std::mem::take(&mut table.columns) {
                match merged.columns.iter_mut().find(|it| it.name == column.name) {
                    // A solution knows more about a column that it customises than we do.
                    Some(old) if merged.is_custom => *old = column,
                    Some(_) => {}
                    None => merged.columns.push(column),
                }
            }
            for key in std::mem::take(&mut table.alternate_keys) {
                if !merged.alternate_keys.iter().any(|it| it.name == key.name) {
                    merged.alternate_keys.push(key);
                }
            }
            table = merged;
        }
        self.by_set.insert(table.set.clone(), table.name.clone());
        self.tables.insert(table.name.clone(), Arc::new(table));
    }

    fn relate(&mut self, relationship: ManyToMany) {
        self.add(relationship.intersect_table());
        self.many_to_many.retain(|it| it.name != relationship.name);
        self.many_to_many.push(Arc::new(relationship));
    }
}

/// Stores a table that came with a solution. A table with a standard table's name adds its columns
/// to that one. A table stored before under the same name is replaced.
///
/// # Errors
/// Those of the store; so for all functions here.
pub fn register(tx: &Transaction<'_>, scope: &str, table: &Table) -> Result<(), StoreError> {
    tx.put(
        scope,
        STORED_TABLES,
        &table.name,
        &serde_json::to_value(table)?,
    )?;
    renew(tx, scope)
}

/// The table that solutions have stored under this name, without what is standard about it.
pub fn registered(
    tx: &Transaction<'_>,
    scope: &str,
    name: &str,
) -> Result<Option<Table>, StoreError> {
    let body = tx.get(scope, STORED_TABLES, name)?;
    Ok(body.map(serde_json::from_value).transpose()?)
}

/// Forgets what solutions stored under this name. The rows of a table that is gone then go too.
pub fn unregister(tx: &Transaction<'_>, scope: &str, name: &str) -> Result<(), StoreError> {
    tx.delete(scope, STORED_TABLES, name)?;
    renew(tx, scope)?;
    if STANDARD.table(name).is_none() {
        for (id, _) in tx.list(scope, name)? {
            tx.delete(scope, name, &id)?;
        }
    }
    Ok(())
}

/// Stores an N:N relationship that came with a solution.
pub fn register_relationship(
    tx: &Transaction<'_>,
    scope: &str,
    relationship: &ManyToMany,
) -> Result<(), StoreError> {
    let body = serde_json::to_value(relationship)?;
    tx.put(scope, STORED_RELATIONSHIPS, &relationship.name, &body)?;
    renew(tx, scope)
}

/// Forgets an N:N relationship that came with a solution, and which rows it related.
pub fn unregister_relationship(
    tx: &Transaction<'_>,
    scope: &str,
    name: &str,
) -> Result<(), StoreError> {
    if let Some(body) = tx.get(scope, STORED_RELATIONSHIPS, name)? {
        let relationship: ManyToMany = serde_json::from_value(body)?;
        for (id, _) in tx.list(scope, &relationship.intersect)? {
            tx.delete(scope, &relationship.intersect, &id)?;
        }
        tx.delete(scope, STORED_RELATIONSHIPS, name)?;
    }
    renew(tx, scope)
}

/// Gives what is stored a version that nothing else ever had, so that no other process, and no
/// transaction that was rolled back, can have kept another catalogue under it.
fn renew(tx: &Transaction<'_>, scope: &str) -> Result<(), StoreError> {
    tx.put(
        scope,
        STORED_VERSION,
        "version",
        &Uuid::new_v4().to_string().into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lookup_of_a_standard_table_leads_to_a_table() {
        for table in STANDARD.tables() {
            assert!(
                table.column(&table.key).is_some(),
                "{} has no key column",
                table.name
            );
            for column in &table.columns {
                for target in column.targets() {
                    assert!(
                        STANDARD.table(&target.table).is_some() || target.table == "principal",
                        "{}.{} leads to {}",
                        table.name,
                        column.name,
                        target.table
                    );
                }
            }
        }
    }

    #[test]
    fn no_two_lookups_share_a_collection() {
        let mut seen = HashMap::new();
        for table in STANDARD.tables() {
            for column in &table.columns {
                for target in column.targets() {
                    let key = (target.table.clone(), target.collection.clone());
                    let here = format!("{}.{}", table.name, column.name);
                    assert_eq!(seen.insert(key, here.clone()), None, "{here}");
                }
            }
        }
    }
}
