//! Rows of tables, read and written by scripts.
//!
//! In Dataverse the system itself is rows. So what writing a row does, and which action the policy
//! is asked for, depends on the table; [`action`] is the whole rule.

use std::sync::Arc;

use rhai::plugin::{ImmutableString, export_module};
use rhai::{Dynamic, Map};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::super::error::{Scripted, Thrown};
use super::super::{HostError, options};
use super::{Environment, data};
use crate::environment::data::DataPackage;
use crate::environment::odata::{Filter, Key, Literal, Query};
use crate::environment::{EnvironmentError, RowTable, TableKind};
use crate::script::values::to_json;
use crate::workspace::Action;

/// The options of `rows` and `row`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reading {
    select: Vec<String>,
    filter: Option<Value>,
    order: Vec<String>,
    top: Option<u32>,
    expand: serde_json::Map<String, Value>,
}

/// Rows of tables.
#[export_module]
pub(super) mod module {
    use super::super::Environment;
    use super::Write;

    /// The rows of a table, named by its set name as in the Web API, for example `workflows`.
    ///
    /// Options: `select` (columns), `filter`, `order` (columns, `-` before one sorts downwards),
    /// `top`, `expand` (a map of navigation property to columns). A filter that is a map means
    /// equality of all its columns and may hold any text; a filter that is a text is OData as it
    /// stands.
    ///
    /// ```rhai,tenant
    /// let flows = environment::development().rows("workflows", #{
    ///     select: ["name", "statecode"], filter: #{ category: 5 }, order: ["name"], top: 1,
    /// });
    /// flows.len() <= 1
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn rows(environment: &mut Environment, set: &str, options: Map) -> Scripted<Dynamic> {
        let query = super::query(options).thrown()?;
        let rows = environment.reading().thrown()?.rows(set, &query).thrown()?;
        data(&rows).thrown()
    }

    /// All rows of a table with all their columns.
    ///
    /// ```rhai,tenant
    /// environment::development().rows("businessunits").len() > 0
    /// ```
    #[rhai_fn(global, name = "rows", pure, return_raw)]
    pub fn all_rows(environment: &mut Environment, set: &str) -> Scripted<Dynamic> {
        rows(environment, set, Map::new())
    }

    /// One row by its id, or `()` when there is none.
    ///
    /// ```rhai,tenant
    /// environment::development().row("contacts", "00000000-0000-0000-0000-000000000001") == ()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn row(environment: &mut Environment, set: &str, id: &str) -> Scripted<Dynamic> {
        row_with(environment, set, id, Map::new())
    }

    /// One row by its id with the options `select` and `expand`, or `()` when there is none.
    ///
    /// ```rhai,tenant
    /// let me = environment::development();
    /// let user = me.row("systemusers", me.who_am_i().user_id, #{ select: ["fullname"] });
    /// user.fullname != ""
    /// ```
    #[rhai_fn(global, name = "row", pure, return_raw)]
    pub fn row_with(
        environment: &mut Environment,
        set: &str,
        id: &str,
        options: Map,
    ) -> Scripted<Dynamic> {
        let query = super::query(options).thrown()?;
        let key = Key::Id(super::id(id).thrown()?);
        let row = environment
            .reading()
            .thrown()?
            .row(set, &key, &query)
            .thrown()?;
        row.map_or(Ok(Dynamic::UNIT), |row| data(&row).thrown())
    }

    /// Creates a row and returns its id.
    ///
    /// What the policy is asked for depends on what the environment says of the table. Rows of
    /// people's data need `write-rows`; users, teams, jobs and other rows of the system, connection
    /// references and values of variables need `configure`. Components of solutions (flows, web
    /// resources, roles, …) and solutions need `import` to be created or changed, `delete` to be
    /// deleted, and `configure` where only their state or owner changes. The same holds for
    /// `update_row`, `delete_row` and `import_data`.
    ///
    /// Values are plain; another row is pointed to by `"parentid@odata.bind"`. Actions of the Web API
    /// are no tables.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let id = dev.create_row("accounts", #{ name: "O'Neil & Søn" });
    /// dev.row("accounts", id).name == "O'Neil & Søn"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn create_row(
        environment: &mut Environment,
        set: &str,
        columns: Map,
    ) -> Scripted<ImmutableString> {
        let columns = super::columns(columns).thrown()?;
        let table = super::writing(environment, set, Write::Create).thrown()?;
        let id = environment.client().create_row(&table.set, &columns);
        Ok(id.thrown()?.to_string().into())
    }

    /// Changes columns of a row that exists.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let id = dev.create_row("accounts", #{ name: "Before" });
    /// dev.update_row("accounts", id, #{ name: "After" });
    /// dev.row("accounts", id).name == "After"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn update_row(
        environment: &mut Environment,
        set: &str,
        id: &str,
        columns: Map,
    ) -> Scripted<()> {
        let columns = super::columns(columns).thrown()?;
        let table = super::writing(environment, set, Write::update(&columns)).thrown()?;
        let key = super::id(id).thrown()?.into();
        environment
            .client()
            .update_row(&table.set, &key, &columns)
            .thrown()
    }

    /// Deletes a row; `false` when there was none.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// let id = dev.create_row("accounts", #{ name: "Short-lived" });
    /// dev.delete_row("accounts", id) && !dev.delete_row("accounts", id)
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn delete_row(environment: &mut Environment, set: &str, id: &str) -> Scripted<bool> {
        let table = super::writing(environment, set, Write::Delete).thrown()?;
        let id = super::id(id).thrown()?;
        environment.client().delete_row(&table.set, id).thrown()
    }
}

fn query(map: Map) -> Result<Query, HostError> {
    let reading: Reading = options(map)?;
    let mut query = Query::new()
        .select(&reading.select)
        .map_err(EnvironmentError::from)?;
    match reading.filter {
        None => {}
        Some(Value::String(text)) => query = query.filter(Filter::written(text)),
        Some(Value::Object(columns)) => {
            for (column, value) in columns {
                let literal = literal(&column, &value)?;
                let filter = Filter::equals(&column, literal).map_err(EnvironmentError::from)?;
                query = query.filter(filter);
            }
        }
        Some(_) => {
            return Err(HostError::new(
                "ALM-S021",
                "option `filter`: must be a text or a map",
            ));
        }
    }
    for column in &reading.order {
        let (name, descending) = match column.strip_prefix('-') {
            Some(name) => (name, true),
            None => (column.as_str(), false),
        };
        query = query
            .order(name, descending)
            .map_err(EnvironmentError::from)?;
    }
    for (navigation, columns) in &reading.expand {
        let columns: Vec<&str> = columns
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        query = query
            .expand(navigation, &columns)
            .map_err(EnvironmentError::from)?;
    }
    if let Some(top) = reading.top {
        query = query.top(top);
    }
    Ok(query)
}

/// A value of a filter. An id is compared as an id where the column can hold one.
fn literal(column: &str, value: &Value) -> Result<Literal, HostError> {
    Ok(match value {
        Value::Null => Literal::Null,
        Value::Bool(flag) => Literal::Boolean(*flag),
        Value::String(text) => match text.parse::<Uuid>() {
            Ok(id) if column.ends_with("id") || column.ends_with("_value") => Literal::Guid(id),
            _ => Literal::Text(text.clone()),
        },
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Literal::Integer(whole),
            (None, Some(float)) => Literal::Number(float),
            (None, None) => Literal::Null,
        },
        Value::Array(_) | Value::Object(_) => {
            let message =
                format!("option `filter`: `{column}` cannot be compared with a list or a map");
            return Err(HostError::new("ALM-S021", message));
        }
    })
}

/// How a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Update,
    /// An update of nothing but the state or the owner.
    Standing,
    Delete,
}

impl Write {
    fn update(columns: &Value) -> Self {
        const STANDING: [&str; 4] = ["statecode", "statuscode", "ownerid", "ownerid@odata.bind"];
        let mut names = columns.as_object().into_iter().flatten();
        match names.all(|(name, _)| STANDING.contains(&name.as_str())) {
            true => Self::Standing,
            false => Self::Update,
        }
    }
}

/// The action that writing a row of a table is.
fn action(kind: TableKind, write: Write) -> Action {
    match (kind, write) {
        (TableKind::Data, _) => Action::WriteRows,
        (TableKind::Values | TableKind::System, _) => Action::Configure,
        (TableKind::Components, Write::Standing) => Action::Configure,
        // Whoever deletes a component or a solution by its row deletes what a package brought.
        (TableKind::Components | TableKind::Solutions, Write::Delete) => Action::Delete,
        // An unmanaged change, as the import of an unmanaged solution makes one.
        (TableKind::Components | TableKind::Solutions, _) => Action::Import,
    }
}

/// The table of an entity set, once the policy allows to write to it so.
fn writing(environment: &Environment, set: &str, write: Write) -> Result<Arc<RowTable>, HostError> {
    let table = environment.reading()?.table_of_set(set)?;
    environment.allowed(action(table.kind, write))?;
    Ok(table)
}

/// Asks the policy for what writing the rows of a package of configuration data does.
pub(super) fn permit_data(environment: &Environment, data: &DataPackage) -> Result<(), HostError> {
    for table in &data.tables {
        let kind = environment.reading()?.table_named(&table.schema.name)?.kind;
        // Rows that exist are updated, others are made: both have to be allowed, and are one.
        environment.allowed(action(kind, Write::Create))?;
    }
    Ok(())
}

fn columns(map: Map) -> Result<Value, HostError> {
    let columns =
        to_json(&map.into()).map_err(|error| HostError::new("ALM-S021", error.to_string()))?;
    for (name, value) in columns.as_object().into_iter().flatten() {
        if !value.is_array() && !value.is_object() || is_managed_property(value) {
            continue;
        }
        let message = format!("`{name}` holds rows of another table");
        return Err(HostError::new("ALM-E023", message)
            .with_hint("write rows one by one, and point to one with `\"…@odata.bind\"`"));
    }
    Ok(columns)
}

/// Whether a value is one of a managed property, `{"Value": true}`, which is an object but no row.
fn is_managed_property(value: &Value) -> bool {
    let members = ["Value", "CanBeChanged", "ManagedPropertyLogicalName"];
    value["Value"].is_boolean()
        && value
            .as_object()
            .is_some_and(|it| it.keys().all(|name| members.contains(&name.as_str())))
}

/// An id that a script gave as text.
pub(super) fn id(text: &str) -> Result<Uuid, HostError> {
    text.trim_matches(['{', '}'])
        .parse()
        .map_err(|_| HostError::new("ALM-S021", format!("{text:?} is not an id")))
}
