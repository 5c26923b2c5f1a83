//! `statecode` and `statuscode`, which change together.

use serde_json::Value;

use crate::emulator::dataverse::catalogue::{ColumnKind, Table};
use crate::emulator::dataverse::row::{self, Row};

/// Gives the one of the two that a caller left out the value that goes with the other.
pub(super) fn complete(table: &Table, values: &mut Row) {
    let pairs = pairs(table);
    let state = row::number(values, "statecode");
    let status = row::number(values, "statuscode");
    let (name, found) = match (state, status) {
        (Some(state), None) => (
            "statuscode",
            pairs.iter().find(|(it, _)| *it == state).map(|(_, it)| *it),
        ),
        (None, Some(status)) => (
            "statecode",
            pairs
                .iter()
                .find(|(_, it)| *it == status)
                .map(|(it, _)| *it),
        ),
        _ => return,
    };
    if let Some(value) = found {
        values.insert(name.into(), Value::from(value));
    }
}

/// Which status belongs to which state; the first of a state is its default.
fn pairs(table: &Table) -> Vec<(i64, i64)> {
    match table.name.as_str() {
        "asyncoperation" => {
            vec![
                (0, 0),
                (1, 10),
                (2, 20),
                (2, 21),
                (2, 22),
                (3, 30),
                (3, 31),
                (3, 32),
            ]
        }
        "duplicaterule" => vec![(0, 0), (0, 1), (1, 2)],
        "task" => vec![(0, 2), (0, 3), (0, 4), (0, 7), (1, 5), (2, 6)],
        "msdyn_aimodel" => vec![(0, 0), (1, 1)],
        "appmodule" => vec![(0, 1), (1, 2), (1, 3)],
        // Everywhere else the states and their only statuses are counted alike, from 0 and from 1.
        _ => {
            let Some(column) = table.column("statecode") else {
                return Vec::new();
            };
            let ColumnKind::Choice(states) = &column.kind else {
                return Vec::new();
            };
            states
                .iter()
                .map(|state| (state.value, state.value + 1))
                .collect()
        }
    }
}
