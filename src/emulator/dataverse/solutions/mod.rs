//! What an environment does with solutions: import, export, layers, upgrade, uninstall, publish.
//!
//! It plugs into the Web API as an [`Extension`]: actions and functions by name, virtual tables,
//! and reactions to rows that makers write. [`record`] is the truth about components and their
//! layers; [`rows`] turns them into rows of ordinary tables and back; [`jobs`] does long work
//! bit by bit. Packages are taken apart and written by [`crate::solution::component`].
//!
//! Semantics: facts/dataverse-web-api.md, sections 3 to 5.

mod actions;
mod checks;
mod dependencies;
mod export;
mod history;
mod import;
mod install;
mod jobs;
mod listing;
mod maker;
mod membership;
mod missing;
mod parameters;
mod place;
mod publish;
mod record;
mod remove;
mod report;
mod rewrite;
mod rows;
mod stage;
mod state;
mod tables;
mod template;
mod upgrade;

use std::sync::Arc;

use uuid::Uuid;

use super::catalogue::Table;
use super::extension::{Deletion, Extension, Operation};
use super::odata::Query;
use super::row::text;
use super::{Row, ServiceError, Session};

/// The solution lifecycle.
pub struct Solutions;

impl Extension for Solutions {
    fn advance(&self, session: &Session<'_>) -> Result<(), ServiceError> {
        jobs::advance(session)
    }

    fn operation(&self, name: &str) -> Option<Operation> {
        actions::operation(name)
            .or_else(|| stage::operation(name))
            .or_else(|| publish::operation(name))
            .or_else(|| dependencies::operation(name))
            .or_else(|| report::operation(name))
            .or_else(|| membership::operation(name))
    }

    fn virtual_rows(
        &self,
        session: &Session<'_>,
        table: &Table,
        query: &Query,
    ) -> Result<Option<Vec<Row>>, ServiceError> {
        listing::rows_of(session, &table.name, query)
    }

    fn writing(
        &self,
        session: &Session<'_>,
        table: &Arc<Table>,
        old: Option<&Row>,
        changes: &mut Row,
    ) -> Result<(), ServiceError> {
        maker::writing(session, table, old, changes)
    }

    fn written(
        &self,
        session: &Session<'_>,
        table: &Arc<Table>,
        id: Uuid,
        old: Option<&Row>,
        new: &Row,
    ) -> Result<(), ServiceError> {
        maker::written(session, table, id, old, new)
    }

    fn deleting(
        &self,
        session: &Session<'_>,
        table: &Arc<Table>,
        id: Uuid,
        row: &Row,
    ) -> Result<Deletion, ServiceError> {
        if table.name == "solution" {
            jobs::free_for(session, "Uninstall")?;
            install::uninstall(session, row)?;
            return Ok(Deletion::Done);
        }
        maker::deleting(session, table, id, row)?;
        Ok(Deletion::Ordinary)
    }
}

/// Whether a solution came with the environment: System, Active, Default and the like.
fn is_builtin(solution: &Row) -> bool {
    const NAMES: [&str; 4] = ["System", "Active", "Default", "Basic"];
    let name = text(solution, "uniquename").unwrap_or_default();
    let id = text(solution, "solutionid").unwrap_or_default();
    NAMES.contains(&name) || id == "00000001-0000-0000-0001-00000000009b"
}
