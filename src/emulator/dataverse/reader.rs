//! Rows as a query sees them: loaded once per request, found by id and by lookup without a search.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::catalogue::{Catalogue, Column, LookupTarget, Table};
use super::extension::EXTENSIONS;
use super::failure::ServiceError;
use super::odata::Query;
use super::row::{self, Row};
use super::session::Session;

/// The rows that one request reads.
pub(super) struct Reader<'s, 'a> {
    pub(super) session: &'s Session<'a>,
    pub(super) catalogue: Arc<Catalogue>,
    loaded: RefCell<HashMap<String, Rc<Loaded>>>,
    /// How many single rows of a table were read without loading it.
    singles: RefCell<HashMap<String, usize>>,
}

/// After so many single reads of one table it is cheaper to load it.
const MOST_SINGLES: usize = 16;

struct Loaded {
    rows: Vec<Row>,
    by_id: HashMap<String, usize>,
    /// For each property that was asked for: the rows by its value.
    by_value: RefCell<HashMap<String, Rc<Index>>>,
}

/// Related rows and their table.
pub(super) type Related = (Arc<Table>, Vec<Row>);

type Index = HashMap<String, Vec<usize>>;

impl<'s, 'a> Reader<'s, 'a> {
    pub(super) fn new(session: &'s Session<'a>) -> Result<Self, ServiceError> {
        let catalogue = session.catalogue()?;
        let (loaded, singles) = (RefCell::default(), RefCell::default());
        Ok(Self {
            session,
            catalogue,
            loaded,
            singles,
        })
    }

    /// All rows of `table`; those of a virtual table are computed for `query`.
    pub(super) fn all(&self, table: &Arc<Table>, query: &Query) -> Result<Vec<Row>, ServiceError> {
        if table.is_virtual {
            for extension in EXTENSIONS {
                if let Some(rows) = extension.virtual_rows(self.session, table, query)? {
                    return Ok(rows);
                }
            }
            return Err(ServiceError::not_emulated(format_args!(
                "the table {}",
                table.name
            )));
        }
        self.session.rows(&table.name)
    }

    /// The row of `table` with this id.
    pub(super) fn by_id(&self, table: &str, id: &str) -> Result<Option<Row>, ServiceError> {
        if !self.loaded.borrow().contains_key(table)
            && let Ok(id) = Uuid::parse_str(id)
            && !self.session.table(table)?.is_virtual
        {
            let mut singles = self.singles.borrow_mut();
            let count = singles.entry(table.to_owned()).or_default();
            *count += 1;
            if *count < MOST_SINGLES {
                return self.session.row(table, id);
            }
        }
        let loaded = self.load(table)?;
        let id = id.to_lowercase();
        Ok(loaded.by_id.get(&id).map(|at| loaded.rows[*at].clone()))
    }

    /// The table that a collection-valued navigation property of `table` leads to.
    pub(super) fn collection_table(
        &self,
        table: &Table,
        navigation: &str,
    ) -> Result<Option<Arc<Table>>, ServiceError> {
        if let Some((relationship, is_left)) = self.catalogue.many_to_many(&table.name, navigation)
        {
            let other = if is_left {
                &relationship.right
            } else {
                &relationship.left
            };
            return self.session.table(other).map(Some);
        }
        Ok(self
            .catalogue
            .one_to_many(&table.name, navigation)
            .map(|(other, _)| other.clone()))
    }

    /// The rows that `row` of `table` reaches through a collection-valued navigation property, and
    /// their table; `None` when there is no such property.
    pub(super) fn related(
        &self,
        table: &Table,
        row: &Row,
        navigation: &str,
    ) -> Result<Option<Related>, ServiceError> {
        let Some(id) = row::id(row, &table.key).map(|id| id.to_string()) else {
            return Ok(None);
        };
        if let Some((relationship, is_left)) = self.catalogue.many_to_many(&table.name, navigation)
        {
            let (near, far, other) = match is_left {
                true => (
                    &relationship.left_column,
                    &relationship.right_column,
                    &relationship.right,
                ),
                false => (
                    &relationship.right_column,
                    &relationship.left_column,
                    &relationship.left,
                ),
            };
            let pairs = self.with_value(&relationship.intersect, near, &id)?;
            let mut found = Vec::new();
            for pair in pairs {
                if let Some(far) = row::text(&pair, far)
                    && let Some(row) = self.by_id(other, far)?
                {
                    found.push(row);
                }
            }
            return Ok(Some((self.session.table(other)?, found)));
        }
        let Some((other, column)) = self.catalogue.one_to_many(&table.name, navigation) else {
            return Ok(None);
        };
        let mut rows = self.with_value(&other.name, &column.property(), &id)?;
        if column.targets().len() > 1 {
            rows.retain(|row| {
                row::lookup_table(row, &column.name).is_none_or(|name| name == table.name)
            });
        }
        Ok(Some((other.clone(), rows)))
    }

    /// The row that the lookup `column` of `row` points to, with its table.
    pub(super) fn target(
        &self,
        row: &Row,
        column: &Column,
    ) -> Result<Option<(Arc<Table>, Row)>, ServiceError> {
        let Some(id) = row::id(row, &column.property()) else {
            return Ok(None);
        };
        let Some(name) = self.target_table(row, column, id)? else {
            return Ok(None);
        };
        let found = self.by_id(&name, &id.to_string())?;
        Ok(match found {
            Some(found) => Some((self.session.table(&name)?, found)),
            None => None,
        })
    }

    /// The logical name of the table that the lookup `column` of `row` points to.
    pub(super) fn target_table(
        &self,
        row: &Row,
        column: &Column,
        id: Uuid,
    ) -> Result<Option<String>, ServiceError> {
        if let Some(name) = row::lookup_table(row, &column.name) {
            return Ok(Some(name.to_owned()));
        }
        if let [only] = column.targets()
            && only.table != "principal"
        {
            return Ok(Some(only.table.clone()));
        }
        for name in column.targets().iter().flat_map(possible_tables) {
            if self.by_id(name, &id.to_string())?.is_some() {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }

    /// The rows of `table` whose `property` has this value.
    pub(super) fn with_value(
        &self,
        table: &str,
        property: &str,
        value: &str,
    ) -> Result<Vec<Row>, ServiceError> {
        let loaded = self.load(table)?;
        let there = loaded.by_value.borrow().get(property).cloned();
        let index = match there {
            Some(index) => index,
            None => {
                let mut index = Index::new();
                for (at, row) in loaded.rows.iter().enumerate() {
                    if let Some(text) = row::text(row, property) {
                        index.entry(text.to_lowercase()).or_default().push(at);
                    }
                }
                let index = Rc::new(index);
                loaded
                    .by_value
                    .borrow_mut()
                    .insert(property.to_owned(), index.clone());
                index
            }
        };
        let places = index
            .get(&value.to_lowercase())
            .map(Vec::as_slice)
            .unwrap_or_default();
        Ok(places.iter().map(|at| loaded.rows[*at].clone()).collect())
    }

    fn load(&self, table: &str) -> Result<Rc<Loaded>, ServiceError> {
        if let Some(loaded) = self.loaded.borrow().get(table) {
            return Ok(loaded.clone());
        }
        let definition = self.session.table(table)?;
        let rows = self.all(&definition, &Query::default())?;
        let key = |row: &Row| {
            row.get(&definition.key)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let by_id = rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some((key(row)?, at)))
            .collect();
        let loaded = Rc::new(Loaded {
            rows,
            by_id,
            by_value: RefCell::default(),
        });
        self.loaded
            .borrow_mut()
            .insert(table.to_owned(), loaded.clone());
        Ok(loaded)
    }
}

/// The tables in which a lookup's target may be.
pub(super) fn possible_tables(target: &LookupTarget) -> Vec<&str> {
    match target.table.as_str() {
        "principal" => vec!["systemuser", "team"],
        other => vec![other],
    }
}
