//! How the standard tables are written down.
//!
//! ```toml
//! [workflow]
//! set = "workflows"
//! key = "workflowid"
//! name = "name"              # the primary name column
//! code = 4703                # the object type code
//! owner = "user"             # user, organization, business unit; left out: nobody
//! component = 29             # the solution component type
//! customizable = true        # whether makers may change the table; left out: they may not
//! keys.somekey = ["column"]  # alternate keys
//! columns.statecode = "choice(0 Draft, 1 Activated) default=0"
//! columns.parentworkflowid = "lookup(workflow) nav=parentworkflowid collection=workflow_parent"
//!
//! [[many_to_many]]
//! name = "systemuserroles_association"
//! ```
//!
//! A column is its type, arguments in parentheses, then any of `required`, `readonly`, `create`
//! (set on create only), `default=…`, `nav=…`, `collection=…`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::table::{
    AlternateKey, Choice, Column, ColumnKind, LookupTarget, ManyToMany, Ownership, Table,
};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    many_to_many: Vec<WrittenRelationship>,
    #[serde(flatten)]
    tables: BTreeMap<String, WrittenTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    set: String,
    key: String,
    name: Option<String>,
    #[serde(default)]
    code: i64,
    owner: Option<String>,
    component: Option<i64>,
    display: Option<String>,
    #[serde(default)]
    customizable: bool,
    #[serde(default)]
    is_virtual: bool,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRelationship {
    name: String,
    intersect: String,
    set: String,
    left: String,
    right: String,
}

/// Reads one file of tables.
///
/// # Errors
/// A sentence about the first thing that is not well written.
pub fn read(source: &str) -> Result<(Vec<Table>, Vec<ManyToMany>), String> {
    let file: File = toml::from_str(source).map_err(|error| error.to_string())?;
    let tables = file
        .tables
        .into_iter()
        .map(|(name, table)| read_table(&name, table))
        .collect::<Result<_, _>>()?;
    let relationships = file
        .many_to_many
        .into_iter()
        .map(|it| ManyToMany {
            left_column: format!("{}id", it.left),
            right_column: format!("{}id", it.right),
            left_navigation: it.name.clone(),
            right_navigation: it.name.clone(),
            name: it.name,
            intersect: it.intersect,
            set: it.set,
            left: it.left,
            right: it.right,
        })
        .collect();
    Ok((tables, relationships))
}

fn read_table(name: &str, written: WrittenTable) -> Result<Table, String> {
    let ownership = match written.owner.as_deref() {
        None => Ownership::None,
        Some("user") => Ownership::User,
        Some("organization") => Ownership::Organization,
        Some("business unit") => Ownership::BusinessUnit,
        Some(other) => return Err(format!("{name}: no such owner: {other}")),
    };
    let mut table = Table::new(name, &written.set, &written.key, ownership);
    let mut columns = Vec::new();
    for (column, text) in &written.columns {
        columns.push(
            read_column(name, column, text).map_err(|error| format!("{name}.{column}: {error}"))?,
        );
    }
    // What is written down about a column wins over what every table has.
    table
        .columns
        .retain(|it| !columns.iter().any(|column| column.name == it.name));
    table.columns.append(&mut columns);
    if let Some(primary) = &written.name {
        table.add(Column::new(primary, ColumnKind::Text(256)));
    }
    if let Some(component) = written.component {
        table.component_type = Some(component);
        table.add(Column::new("solutionid", ColumnKind::Guid).read_only());
        table.add(Column::new("componentstate", ColumnKind::Integer).read_only());
        table.add(Column::new("overwritetime", ColumnKind::DateTime).read_only());
        table.add(Column::new("ismanaged", ColumnKind::Boolean).read_only());
        table.add(Column::new("iscustomizable", ColumnKind::ManagedProperty));
        table.add(Column::new("introducedversion", ColumnKind::Text(48)).create_only());
    }
    table.primary_name = written.name;
    table.object_type_code = written.code;
    table.is_customizable = written.customizable;
    table.is_virtual = written.is_virtual;
    if let Some(display) = written.display {
        table.display_name = display;
    }
    table.alternate_keys = written
        .keys
        .into_iter()
        .map(|(name, columns)| AlternateKey { name, columns })
        .collect();
    Ok(table)
}

fn read_column(table: &str, name: &str, text: &str) -> Result<Column, String> {
    let (kind, rest) = text.split_at(text.find([' ', '(']).unwrap_or(text.len()));
    let (arguments, flags) = match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(')').ok_or("a parenthesis is not closed")?,
        None => ("", rest),
    };
    let mut navigation = None;
    let mut collection = None;
    let mut column = Column::new(name, ColumnKind::Integer);
    for flag in flags.split_whitespace() {
        match flag.split_once('=') {
            Some(("default", value)) => {
                column.default = Some(
                    serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
                );
            }
            Some(("nav", value)) => navigation = Some(value),
            Some(("collection", value)) => collection = Some(value),
            None if flag == "required" => column.required = true,
            None if flag == "readonly" => column = column.read_only(),
            None if flag == "create" => column = column.create_only(),
            _ => return Err(format!("no such flag: {flag}")),
        }
    }
    let length = |otherwise: usize| match arguments {
        "" => Ok(otherwise),
        number => number
            .parse()
            .map_err(|_| format!("not a length: {number}")),
    };
    column.kind = match kind {
        "text" => ColumnKind::Text(length(100)?),
        "memo" => ColumnKind::Memo(length(1_048_576)?),
        "integer" => ColumnKind::Integer,
        "bigint" => ColumnKind::BigInteger,
        "decimal" => ColumnKind::Decimal,
        "double" => ColumnKind::Double,
        "money" => ColumnKind::Money,
        "boolean" => ColumnKind::Boolean,
        "datetime" => ColumnKind::DateTime,
        "date" => ColumnKind::Date,
        "guid" => ColumnKind::Guid,
        "managed" => ColumnKind::ManagedProperty,
        "file" => ColumnKind::File,
        "image" => ColumnKind::Image,
        "choice" => ColumnKind::Choice(choices(arguments)?),
        "choices" => ColumnKind::MultiChoice(choices(arguments)?),
        "lookup" => {
            let targets: Vec<&str> = arguments.split('|').map(str::trim).collect();
            let many = targets.len() > 1;
            let target = |to: &&str| {
                let own = if many {
                    format!("{name}_{to}")
                } else {
                    name.to_owned()
                };
                let back = format!("{to}_{table}_{name}");
                LookupTarget::new(to, navigation.unwrap_or(&own), collection.unwrap_or(&back))
            };
            ColumnKind::Lookup(targets.iter().map(target).collect())
        }
        other => return Err(format!("no such type: {other}")),
    };
    Ok(column)
}

fn choices(text: &str) -> Result<Vec<Choice>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|choice| !choice.is_empty())
        .map(|choice| {
            let (value, label) = choice
                .split_once(' ')
                .ok_or("a choice is a number and a label")?;
            let value = value
                .parse()
                .map_err(|_| format!("not a number: {value}"))?;
            Ok(Choice {
                value,
                label: label.to_owned(),
            })
        })
        .collect()
}
