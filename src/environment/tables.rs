//! What the environment knows about its tables: set names, keys, lookups, associations (Dataverse
//! Web API notes, 1.11). None of it can be derived from a table's name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::odata::{Key, Query, check_name};
use super::{Environment, EnvironmentError};

/// A table's definition, as far as rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The logical name.
    pub name: String,
    /// The name in addresses.
    pub set: String,
    /// The primary key column.
    pub primary_id: String,
    /// The primary name column; empty where there is none.
    pub primary_name: String,
    /// The lookups.
    pub lookups: Vec<Lookup>,
    /// The many-to-many relationships.
    pub associations: Vec<Association>,
    /// Columns that hold a day without a time.
    pub days: HashSet<String>,
}

/// One lookup to one table; a lookup to several tables has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup {
    /// The column's logical name.
    pub column: String,
    /// The table that it points to.
    pub target: String,
    /// The case-sensitive name that a write uses.
    pub navigation: String,
}

/// One many-to-many relationship, seen from this table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Association {
    /// The schema name.
    pub schema_name: String,
    /// The table between the two.
    pub intersect: String,
    /// The other table.
    pub target: String,
    /// The collection-valued property on this table.
    pub navigation: String,
}

impl Table {
    /// The property through which `column` points to `target`.
    pub(super) fn lookup(&self, column: &str, target: &str) -> Option<&Lookup> {
        self.lookups
            .iter()
            .find(|lookup| lookup.column == column && lookup.target == target)
    }
}

impl Environment {
    /// The definition of a table. Asked once, then remembered.
    pub(super) fn table(&self, name: &str) -> Result<Arc<Table>, EnvironmentError> {
        let cached = |tables: &HashMap<String, Arc<Table>>| tables.get(name).cloned();
        if let Some(table) = cached(&self.0.tables.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(table);
        }
        let table = Arc::new(self.read_table(name)?);
        let mut tables = self.0.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.insert(name.to_owned(), table.clone());
        Ok(table)
    }

    fn read_table(&self, name: &str) -> Result<Table, EnvironmentError> {
        let key = Key::Alternate(vec![("LogicalName".to_owned(), check_name(name)?.into())]);
        let query = Query::new().select(&[
            "LogicalName",
            "EntitySetName",
            "PrimaryIdAttribute",
            "PrimaryNameAttribute",
        ])?;
        let definition = self
            .row("EntityDefinitions", &key, &query)?
            .ok_or_else(|| self.missing("table", name))?;
        let text = |name: &str| {
            definition
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let many_to_one = Query::new().select(&[
            "ReferencingAttribute",
            "ReferencedEntity",
            "ReferencingEntityNavigationPropertyName",
        ])?;
        let lookups = self.related_rows(
            "EntityDefinitions",
            &key,
            "ManyToOneRelationships",
            &many_to_one,
        )?;
        let many_to_many = Query::new().select(&[
            "SchemaName",
            "IntersectEntityName",
            "Entity1LogicalName",
            "Entity2LogicalName",
            "Entity1NavigationPropertyName",
            "Entity2NavigationPropertyName",
        ])?;
        let associations = self.related_rows(
            "EntityDefinitions",
            &key,
            "ManyToManyRelationships",
            &many_to_many,
        )?;
        Ok(Table {
            name: name.to_owned(),
            set: text("EntitySetName"),
            primary_id: text("PrimaryIdAttribute"),
            primary_name: text("PrimaryNameAttribute"),
            lookups: lookups
                .iter()
                .map(|row| read_lookup(&Value::Object(row.clone())))
                .collect(),
            associations: associations
                .iter()
                .map(|row| read_association(name, &Value::Object(row.clone())))
                .collect(),
            days: self.day_columns(&key)?,
        })
    }

    /// The columns that take a day without a time. A server that does not tell has none.
    fn day_columns(&self, key: &Key) -> Result<HashSet<String>, EnvironmentError> {
        let query = Query::new().select(&["LogicalName", "Format"])?;
        let mut url = self
            .addresses()
            .related("EntityDefinitions", key, "Attributes", &query)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("Microsoft.Dynamics.CRM.DateTimeAttributeMetadata");
        }
        match self.get_pages(url) {
            Ok(columns) => Ok(columns
                .iter()
                .filter(|column| column["Format"] == "DateOnly")
                .filter_map(|column| column["LogicalName"].as_str().map(str::to_owned))
                .collect()),
            Err(error) if error.is_unsupported() || error.is_not_found() => Ok(HashSet::new()),
            Err(error) => Err(error),
        }
    }
}

fn read_lookup(row: &Value) -> Lookup {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    Lookup {
        column: text("ReferencingAttribute"),
        target: text("ReferencedEntity"),
        navigation: text("ReferencingEntityNavigationPropertyName"),
    }
}

fn read_association(table: &str, row: &Value) -> Association {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let is_first = row["Entity1LogicalName"] == table;
    let (target, navigation) = if is_first {
        ("Entity2LogicalName", "Entity1NavigationPropertyName")
    } else {
        ("Entity1LogicalName", "Entity2NavigationPropertyName")
    };
    Association {
        schema_name: text("SchemaName"),
        intersect: text("IntersectEntityName"),
        target: text(target),
        navigation: text(navigation),
    }
}
