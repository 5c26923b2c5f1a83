//! Tables that come with solutions: their definitions in the environment's catalogue.
//!
//! What callers can read and write is rebuilt from the components in effect whenever a table, a
//! column, a choice or a relationship of it came, changed or went.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::Node;

use super::record::{Record, Records};
use crate::emulator::dataverse::catalogue::{
    self, AlternateKey, Choice, Column, ColumnKind, LookupTarget, ManyToMany, Ownership, Table,
};
use crate::emulator::dataverse::{ServiceError, Session};
use crate::solution::component::fragment::{Wrapped, child, elements, top, value};
use crate::solution::component::{ComponentType, Identity, Place, code};

/// The first object type code of tables that come with solutions.
const FIRST_CODE: i64 = 10_500;

/// The tables whose definitions a change of these components touches.
pub(super) fn touched<'a>(
    session: &Session<'_>,
    records: &Records,
    identities: impl Iterator<Item = &'a Identity>,
) -> Result<BTreeSet<String>, ServiceError> {
    let mut tables = BTreeSet::new();
    for identity in identities {
        match identity.component_type.code() {
            Some(code::TABLE) => {
                tables.insert(identity.key.clone());
            }
            Some(code::COLUMN) => {
                tables.extend(
                    identity
                        .key
                        .split_once('.')
                        .map(|(table, _)| table.to_owned()),
                );
            }
            Some(code::RELATIONSHIP) => {
                if let Some(record) = records.get(identity)
                    && let Some(text) = text_of(session, record)?
                {
                    read(&text, |node| {
                        if let Some(name) = value(node, "ReferencingEntityName") {
                            tables.insert(name.to_ascii_lowercase());
                        }
                    });
                }
            }
            _ => {}
        }
    }
    Ok(tables)
}

/// Rebuilds the definitions of `tables`. A table without a record any more is forgotten with its
/// rows; one that is standard loses what solutions added to it.
pub(super) fn rebuild(
    session: &Session<'_>,
    records: &Records,
    tables: &BTreeSet<String>,
) -> Result<(), ServiceError> {
    if tables.is_empty() {
        return Ok(());
    }
    let parts = Parts::read(session, records)?;
    for name in tables {
        let table = Identity::table(name);
        match records.get(&table) {
            Some(record) => {
                if let Some(built) = parts.table(session, name, record)? {
                    catalogue::register(session.tx, session.scope(), &built)?;
                }
            }
            None => catalogue::unregister(session.tx, session.scope(), name)?,
        }
    }
    session.catalogue_changed();
    Ok(())
}

/// Registers the N:N relationship that `record` defines, if it is one.
pub(super) fn relate(session: &Session<'_>, record: &Record) -> Result<(), ServiceError> {
    let Some(text) = text_of(session, record)? else {
        return Ok(());
    };
    let relationship = read(&text, |node| {
        let first = value(node, "FirstEntityName")?.to_ascii_lowercase();
        let second = value(node, "SecondEntityName")?.to_ascii_lowercase();
        let name = node.attribute("Name")?.to_owned();
        let intersect = value(node, "IntersectEntityName")
            .unwrap_or(&name)
            .to_ascii_lowercase();
        let navigation = |number: &str| {
            let roles = child(node, "EntityRelationshipRoles")?;
            let role = elements(roles)
                .find(|role| value(*role, "RelationshipRoleType") == Some(number))?;
            value(role, "NavigationPropertyName").map(str::to_owned)
        };
        // A table related to itself needs two names for its two columns.
        let (left, right) = if first == second {
            (format!("{first}idone"), format!("{first}idtwo"))
        } else {
            (format!("{first}id"), format!("{second}id"))
        };
        Some(ManyToMany {
            left_navigation: navigation("0").unwrap_or_else(|| name.clone()),
            right_navigation: navigation("1").unwrap_or_else(|| name.clone()),
            left_column: left,
            right_column: right,
            set: format!("{intersect}set"),
            left: first,
            right: second,
            intersect,
            name,
        })
    });
    if let Some(relationship) = relationship.flatten() {
        catalogue::register_relationship(session.tx, session.scope(), &relationship)?;
        session.catalogue_changed();
    }
    Ok(())
}

/// Forgets the N:N relationship called like `record`, if there is one.
pub(super) fn unrelate(session: &Session<'_>, record: &Record) -> Result<(), ServiceError> {
    let name = record.schema_name().unwrap_or(&record.identity.key);
    if session
        .catalogue()?
        .relationships()
        .any(|known| known.name == name)
    {
        catalogue::unregister_relationship(session.tx, session.scope(), name)?;
        session.catalogue_changed();
    }
    Ok(())
}

/// Takes the values of a column out of all rows of its table.
pub(super) fn clear_column(session: &Session<'_>, identity: &Identity) -> Result<(), ServiceError> {
    let Some((table, column)) = identity.key.split_once('.') else {
        return Ok(());
    };
    let Ok(definition) = session.table(table) else {
        return Ok(());
    };
    let Some(found) = definition.column(column) else {
        return Ok(());
    };
    let property = found.property();
    for row in session.rows(table)? {
        if row.contains_key(&property)
            && let Some(id) = crate::emulator::dataverse::row::id(&row, &definition.key)
        {
            let mut changes = crate::emulator::dataverse::Row::new();
            changes.insert(property.clone(), serde_json::Value::Null);
            session.update(table, id, changes)?;
        }
    }
    Ok(())
}

fn text_of(session: &Session<'_>, record: &Record) -> Result<Option<String>, ServiceError> {
    let Some(definition) = record.effective() else {
        return Ok(None);
    };
    let bytes = session.tx.get_blob(&definition.fragment)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn read<T>(text: &str, look: impl FnOnce(Node<'_, '_>) -> T) -> Option<T> {
    let wrapped = Wrapped::new(text);
    let document = wrapped.document().ok()?;
    top(&document).map(look)
}

/// What tables are made of, read once.
struct Parts {
    columns: BTreeMap<String, Vec<String>>,
    choices: BTreeMap<String, Vec<Choice>>,
    /// By table and column: where its lookup leads.
    lookups: BTreeMap<(String, String), Vec<LookupTarget>>,
}

impl Parts {
    fn read(session: &Session<'_>, records: &Records) -> Result<Self, ServiceError> {
        let mut parts = Self {
            columns: BTreeMap::new(),
            choices: BTreeMap::new(),
            lookups: BTreeMap::new(),
        };
        for record in records.iter() {
            let ComponentType::Code(number) = record.identity.component_type else {
                continue;
            };
            if ![code::COLUMN, code::OPTION_SET, code::RELATIONSHIP].contains(&number) {
                continue;
            }
            let Some(text) = text_of(session, record)? else {
                continue;
            };
            match number {
                code::COLUMN => {
                    let table = record.parent.as_ref().map_or("", |table| &table.key);
                    parts
                        .columns
                        .entry(table.to_owned())
                        .or_default()
                        .push(text);
                }
                code::OPTION_SET => {
                    let found = read(&text, choices).unwrap_or_default();
                    parts.choices.insert(record.identity.key.clone(), found);
                }
                _ => {
                    if let Some((key, target)) = read(&text, lookup).flatten() {
                        parts.lookups.entry(key).or_default().push(target);
                    }
                }
            }
        }
        Ok(parts)
    }

    fn table(
        &self,
        session: &Session<'_>,
        name: &str,
        record: &Record,
    ) -> Result<Option<Table>, ServiceError> {
        let catalogue = session.catalogue()?;
        let stored = catalogue::registered(session.tx, session.scope(), name)?;
        let text = text_of(session, record)?.unwrap_or_default();
        let standard = catalogue
            .table(name)
            .filter(|table| !table.is_custom)
            .cloned();
        let described = read(&text, |node| describe(name, node)).flatten();
        let mut table = match (described, standard) {
            (_, Some(standard)) => Table {
                columns: Vec::new(),
                ..Table::clone(&standard)
            },
            (Some(described), None) => described,
            // A shell of a table that this environment does not know: its forms are kept, its
            // rows cannot be.
            (None, None) => match stored {
                Some(stored) => return Ok(Some(stored)),
                None => return Ok(None),
            },
        };
        if table.is_custom {
            if let Some(key) = self.key(name) {
                table.columns.retain(|column| column.name != table.key);
                table
                    .columns
                    .insert(0, Column::new(&key, ColumnKind::Guid).create_only());
                table.key = key;
            }
            table.is_managed = record.is_managed();
            table.object_type_code = match stored {
                Some(stored) => stored.object_type_code,
                None => FIRST_CODE + session.tx.next(&format!("otc:{}", session.scope()))?,
            };
            if let Some(definition) = record.effective() {
                table.display_name = definition.display_name.clone();
            }
        }
        for text in self.columns.get(name).into_iter().flatten() {
            let column = read(text, |node| self.column(name, &mut table, node)).flatten();
            if let Some(column) = column {
                // Every table has these; the definition adds nothing to them.
                table.add(column);
            }
        }
        Ok(Some(table))
    }

    /// The key column that the table's definition names. Process tables call it in their own way.
    fn key(&self, table: &str) -> Option<String> {
        let columns = self.columns.get(table)?;
        let is_key = |node: Node<'_, '_>| {
            (value(node, "Type") == Some("primarykey"))
                .then(|| value(node, "LogicalName").map(str::to_ascii_lowercase))
                .flatten()
        };
        columns.iter().find_map(|text| read(text, is_key).flatten())
    }

    fn column(&self, table_name: &str, table: &mut Table, node: Node<'_, '_>) -> Option<Column> {
        let name = value(node, "LogicalName")?.to_ascii_lowercase();
        let kind_name = value(node, "Type")?.to_ascii_lowercase();
        let length = || value(node, "MaxLength").and_then(|length| length.parse().ok());
        let kind = match kind_name.as_str() {
            "nvarchar" | "varchar" | "text" => ColumnKind::Text(length().unwrap_or(4000)),
            "ntext" | "memo" => ColumnKind::Memo(length().unwrap_or(1_048_576)),
            "int" => ColumnKind::Integer,
            "bigint" => ColumnKind::BigInteger,
            "decimal" => ColumnKind::Decimal,
            "float" => ColumnKind::Double,
            "money" => ColumnKind::Money,
            "bit" => ColumnKind::Boolean,
            "datetime" => match value(node, "Format") {
                Some("date") if value(node, "Behavior") != Some("1") => ColumnKind::Date,
                _ => ColumnKind::DateTime,
            },
            "uniqueidentifier" | "primarykey" => ColumnKind::Guid,
            "picklist" | "state" | "status" => ColumnKind::Choice(self.options(node)),
            "multiselectpicklist" => ColumnKind::MultiChoice(self.options(node)),
            "file" => ColumnKind::File,
            "image" => ColumnKind::Image,
            "lookup" | "customer" | "owner" | "partylist" => {
                let key = (table_name.to_owned(), name.clone());
                let targets = self.lookups.get(&key)?.clone();
                ColumnKind::Lookup(targets)
            }
            _ => return None,
        };
        let schema = node.attribute("PhysicalName").unwrap_or(&name);
        let mut column = Column::new(schema, kind);
        column.name = name;
        if let Some(label) = value(node, "displaynames/displayname/@description") {
            column.display_name = label.to_owned();
        }
        column.on_create = value(node, "ValidForCreateApi") != Some("0");
        column.on_update = value(node, "ValidForUpdateApi") != Some("0");
        // The level `required` binds forms only; the Web API creates rows without such columns.
        column.default = default_value(node, &column.kind, &kind_name);
        if value(node, "DisplayMask").is_some_and(|mask| mask.contains("PrimaryName")) {
            table.primary_name = Some(column.name.clone());
        }
        Some(column)
    }

    fn options(&self, node: Node<'_, '_>) -> Vec<Choice> {
        if let Some(inner) = child(node, "optionset") {
            return choices(inner);
        }
        let name = value(node, "OptionSetName")
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.choices.get(&name).cloned().unwrap_or_default()
    }
}

fn default_value(
    node: Node<'_, '_>,
    kind: &ColumnKind,
    kind_name: &str,
) -> Option<serde_json::Value> {
    match (kind, kind_name) {
        // New rows are active, with the first status of that state.
        (ColumnKind::Choice(_), "state") => Some(0.into()),
        (ColumnKind::Choice(options), "status") => options.first().map(|first| first.value.into()),
        (ColumnKind::Boolean, _) => Some((value(node, "AppDefaultValue") == Some("1")).into()),
        (ColumnKind::Choice(_), _) => {
            let given: i64 = value(node, "AppDefaultValue")?.parse().ok()?;
            (given >= 0).then(|| given.into())
        }
        _ => None,
    }
}

/// The options of an `optionset` element, whatever they are called.
fn choices(node: Node<'_, '_>) -> Vec<Choice> {
    node.descendants()
        .filter(|option| {
            ["option", "status", "state"].contains(&option.tag_name().name())
                && option.attribute("value").is_some()
        })
        .filter_map(|option| {
            Some(Choice {
                value: option.attribute("value")?.parse().ok()?,
                label: value(option, "labels/label/@description")
                    .unwrap_or_default()
                    .to_owned(),
            })
        })
        .collect()
}

/// A 1:N relationship as the lookup that it makes: the table and column, and where it leads.
fn lookup(node: Node<'_, '_>) -> Option<((String, String), LookupTarget)> {
    let table = value(node, "ReferencingEntityName")?.to_ascii_lowercase();
    let column = value(node, "ReferencingAttributeName")?.to_ascii_lowercase();
    let target = value(node, "ReferencedEntityName")?.to_ascii_lowercase();
    let name = node.attribute("Name")?;
    let roles = child(node, "EntityRelationshipRoles")
        .into_iter()
        .flat_map(elements);
    let navigation = roles
        .filter(|role| value(*role, "RelationshipRoleType") == Some("1"))
        .find_map(|role| value(role, "NavigationPropertyName"));
    // Older exports leave it out; then it is called like the column.
    let navigation = navigation.unwrap_or(&column).to_owned();
    let target = LookupTarget::new(&target, &navigation, name);
    Some(((table, column), target))
}

/// The table that an `Entity` element defines; `None` when it is only a shell.
fn describe(name: &str, node: Node<'_, '_>) -> Option<Table> {
    let entity = child(child(node, "EntityInfo")?, "entity")?;
    if entity.attribute("unmodified") == Some("1") {
        return None;
    }
    let set = value(entity, "EntitySetName").filter(|set| !set.is_empty());
    let ownership = match value(entity, "OwnershipTypeMask").unwrap_or_default() {
        "UserOwned" | "TeamOwned" => Ownership::User,
        "BusinessOwned" => Ownership::BusinessUnit,
        "None" => Ownership::None,
        _ => Ownership::Organization,
    };
    let key = format!("{name}id");
    let schema = value(node, "Name").unwrap_or(name);
    let set = set.map_or_else(|| format!("{name}s"), str::to_owned);
    let mut table = Table::new(schema, &set, &key, ownership);
    table.is_custom = true;
    table.is_customizable = true;
    let label = value(
        entity,
        "LocalizedCollectionNames/LocalizedCollectionName/@description",
    );
    table.collection_name = label.unwrap_or(&set).to_owned();
    let keys = child(entity, "EntityKeys").into_iter().flat_map(elements);
    table.alternate_keys = keys
        .filter_map(|key| {
            let columns = child(key, "EntityKeyAttributes")
                .into_iter()
                .flat_map(elements);
            Some(AlternateKey {
                name: value(key, "LogicalName")
                    .or(value(key, "Name"))?
                    .to_ascii_lowercase(),
                columns: columns
                    .filter_map(|column| column.text().map(str::to_owned))
                    .collect(),
            })
        })
        .collect();
    Some(table)
}

/// Whether `place` is inside a table.
pub(super) fn is_part(place: &Place) -> bool {
    matches!(place, Place::Table { .. })
}
