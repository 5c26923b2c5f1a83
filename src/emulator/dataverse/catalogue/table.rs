//! What a table is: its columns, keys and relationships.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::emulator::definition::derived_id;

/// A table's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The logical name, for example `workflow`.
    pub name: String,
    /// The schema name, which keeps the letter case, for example `Workflow`.
    pub schema_name: String,
    /// The entity set name, for example `workflows`.
    pub set: String,
    /// The primary key column.
    pub key: String,
    /// The primary name column.
    pub primary_name: Option<String>,
    /// The object type code.
    pub object_type_code: i64,
    /// The id of the definition.
    pub metadata_id: Uuid,
    /// The name for people.
    pub display_name: String,
    /// The name of many rows for people.
    pub collection_name: String,
    /// Who owns rows.
    pub ownership: Ownership,
    /// The solution component type of rows, where they are solution components.
    pub component_type: Option<i64>,
    /// Whether it came with a solution or was made by a maker.
    pub is_custom: bool,
    /// Whether it came with a managed solution.
    pub is_managed: bool,
    /// Whether makers may change the table: custom ones, and those standard ones that hold data.
    pub is_customizable: bool,
    /// Whether it holds the pairs of an N:N relationship.
    pub is_intersect: bool,
    /// Whether its rows are computed rather than stored.
    pub is_virtual: bool,
    /// The columns, the key's included.
    pub columns: Vec<Column>,
    /// The alternate keys.
    pub alternate_keys: Vec<AlternateKey>,
}

/// Who owns a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// Nobody in particular.
    None,
    /// The organisation.
    Organization,
    /// A user or a team.
    User,
    /// A business unit.
    BusinessUnit,
}

/// A column's definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The logical name. A lookup's values are addressed as `_name_value`.
    pub name: String,
    /// The schema name, which keeps the letter case.
    pub schema_name: String,
    /// The name for people.
    pub display_name: String,
    /// The type.
    pub kind: ColumnKind,
    /// Whether creating a row needs a value.
    #[serde(default)]
    pub required: bool,
    /// Whether a caller may give a value when the row is created.
    #[serde(default = "yes")]
    pub on_create: bool,
    /// Whether a caller may change the value.
    #[serde(default = "yes")]
    pub on_update: bool,
    /// The value of rows for which none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// A column's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// One line of text of at most so many characters.
    Text(usize),
    /// Many lines of text of at most so many characters.
    Memo(usize),
    /// A 32 bit integer.
    Integer,
    /// A 64 bit integer.
    BigInteger,
    /// A number with a fixed number of decimals.
    Decimal,
    /// A floating point number.
    Double,
    /// An amount of money.
    Money,
    /// Yes or no.
    Boolean,
    /// A moment.
    DateTime,
    /// A day.
    Date,
    /// A guid.
    Guid,
    /// One of a list of numbered choices; an empty list allows every number.
    Choice(Vec<Choice>),
    /// Several choices, on the wire `"1,2"`.
    MultiChoice(Vec<Choice>),
    /// A reference to a row of one of these tables.
    Lookup(Vec<LookupTarget>),
    /// A managed property, an object with `Value` and `CanBeChanged`.
    ManagedProperty,
    /// A file.
    File,
    /// An image, on the wire base64.
    Image,
}

/// One choice of a choice column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its number.
    pub value: i64,
    /// Its label.
    pub label: String,
}

/// A table that a lookup may point to, and the names of that relationship on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupTarget {
    /// The logical name of the table that is pointed to; `principal` is users and teams.
    pub table: String,
    /// The single-valued navigation property, whose letter case counts.
    pub navigation: String,
    /// The collection-valued navigation property of the table that is pointed to, which is also
    /// the relationship's schema name.
    pub collection: String,
}

/// An alternate key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlternateKey {
    /// Its name.
    pub name: String,
    /// The logical names of its columns.
    pub columns: Vec<String>,
}

/// An N:N relationship. Its pairs are rows of an intersect table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManyToMany {
    /// The schema name.
    pub name: String,
    /// The logical name of the intersect table.
    pub intersect: String,
    /// The entity set name of the intersect table.
    pub set: String,
    /// The logical name of the first table.
    pub left: String,
    /// The column of the intersect table with the first table's ids.
    pub left_column: String,
    /// The navigation property of the first table.
    pub left_navigation: String,
    /// The logical name of the second table.
    pub right: String,
    /// The column of the intersect table with the second table's ids.
    pub right_column: String,
    /// The navigation property of the second table.
    pub right_navigation: String,
}

impl Table {
    /// A table with the key and name columns and those that every table has.
    pub fn new(name: &str, set: &str, key: &str, ownership: Ownership) -> Self {
        let mut table = Self {
            name: name.to_lowercase(),
            schema_name: name.to_owned(),
            set: set.to_owned(),
            key: key.to_owned(),
            primary_name: None,
            object_type_code: 0,
            metadata_id: derived_id("table", name),
            display_name: name.to_owned(),
            collection_name: set.to_owned(),
            ownership,
            component_type: None,
            is_custom: false,
            is_managed: false,
            is_customizable: false,
            is_intersect: false,
            is_virtual: false,
            columns: vec![Column::new(key, ColumnKind::Guid).create_only()],
            alternate_keys: Vec::new(),
        };
        table.add_system_columns();
        table
    }

    /// The column with this logical name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The lookup column that is addressed as `_name_value`.
    pub fn lookup_by_value(&self, property: &str) -> Option<&Column> {
        let name = property.strip_prefix('_')?.strip_suffix("_value")?;
        self.column(name)
            .filter(|column| !column.targets().is_empty())
    }

    /// The lookup column and target with this single-valued navigation property.
    pub fn navigation(&self, name: &str) -> Option<(&Column, &LookupTarget)> {
        self.columns.iter().find_map(|column| {
            let target = column
                .targets()
                .iter()
                .find(|target| target.navigation == name)?;
            Some((column, target))
        })
    }

    /// Adds `column` unless the table has one of that name.
    pub fn add(&mut self, column: Column) {
        if self.column(&column.name).is_none() {
            self.columns.push(column);
        }
    }

    fn add_system_columns(&mut self) {
        let lookup = |column: &str, target: &str, collection: String| {
            let target = LookupTarget::new(target, column, &collection);
            Column::new(column, ColumnKind::Lookup(vec![target])).read_only()
        };
        let name = self.name.clone();
        self.add(Column::new("createdon", ColumnKind::DateTime).read_only());
        self.add(Column::new("modifiedon", ColumnKind::DateTime).read_only());
        self.add(Column::new("overriddencreatedon", ColumnKind::DateTime).create_only());
        self.add(Column::new("versionnumber", ColumnKind::BigInteger).read_only());
        for column in [
            "createdby",
            "modifiedby",
            "createdonbehalfby",
            "modifiedonbehalfby",
        ] {
            self.add(lookup(column, "systemuser", format!("lk_{name}_{column}")));
        }
        match self.ownership {
            Ownership::None => {}
            Ownership::Organization => {
                let collection = format!("organization_{name}");
                self.add(lookup("organizationid", "organization", collection));
            }
            Ownership::BusinessUnit => {
                let collection = format!("business_unit_{name}");
                self.add(lookup("businessunitid", "businessunit", collection));
            }
            Ownership::User => {
                let mut owner = lookup("ownerid", "principal", format!("owner_{name}"));
                (owner.on_create, owner.on_update) = (true, true);
                self.add(owner);
                self.add(lookup("owninguser", "systemuser", format!("user_{name}")));
                self.add(lookup("owningteam", "team", format!("team_{name}")));
                let collection = format!("business_unit_{name}");
                self.add(lookup("owningbusinessunit", "businessunit", collection));
            }
        }
    }
}

impl Column {
    /// A column that may be set and changed, whose schema and display names are its logical name.
    pub fn new(name: &str, kind: ColumnKind) -> Self {
        Self {
            name: name.to_lowercase(),
            schema_name: name.to_owned(),
            display_name: name.to_owned(),
            kind,
            required: false,
            on_create: true,
            on_update: true,
            default: None,
        }
    }

    /// The same column, which callers cannot write.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self {
            on_create: false,
            on_update: false,
            ..self
        }
    }

    /// The same column, which callers can only write when they create the row.
    #[must_use]
    pub fn create_only(self) -> Self {
        Self {
            on_create: true,
            on_update: false,
            ..self
        }
    }

    /// The tables that a lookup points to; of another column, none.
    pub fn targets(&self) -> &[LookupTarget] {
        match &self.kind {
            ColumnKind::Lookup(targets) => targets,
            _ => &[],
        }
    }

    /// The name under which values are stored and sent: `_name_value` for a lookup.
    pub fn property(&self) -> String {
        if self.targets().is_empty() {
            self.name.clone()
        } else {
            format!("_{}_value", self.name)
        }
    }
}

impl LookupTarget {
    /// A target with its names.
    pub fn new(table: &str, navigation: &str, collection: &str) -> Self {
        let (table, navigation) = (table.to_owned(), navigation.to_owned());
        Self {
            table,
            navigation,
            collection: collection.to_owned(),
        }
    }

    /// Whether a row of `table` can be what is pointed to.
    pub fn reaches(&self, table: &str) -> bool {
        self.table == table || self.table == "principal" && ["systemuser", "team"].contains(&table)
    }
}

impl ManyToMany {
    /// The table that holds the pairs.
    pub fn intersect_table(&self) -> Table {
        let key = format!("{}id", self.intersect);
        let mut table = Table::new(&self.intersect, &self.set, &key, Ownership::None);
        // Pairs have no creator and no dates.
        table
            .columns
            .retain(|column| column.name == key || column.name == "versionnumber");
        table.add(Column::new(&self.left_column, ColumnKind::Guid).read_only());
        table.add(Column::new(&self.right_column, ColumnKind::Guid).read_only());
        table.is_intersect = true;
        table
    }
}

fn yes() -> bool {
    true
}
