//! Reading `data_schema.xml` and `data.xml` (Dataverse Web API notes, 7.1 to 7.3).

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use roxmltree::{Document, Node};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::EnvironmentError;

/// The largest file that is read from a package, in bytes.
const LARGEST_FILE: u64 = 512 << 20;

/// A configuration data package in memory.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataPackage {
    /// When the data was exported, as written; empty when the package does not tell.
    pub exported: String,
    /// The tables with their rows, in the order in which they are imported.
    pub tables: Vec<TableData>,
    /// The contents of file columns by the name of their file, such as `files/<id>.bin`.
    #[serde(with = "files_as_base64")]
    pub files: BTreeMap<String, Vec<u8>>,
}

/// One table of a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableData {
    /// How its rows are to be written.
    pub schema: TableSchema,
    /// Its rows.
    pub records: Vec<Record>,
    /// Its many-to-many associations.
    pub links: Vec<Link>,
}

/// How the rows of a table are matched and written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSchema {
    /// The logical name.
    pub name: String,
    /// The primary key column.
    pub primary_id: String,
    /// The primary name column.
    pub primary_name: String,
    /// Custom plug-ins are not run for these writes.
    pub disable_plugins: bool,
    /// Rows that exist are left as they are.
    pub skip_update: bool,
    /// Rows are never matched by their values.
    pub force_create: bool,
    /// The columns.
    pub fields: Vec<FieldSchema>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldSchema {
    /// The logical name.
    pub name: String,
    /// The type's name in the format, in lower case.
    pub kind: String,
    /// Rows are matched by this column.
    pub compare: bool,
    /// How dates of this column are moved.
    pub dates: DateMode,
}

/// Whether dates move with the time between export and import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DateMode {
    /// As exported.
    #[default]
    Absolute,
    /// Moved by the time since the export.
    Relative,
    /// Moved by the whole days since the export.
    RelativeDaily,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The row's id where it was exported.
    pub id: Uuid,
    /// Its values.
    pub fields: Vec<Field>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The column.
    pub name: String,
    /// The value as written.
    pub value: String,
    /// For a lookup: the table that it points to.
    pub lookup_table: Option<String>,
    /// For a lookup: the name of the row that it points to.
    pub lookup_name: Option<String>,
    /// For a file: its name.
    pub file_name: Option<String>,
}

/// Associations of one row through one many-to-many relationship.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The row of this table.
    pub source: Uuid,
    /// The other table.
    pub target_table: String,
    /// The relationship: its schema name or the name of the table between.
    pub relationship: String,
    /// The rows of the other table.
    pub targets: Vec<Uuid>,
}

impl Record {
    /// The value of a column.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl DataPackage {
    /// Reads a zip archive.
    ///
    /// # Errors
    /// [`EnvironmentError::DataPackage`] names the file and what is wrong with it.
    pub fn from_zip(bytes: &[u8]) -> Result<Self, EnvironmentError> {
        let unreadable = |error: zip::result::ZipError| broken("the archive", &error.to_string());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
        let mut files = BTreeMap::new();
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(unreadable)?;
            if entry.is_dir() {
                continue;
            }
            let name = entry.name().map_err(unreadable)?.replace('\\', "/");
            let mut content = Vec::new();
            let read = entry.take(LARGEST_FILE + 1).read_to_end(&mut content);
            read.map_err(|error| broken(&name, &error.to_string()))?;
            if content.len() as u64 > LARGEST_FILE {
                return Err(broken(&name, "the file is larger than 512 MB"));
            }
            files.insert(name, content);
        }
        Self::from_files(files)
    }

    /// Reads the files of an unpacked archive, by their path with `/`.
    ///
    /// # Errors
    /// [`EnvironmentError::DataPackage`] names the file and what is wrong with it.
    pub fn from_files(mut files: BTreeMap<String, Vec<u8>>) -> Result<Self, EnvironmentError> {
        let mut take = |name: &str| {
            let key = files
                .keys()
                .find(|key| key.eq_ignore_ascii_case(name))
                .cloned();
            key.and_then(|key| files.remove(&key))
                .ok_or_else(|| broken(name, "the file is missing"))
        };
        let schema = take("data_schema.xml")?;
        let data = take("data.xml")?;
        let schema = text_of("data_schema.xml", &schema)?;
        let data = text_of("data.xml", &data)?;
        let schema = parse("data_schema.xml", &schema)?;
        let data = parse("data.xml", &data)?;
        let mut package = Self {
            exported: data
                .root_element()
                .attribute("timestamp")
                .unwrap_or_default()
                .to_owned(),
            tables: read_schema(schema.root_element())?,
            files,
        };
        for entity in children(data.root_element(), "entity") {
            let name = required(entity, "name", "data.xml")?;
            let table = package
                .tables
                .iter_mut()
                .find(|table| table.schema.name == name);
            let Some(table) = table else {
                return Err(at(
                    entity,
                    "data.xml",
                    &format!("table {name:?} is not in data_schema.xml"),
                ));
            };
            for records in children(entity, "records") {
                for record in children(records, "record") {
                    table.records.push(read_record(record)?);
                }
            }
            for links in children(entity, "m2mrelationships") {
                for link in children(links, "m2mrelationship") {
                    table.links.push(read_link(link)?);
                }
            }
        }
        Ok(package)
    }
}

/// File contents as text, for keeping a package as JSON.
mod files_as_base64 {
    use std::collections::BTreeMap;

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        files: &BTreeMap<String, Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            files
                .iter()
                .map(|(name, content)| (name, BASE64_STANDARD.encode(content))),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Vec<u8>>, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let decode = |(name, text)| {
            let content = BASE64_STANDARD
                .decode::<String>(text)
                .map_err(D::Error::custom)?;
            Ok((name, content))
        };
        texts.into_iter().map(decode).collect()
    }
}

fn read_schema(root: Node<'_, '_>) -> Result<Vec<TableData>, EnvironmentError> {
    const FILE: &str = "data_schema.xml";
    let mode = date_mode(root.attribute("dateMode"), DateMode::Absolute);
    let mut tables = Vec::new();
    for entity in children(root, "entity") {
        let flag = |name: &str| matches!(entity.attribute(name), Some("true" | "True" | "1"));
        let mut fields = Vec::new();
        for list in children(entity, "fields") {
            for field in children(list, "field") {
                fields.push(FieldSchema {
                    name: required(field, "name", FILE)?.to_owned(),
                    kind: required(field, "type", FILE)?.to_ascii_lowercase(),
                    compare: matches!(
                        field.attribute("updateCompare"),
                        Some("true" | "True" | "1")
                    ),
                    dates: date_mode(field.attribute("dateMode"), mode),
                });
            }
        }
        let schema = TableSchema {
            name: required(entity, "name", FILE)?.to_owned(),
            primary_id: required(entity, "primaryidfield", FILE)?.to_owned(),
            primary_name: entity
                .attribute("primarynamefield")
                .unwrap_or_default()
                .to_owned(),
            disable_plugins: flag("disableplugins"),
            skip_update: flag("skipupdate"),
            force_create: flag("forcecreate"),
            fields,
        };
        tables.push(TableData {
            schema,
            records: Vec::new(),
            links: Vec::new(),
        });
    }
    // Tables that the order does not name keep their place after those that it does.
    let order: Vec<_> = children(root, "entityImportOrder")
        .flat_map(|list| children(list, "entityName").collect::<Vec<_>>())
        .filter_map(|name| name.text().map(|text| text.trim().to_owned()))
        .collect();
    tables.sort_by_key(|table: &TableData| {
        order
            .iter()
            .position(|name| *name == table.schema.name)
            .unwrap_or(usize::MAX)
    });
    Ok(tables)
}

fn read_record(record: Node<'_, '_>) -> Result<Record, EnvironmentError> {
    let mut fields = Vec::new();
    for field in children(record, "field") {
        let attribute = |name: &str| field.attribute(name).map(str::to_owned);
        fields.push(Field {
            name: required(field, "name", "data.xml")?.to_owned(),
            value: attribute("value").unwrap_or_default(),
            lookup_table: attribute("lookupentity").filter(|name| !name.is_empty()),
            lookup_name: attribute("lookupentityname").filter(|name| !name.is_empty()),
            file_name: attribute("filename"),
        });
    }
    Ok(Record {
        id: id_of(record, "id")?,
        fields,
    })
}

fn read_link(link: Node<'_, '_>) -> Result<Link, EnvironmentError> {
    let mut targets = Vec::new();
    for list in children(link, "targetids") {
        for target in children(list, "targetid") {
            let text = target.text().unwrap_or_default().trim();
            let id = text
                .parse()
                .map_err(|_| at(target, "data.xml", &format!("{text:?} is not an id")))?;
            targets.push(id);
        }
    }
    let relationship = link
        .attribute("m2mrelationshipschemaname")
        .filter(|name| !name.is_empty());
    Ok(Link {
        source: id_of(link, "sourceid")?,
        target_table: required(link, "targetentityname", "data.xml")?.to_owned(),
        relationship: match relationship {
            Some(name) => name,
            None => required(link, "m2mrelationshipname", "data.xml")?,
        }
        .to_owned(),
        targets,
    })
}

fn date_mode(text: Option<&str>, inherited: DateMode) -> DateMode {
    match text {
        Some(text) if text.eq_ignore_ascii_case("absolute") => DateMode::Absolute,
        Some(text) if text.eq_ignore_ascii_case("relative") => DateMode::Relative,
        Some(text) if text.eq_ignore_ascii_case("relativeDaily") => DateMode::RelativeDaily,
        _ => inherited,
    }
}

fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

fn required<'a>(node: Node<'a, '_>, name: &str, file: &str) -> Result<&'a str, EnvironmentError> {
    node.attribute(name).ok_or_else(|| {
        at(
            node,
            file,
            &format!("<{}> has no attribute {name:?}", node.tag_name().name()),
        )
    })
}

fn id_of(node: Node<'_, '_>, name: &str) -> Result<Uuid, EnvironmentError> {
    let text = required(node, name, "data.xml")?;
    text.parse()
        .map_err(|_| at(node, "data.xml", &format!("{text:?} is not an id")))
}

fn at(node: Node<'_, '_>, file: &str, reason: &str) -> EnvironmentError {
    let position = node.document().text_pos_at(node.range().start);
    broken(file, &format!("line {}: {reason}", position.row))
}

fn broken(file: &str, reason: &str) -> EnvironmentError {
    EnvironmentError::DataPackage {
        file: file.to_owned(),
        reason: reason.to_owned(),
    }
}

fn parse<'a>(file: &str, text: &'a str) -> Result<Document<'a>, EnvironmentError> {
    Document::parse(text).map_err(|error| broken(file, &error.to_string()))
}

/// The tool writes UTF-8 with a mark, or UTF-16.
fn text_of(file: &str, bytes: &[u8]) -> Result<String, EnvironmentError> {
    let wide = |swap: bool| {
        let units: Vec<u16> = bytes[2..]
            .chunks_exact(2)
            .map(|pair| {
                if swap {
                    u16::from_be_bytes([pair[0], pair[1]])
                } else {
                    u16::from_le_bytes([pair[0], pair[1]])
                }
            })
            .collect();
        String::from_utf16(&units).map_err(|error| broken(file, &error.to_string()))
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(false),
        [0xfe, 0xff, ..] => wide(true),
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            String::from_utf8(rest.to_vec()).map_err(|error| broken(file, &error.to_string()))
        }
        _ => String::from_utf8(bytes.to_vec()).map_err(|error| broken(file, &error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"<entities dateMode="relative"><entityImportOrder><entityName>b</entityName><entityName>a</entityName></entityImportOrder>
      <entity name="a" displayname="A" etc="1" primaryidfield="aid" primarynamefield="name" disableplugins="true"><fields><field name="name" type="string" updateCompare="true"/><field name="day" type="datetime" dateMode="absolute"/></fields></entity>
      <entity name="b" primaryidfield="bid" primarynamefield="name"><fields><field name="when" type="DateTime"/></fields></entity></entities>"#;

    fn package(data: &str) -> Result<DataPackage, EnvironmentError> {
        let files = [("Data_Schema.xml", SCHEMA), ("data.xml", data)];
        DataPackage::from_files(
            files
                .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
                .into(),
        )
    }

    #[test]
    fn tables_come_in_import_order_with_their_rows() {
        let package = package(
            "\u{feff}<entities timestamp=\"2025-06-29T16:27:50Z\"><entity name=\"a\"><records><record id=\"00000000-0000-0000-0000-000000000001\"><field name=\"name\" value=\"O&apos;Neil &lt;ü&gt;\"/></record></records><m2mrelationships><m2mrelationship sourceid=\"00000000-0000-0000-0000-000000000001\" targetentityname=\"b\" targetentitynameidfield=\"bid\" m2mrelationshipname=\"a_b\"><targetids><targetid>00000000-0000-0000-0000-000000000002</targetid></targetids></m2mrelationship></m2mrelationships></entity></entities>",
        )
        .unwrap();
        let names: Vec<_> = package
            .tables
            .iter()
            .map(|table| table.schema.name.as_str())
            .collect();
        assert_eq!(names, ["b", "a"]);
        let table = &package.tables[1];
        assert!(table.schema.disable_plugins);
        assert_eq!(table.schema.fields[1].dates, DateMode::Absolute);
        assert_eq!(package.tables[0].schema.fields[0].dates, DateMode::Relative);
        assert_eq!(table.records[0].field("name").unwrap().value, "O'Neil <ü>");
        assert_eq!(table.links[0].targets, [Uuid::from_u128(2)]);
    }

    #[test]
    fn a_mistake_is_shown_with_its_file_and_line() {
        let error = package("<entities>\n<entity name=\"a\"><records><record id=\"x\"/></records></entity></entities>")
            .unwrap_err();
        assert_eq!(error.to_string(), "data.xml: line 2: \"x\" is not an id");
        let error = package("<entities><entity name=\"c\"/></entities>").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("\"c\" is not in data_schema.xml")
        );
        let error = DataPackage::from_files(BTreeMap::new()).unwrap_err();
        assert_eq!(error.to_string(), "data_schema.xml: the file is missing");
    }
}
