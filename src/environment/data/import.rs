//! Writing the rows of a configuration data package (Dataverse Web API notes, 7.4).
//!
//! Four passes: rows without lookups to rows that come later; those lookups; states; associations.
//! A row that cannot be written does not stop the others: all failures are reported together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::dates::Shift;
use super::matching::Present;
use super::package::{DataPackage, Field, Record, TableData};
use super::value::{is_same, to_json};
use crate::environment::odata::{Filter, Query};
use crate::environment::rows::{Row, guid};
use crate::environment::tables::Table;
use crate::environment::{BatchItem, BatchOutcome, Environment, EnvironmentError};
use crate::transport::{HeaderMap, HeaderName, HeaderValue, Method, Request};

/// What an import of configuration data did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DataReport {
    /// Rows that were created.
    pub created: usize,
    /// Rows that were changed.
    pub updated: usize,
    /// Rows that were as wanted, or that the package says to leave.
    pub unchanged: usize,
    /// Pairs that were associated.
    pub associated: usize,
    /// What was left out, and why.
    pub warnings: Vec<String>,
}

impl DataReport {
    /// Whether anything was written.
    pub fn changed(&self) -> bool {
        self.created + self.updated + self.associated > 0
    }
}

/// A record with its row in the environment.
struct Placed<'a> {
    table: usize,
    record: &'a Record,
    present: Option<Row>,
    /// Whether the first pass went well; without, the later passes leave it alone.
    good: bool,
    /// Whether any pass wrote it.
    changed: bool,
    /// Lookups that wait for rows that come later.
    deferred: Vec<&'a Field>,
}

/// One write under way: what to say when it fails.
struct Write {
    label: String,
    item: BatchItem,
    /// Which record it is for.
    placed: usize,
}

impl Environment {
    /// Writes the rows of `package`. `now` is the moment to which relative dates are moved.
    ///
    /// # Errors
    /// [`EnvironmentError::Missing`] for a table that the environment does not have;
    /// [`EnvironmentError::DataRows`] when rows could not be written (the others were).
    pub fn import_data(
        &self,
        package: &DataPackage,
        now: jiff::Timestamp,
    ) -> Result<DataReport, EnvironmentError> {
        let mut import = Import {
            environment: self,
            package,
            tables: package
                .tables
                .iter()
                .map(|table| self.table(&table.schema.name))
                .collect::<Result<_, _>>()?,
            shift: Shift::new(&package.exported, now),
            ids: HashMap::new(),
            known: HashMap::new(),
            report: DataReport::default(),
            failures: Vec::new(),
        };
        let mut placed = Vec::new();
        for index in 0..package.tables.len() {
            import.write_rows(index, &mut placed)?;
        }
        import.write_lookups(&mut placed)?;
        import.write_states(&mut placed)?;
        import.write_associations()?;
        for row in &placed {
            match (&row.present, row.changed) {
                (None, true) => import.report.created += 1,
                (Some(_), true) => import.report.updated += 1,
                (Some(_), false) => import.report.unchanged += 1,
                // It could not be written and stands among the failures.
                (None, false) => {}
            }
        }
        import.report.warnings.sort();
        import.report.warnings.dedup();
        if import.failures.is_empty() {
            Ok(import.report)
        } else {
            Err(EnvironmentError::DataRows {
                failures: import.failures,
            })
        }
    }
}

struct Import<'a> {
    environment: &'a Environment,
    package: &'a DataPackage,
    tables: Vec<Arc<Table>>,
    shift: Shift,
    /// Table and id in the package → id in the environment, for the rows that are there by now.
    ids: HashMap<(String, Uuid), Uuid>,
    /// Rows outside of the package that lookups point to: found or not.
    known: HashMap<(String, Uuid), Option<Uuid>>,
    report: DataReport,
    failures: Vec<String>,
}

/// What a lookup of a record comes to.
enum Target {
    /// The row is there.
    Row(Uuid),
    /// The row is in the package and comes later.
    Later,
    /// There is no such row.
    Nowhere,
}

impl<'a> Import<'a> {
    /// First pass for one table.
    fn write_rows(
        &mut self,
        index: usize,
        placed: &mut Vec<Placed<'a>>,
    ) -> Result<(), EnvironmentError> {
        let data = &self.package.tables[index];
        let table = self.tables[index].clone();
        let operation = format!("Writing configuration data of {}", data.schema.name);
        self.environment.report(None, &operation);
        let present = Present::read(self.environment, &table, columns_of(data, &table))?;
        let first = placed.len();
        let mut writes = Vec::new();
        for record in &data.records {
            let row = self.find(data, &table, record, &present)?;
            let target = row.as_ref().and_then(|row| guid(row, &table.primary_id));
            if let Some(id) = target {
                self.ids.insert((table.name.clone(), record.id), id);
            }
            let mut good = row.is_none() || !data.schema.skip_update;
            let mut deferred = Vec::new();
            if good {
                match self.body(data, &table, record, row.as_ref(), &mut deferred)? {
                    Err(reason) => {
                        good = false;
                        self.failures
                            .push(format!("{}: {reason}", label(data, record)));
                    }
                    Ok(body) if body.is_empty() && row.is_some() => {}
                    Ok(body) => {
                        let item = self.write_item(data, &table, target, record.id, body)?;
                        writes.push(Write {
                            label: label(data, record),
                            item,
                            placed: placed.len(),
                        });
                    }
                }
            }
            placed.push(Placed {
                table: index,
                record,
                present: row,
                good,
                changed: false,
                deferred,
            });
        }
        let items: Vec<_> = writes.iter().map(|write| write.item.clone()).collect();
        let outcomes = self.environment.batch(&items, &operation)?;
        for (write, outcome) in writes.iter().zip(outcomes) {
            let row = &mut placed[write.placed];
            match outcome {
                Ok(_) => {
                    row.changed = true;
                    let id = (table.name.clone(), row.record.id);
                    self.ids.entry(id).or_insert(row.record.id);
                }
                Err(refusal) => {
                    row.good = false;
                    self.failures.push(format!("{}: {refusal}", write.label));
                }
            }
        }
        self.upload_files(data, &table, &placed[first..])
    }

    /// The row that a record means.
    fn find(
        &mut self,
        data: &TableData,
        table: &Table,
        record: &Record,
        present: &Present<'_>,
    ) -> Result<Option<Row>, EnvironmentError> {
        if let Some(row) = present.by_id(record.id)? {
            return Ok(Some(row));
        }
        if data.schema.force_create {
            return Ok(None);
        }
        let compared: Vec<_> = data
            .schema
            .fields
            .iter()
            .filter(|field| field.compare)
            .collect();
        let mut values = Vec::new();
        for schema in &compared {
            let Some(field) = record.field(&schema.name) else {
                values.push((schema.name.clone(), Value::Null));
                continue;
            };
            if let Some(target) = &field.lookup_table {
                let Target::Row(id) = self.target(field, target)? else {
                    return Ok(None);
                };
                values.push((lookup_column(&schema.name), json!(id)));
            } else {
                let day = table.days.contains(&schema.name);
                match to_json(schema, &field.value, self.shift, day) {
                    Ok(Some(value)) => values.push((schema.name.clone(), value)),
                    _ => return Ok(None),
                }
            }
        }
        if compared.is_empty()
            && let Some(name) = record
                .field(&table.primary_name)
                .filter(|f| !f.value.is_empty())
        {
            values.push((table.primary_name.clone(), name.value.clone().into()));
        }
        present.by_values(&values)
    }

    /// What to write in the first pass; for a row that exists only what differs.
    fn body(
        &mut self,
        data: &TableData,
        table: &Table,
        record: &'a Record,
        present: Option<&Row>,
        deferred: &mut Vec<&'a Field>,
    ) -> Result<Result<Map<String, Value>, String>, EnvironmentError> {
        let mut body = Map::new();
        for field in &record.fields {
            let Some(schema) = data.schema.fields.iter().find(|s| s.name == field.name) else {
                continue;
            };
            if field.name == table.primary_id || is_later_pass(&schema.kind) {
                continue;
            }
            if let Some(target) = &field.lookup_table {
                match self.target(field, target)? {
                    Target::Row(id) => {
                        self.put_lookup(&mut body, table, field, target, id, present)?
                    }
                    Target::Later => deferred.push(field),
                    Target::Nowhere => self.warn_lookup(data, record, field, target),
                }
                continue;
            }
            match to_json(
                schema,
                &field.value,
                self.shift,
                table.days.contains(&field.name),
            ) {
                Err(reason) => return Ok(Err(format!("{}: {reason}", field.name))),
                Ok(None) => self.report.warnings.push(format!(
                    "{}.{}: values of type {} are not written",
                    data.schema.name, field.name, schema.kind
                )),
                Ok(Some(value)) => {
                    let same = present.is_some_and(|row| {
                        row.get(&field.name).is_some_and(|p| is_same(p, &value))
                    });
                    if !same {
                        body.insert(field.name.clone(), value);
                    }
                }
            }
        }
        Ok(Ok(body))
    }

    /// Adds a lookup to a body unless the row has it already.
    fn put_lookup(
        &mut self,
        body: &mut Map<String, Value>,
        table: &Table,
        field: &Field,
        target: &str,
        id: Uuid,
        present: Option<&Row>,
    ) -> Result<(), EnvironmentError> {
        if present.is_some_and(|row| guid(row, &lookup_column(&field.name)) == Some(id)) {
            return Ok(());
        }
        let set = self.environment.table(target)?.set.clone();
        let navigation = match table.lookup(&field.name, target) {
            Some(lookup) => lookup.navigation.as_str(),
            // Owners and customers are not always listed as relationships.
            None => field.name.as_str(),
        };
        let binding = Environment::binding(&set, id)?;
        body.insert(format!("{navigation}@odata.bind"), binding.into());
        Ok(())
    }

    /// Second pass: the lookups that had to wait.
    fn write_lookups(&mut self, placed: &mut [Placed<'a>]) -> Result<(), EnvironmentError> {
        let mut writes = Vec::new();
        for (at, row) in placed.iter().enumerate().filter(|(_, row)| row.good) {
            let data = &self.package.tables[row.table];
            let table = self.tables[row.table].clone();
            let Some(id) = self.id_of(&table, row) else {
                continue;
            };
            let mut body = Map::new();
            for field in &row.deferred {
                let Some(target) = &field.lookup_table else {
                    continue;
                };
                match self.target(field, target)? {
                    Target::Row(found) => {
                        self.put_lookup(
                            &mut body,
                            &table,
                            field,
                            target,
                            found,
                            row.present.as_ref(),
                        )?;
                    }
                    Target::Later | Target::Nowhere => {
                        self.warn_lookup(data, row.record, field, target)
                    }
                }
            }
            if !body.is_empty() {
                let item = self.write_item(data, &table, Some(id), id, body)?;
                writes.push(Write {
                    label: label(data, row.record),
                    item,
                    placed: at,
                });
            }
        }
        self.run_updates(&writes, placed, "Writing lookups of configuration data")
    }

    /// Third pass: states, which can forbid other changes.
    fn write_states(&mut self, placed: &mut [Placed<'a>]) -> Result<(), EnvironmentError> {
        let mut writes = Vec::new();
        for (at, row) in placed.iter().enumerate().filter(|(_, row)| row.good) {
            let data = &self.package.tables[row.table];
            let table = self.tables[row.table].clone();
            let Some(id) = self.id_of(&table, row) else {
                continue;
            };
            let mut body = Map::new();
            for schema in data.schema.fields.iter().filter(|s| is_state(&s.kind)) {
                let Some(value) = row.record.field(&schema.name) else {
                    continue;
                };
                let Ok(value) = value.value.parse::<i64>() else {
                    continue;
                };
                let present = row.present.as_ref().and_then(|row| row.get(&schema.name));
                // A new row begins as active, state 0 with status 1.
                let present =
                    present
                        .and_then(Value::as_i64)
                        .unwrap_or(match schema.kind.as_str() {
                            "state" => 0,
                            _ => 1,
                        });
                if present != value {
                    body.insert(schema.name.clone(), value.into());
                }
            }
            // A status is only taken together with its state.
            if let Some(state) = row
                .record
                .field("statecode")
                .and_then(|f| f.value.parse::<i64>().ok())
                && !body.is_empty()
            {
                body.entry("statecode").or_insert_with(|| state.into());
            }
            if !body.is_empty() {
                let item = self.write_item(data, &table, Some(id), id, body)?;
                writes.push(Write {
                    label: label(data, row.record),
                    item,
                    placed: at,
                });
            }
        }
        self.run_updates(&writes, placed, "Writing states of configuration data")
    }

    /// Last pass: many-to-many associations. A pair that exists is left as it is.
    fn write_associations(&mut self) -> Result<(), EnvironmentError> {
        for (index, data) in self.package.tables.iter().enumerate() {
            let table = self.tables[index].clone();
            for link in &data.links {
                let named = table.associations.iter().find(|association| {
                    association.target == link.target_table
                        && (association
                            .schema_name
                            .eq_ignore_ascii_case(&link.relationship)
                            || association
                                .intersect
                                .eq_ignore_ascii_case(&link.relationship))
                });
                let Some(association) = named else {
                    self.failures.push(format!(
                        "{}: there is no relationship {:?} to {}",
                        table.name, link.relationship, link.target_table
                    ));
                    continue;
                };
                self.associate(&table, association.navigation.clone().as_str(), link)?;
            }
        }
        Ok(())
    }

    fn associate(
        &mut self,
        table: &Table,
        navigation: &str,
        link: &super::package::Link,
    ) -> Result<(), EnvironmentError> {
        let here = self.environment;
        let Some(source) = self.resolve(&table.name, link.source, None)? else {
            self.failures.push(format!(
                "{} {}: the row is missing",
                table.name, link.source
            ));
            return Ok(());
        };
        let target_table = here.table(&link.target_table)?;
        let query = Query::new().select(&[&target_table.primary_id])?;
        let present: HashSet<Uuid> = here
            .related_rows(&table.set, &source.into(), navigation, &query)?
            .iter()
            .filter_map(|row| guid(row, &target_table.primary_id))
            .collect();
        for target in &link.targets {
            match self.resolve(&link.target_table, *target, None)? {
                Some(id) if present.contains(&id) => {}
                Some(id) => {
                    match here.associate(&table.set, source, navigation, &target_table.set, id) {
                        Ok(true) => self.report.associated += 1,
                        Ok(false) => {}
                        Err(error) if error.refusal().is_some() => {
                            self.failures
                                .push(format!("{} {}: {error}", table.name, link.source));
                        }
                        Err(error) => return Err(error),
                    }
                }
                None => self.failures.push(format!(
                    "{} {}: there is no {} {target} to associate",
                    table.name, link.source, link.target_table
                )),
            }
        }
        Ok(())
    }

    /// What the lookup `field` to the table `target` comes to.
    fn target(&mut self, field: &Field, target: &str) -> Result<Target, EnvironmentError> {
        let Ok(wanted) = field.value.parse::<Uuid>() else {
            return Ok(Target::Nowhere);
        };
        if let Some(id) = self.ids.get(&(target.to_owned(), wanted)) {
            return Ok(Target::Row(*id));
        }
        if self.is_in_package(target, wanted) {
            return Ok(Target::Later);
        }
        Ok(
            match self.resolve(target, wanted, field.lookup_name.as_deref())? {
                Some(id) => Target::Row(id),
                None => Target::Nowhere,
            },
        )
    }

    /// The row of the environment for an id of the package: written by this import, or there under
    /// the same id, or the only one with the same name.
    fn resolve(
        &mut self,
        table: &str,
        id: Uuid,
        name: Option<&str>,
    ) -> Result<Option<Uuid>, EnvironmentError> {
        let key = (table.to_owned(), id);
        if let Some(found) = self.ids.get(&key) {
            return Ok(Some(*found));
        }
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let here = self.environment;
        let definition = here.table(table)?;
        let select = Query::new().select(&[&definition.primary_id])?;
        let mut found = here.row(&definition.set, &id.into(), &select)?.map(|_| id);
        if let (None, Some(name)) = (found, name)
            && !definition.primary_name.is_empty()
        {
            let filter = Filter::equals(&definition.primary_name, name)?;
            let rows = here.rows(&definition.set, &select.filter(filter).top(2))?;
            if let [row] = &rows[..] {
                found = guid(row, &definition.primary_id);
            }
        }
        self.known.insert(key, found);
        Ok(found)
    }

    fn is_in_package(&self, table: &str, id: Uuid) -> bool {
        self.package.tables.iter().any(|data| {
            data.schema.name == table && data.records.iter().any(|record| record.id == id)
        })
    }

    /// The id of a record's row in the environment.
    fn id_of(&self, table: &Table, row: &Placed<'_>) -> Option<Uuid> {
        self.ids.get(&(table.name.clone(), row.record.id)).copied()
    }

    fn write_item(
        &self,
        data: &TableData,
        table: &Table,
        target: Option<Uuid>,
        new_id: Uuid,
        mut body: Map<String, Value>,
    ) -> Result<BatchItem, EnvironmentError> {
        let mut headers = HeaderMap::new();
        if data.schema.disable_plugins {
            let name = HeaderName::from_static("mscrm.bypasscustompluginexecution");
            headers.insert(name, HeaderValue::from_static("true"));
        }
        let addresses = self.environment.addresses();
        let (method, url) = match target {
            Some(id) => {
                headers.insert(http::header::IF_MATCH, HeaderValue::from_static("*"));
                (
                    Method::PATCH,
                    addresses.row(&table.set, &id.into(), &Query::new())?,
                )
            }
            None => {
                body.insert(table.primary_id.clone(), json!(new_id));
                (Method::POST, addresses.rows(&table.set, &Query::new())?)
            }
        };
        Ok(BatchItem {
            method,
            url,
            headers,
            body: Some(Value::Object(body)),
        })
    }

    /// Sends the updates of a later pass.
    fn run_updates(
        &mut self,
        writes: &[Write],
        placed: &mut [Placed<'a>],
        operation: &str,
    ) -> Result<(), EnvironmentError> {
        let items: Vec<_> = writes.iter().map(|write| write.item.clone()).collect();
        let outcomes: Vec<BatchOutcome> = self.environment.batch(&items, operation)?;
        for (write, outcome) in writes.iter().zip(outcomes) {
            match outcome {
                Ok(_) => placed[write.placed].changed = true,
                Err(refusal) => self.failures.push(format!("{}: {refusal}", write.label)),
            }
        }
        Ok(())
    }

    /// Uploads the contents of file columns of rows that were written.
    fn upload_files(
        &mut self,
        data: &TableData,
        table: &Table,
        placed: &[Placed<'a>],
    ) -> Result<(), EnvironmentError> {
        for row in placed
            .iter()
            .filter(|row| row.good && row.present.is_none())
        {
            for field in &row.record.fields {
                let is_file = data
                    .schema
                    .fields
                    .iter()
                    .any(|s| s.name == field.name && s.kind == "filedata");
                let Some(id) = self
                    .ids
                    .get(&(table.name.clone(), row.record.id))
                    .filter(|_| is_file)
                else {
                    continue;
                };
                let Some(content) = self
                    .package
                    .files
                    .get(&format!("files/{}.bin", field.value))
                else {
                    self.failures.push(format!(
                        "{}: files/{}.bin is missing",
                        label(data, row.record),
                        field.value
                    ));
                    continue;
                };
                let url = self.environment.addresses().related(
                    &table.set,
                    &(*id).into(),
                    &field.name,
                    &Query::new(),
                )?;
                let mut request = Request::new(Method::PATCH, url);
                request.body = content.clone();
                let octets = HeaderValue::from_static("application/octet-stream");
                request.headers.insert(http::header::CONTENT_TYPE, octets);
                let name = field.file_name.as_deref().unwrap_or("file.bin");
                if let Ok(name) = HeaderValue::from_bytes(name.as_bytes()) {
                    request
                        .headers
                        .insert(HeaderName::from_static("x-ms-file-name"), name);
                }
                match self.environment.call(request) {
                    Ok(_) => {}
                    Err(error) if error.refusal().is_some() => {
                        self.failures
                            .push(format!("{}: {error}", label(data, row.record)));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn warn_lookup(&mut self, data: &TableData, record: &Record, field: &Field, target: &str) {
        let name = field.lookup_name.as_deref().unwrap_or(&field.value);
        self.report.warnings.push(format!(
            "{}: {} is left empty, there is no {target} {name:?}",
            label(data, record),
            field.name
        ));
    }
}

/// The columns that are read to match and compare.
fn columns_of(data: &TableData, table: &Table) -> Vec<String> {
    let mut columns = vec![table.primary_id.clone()];
    if !table.primary_name.is_empty() {
        columns.push(table.primary_name.clone());
    }
    let lookups: HashSet<&str> = data
        .records
        .iter()
        .flat_map(|record| &record.fields)
        .filter(|field| field.lookup_table.is_some())
        .map(|field| field.name.as_str())
        .collect();
    for field in &data.schema.fields {
        let column = match field.kind.as_str() {
            "entityreference" | "lookup" | "customer" | "owner" => lookup_column(&field.name),
            "filedata" | "imagedata" | "partylist" => continue,
            _ if lookups.contains(field.name.as_str()) => lookup_column(&field.name),
            _ => field.name.clone(),
        };
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// The column under which a lookup's id is read.
fn lookup_column(name: &str) -> String {
    format!("_{name}_value")
}

fn is_state(kind: &str) -> bool {
    matches!(kind, "state" | "status")
}

/// Whether values of this type are written after the row itself.
fn is_later_pass(kind: &str) -> bool {
    is_state(kind) || kind == "filedata"
}

fn label(data: &TableData, record: &Record) -> String {
    let name = record
        .field(&data.schema.primary_name)
        .map(|field| field.value.as_str());
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{} {name:?}", data.schema.name),
        None => format!("{} {}", data.schema.name, record.id),
    }
}
