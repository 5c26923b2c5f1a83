//! Tables for people, and the same rows as JSON objects for programs.

use comfy_table::{ContentArrangement, presets};
use serde_json::{Map, Value};

use super::Output;

/// A table with a heading per column. Cells are JSON values: programs get them as they are, people
/// see their text.
#[derive(Debug)]
pub struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// An empty table with these columns. A column's name is also its key in JSON.
    pub fn new<const N: usize>(columns: [&'static str; N]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it has as many cells as the table has columns.
    pub fn row<const N: usize>(&mut self, cells: [Value; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row has a cell for every column");
        self.rows.push(cells.to_vec());
    }

    /// Writes the table, or `empty` when it has no rows.
    pub fn write(&self, output: Output, empty: &str) {
        if output.json() {
            for row in &self.rows {
                let keys = self.columns.iter().map(|&column| column.replace(' ', "_"));
                let object: Map<String, Value> = keys.zip(row.iter().cloned()).collect();
                output.object(&Value::Object(object));
            }
            return;
        }
        if self.rows.is_empty() {
            return output.note(empty);
        }
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        // Without a terminal the width is unknown; rows then stay whole, one line each.
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|column| column.to_uppercase()));
        for row in &self.rows {
            table.add_row(row.iter().map(text));
        }
        let columns = self.columns.len();
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if index + 1 == columns { 0 } else { 2 }));
        }
        for line in table.to_string().lines() {
            output.line(line.trim_end());
        }
    }
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(items) if items.is_empty() => "-".into(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
