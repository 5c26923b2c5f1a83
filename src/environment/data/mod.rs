//! Configuration data: the rows that a solution needs, in the Configuration Migration format
//! (Dataverse Web API notes, 7).
//!
//! [`DataPackage`] reads the format; `Environment::import_data` writes its rows. Rows are created
//! or updated, never deleted.

mod dates;
mod import;
mod matching;
mod package;
mod value;

pub use import::DataReport;
pub use package::{
    DataPackage, DateMode, Field, FieldSchema, Link, Record, TableData, TableSchema,
};
