//! The CSDL document of `$metadata`.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event};

use crate::emulator::dataverse::catalogue::{Catalogue, Column, ColumnKind, Table};

const EDMX: &str = "http://docs.oasis-open.org/odata/ns/edmx";
const EDM: &str = "http://docs.oasis-open.org/odata/ns/edm";
const NAMESPACE: &str = "Microsoft.Dynamics.CRM";

/// The document that describes all tables of `catalogue`.
pub(super) fn document(catalogue: &Catalogue) -> Vec<u8> {
    let mut xml = Document {
        writer: Writer::new(Vec::new()),
    };
    xml.write(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)));
    xml.open("edmx:Edmx", &[("Version", "4.0"), ("xmlns:edmx", EDMX)]);
    xml.open("edmx:DataServices", &[]);
    xml.open(
        "Schema",
        &[("Namespace", NAMESPACE), ("Alias", "mscrm"), ("xmlns", EDM)],
    );
    xml.empty(
        "EntityType",
        &[("Name", "crmbaseentity"), ("Abstract", "true")],
    );
    xml.open(
        "EntityType",
        &[
            ("Name", "expando"),
            ("BaseType", "mscrm.crmbaseentity"),
            ("OpenType", "true"),
        ],
    );
    xml.close("EntityType");
    xml.open(
        "EntityType",
        &[("Name", "principal"), ("BaseType", "mscrm.crmbaseentity")],
    );
    xml.open("Key", &[]);
    xml.empty("PropertyRef", &[("Name", "ownerid")]);
    xml.close("Key");
    xml.empty(
        "Property",
        &[
            ("Name", "ownerid"),
            ("Type", "Edm.Guid"),
            ("Nullable", "false"),
        ],
    );
    xml.close("EntityType");
    xml.open("ComplexType", &[("Name", "BooleanManagedProperty")]);
    for (name, kind) in [
        ("Value", "Edm.Boolean"),
        ("CanBeChanged", "Edm.Boolean"),
        ("ManagedPropertyLogicalName", "Edm.String"),
    ] {
        xml.empty("Property", &[("Name", name), ("Type", kind)]);
    }
    xml.close("ComplexType");
    for table in catalogue.tables() {
        xml.table(catalogue, table);
    }
    xml.open("EntityContainer", &[("Name", "System")]);
    for table in catalogue.tables() {
        let kind = format!("{NAMESPACE}.{}", table.name);
        xml.empty("EntitySet", &[("Name", &table.set), ("EntityType", &kind)]);
    }
    xml.close("EntityContainer");
    xml.close("Schema");
    xml.close("edmx:DataServices");
    xml.close("edmx:Edmx");
    xml.writer.into_inner()
}

struct Document {
    writer: Writer<Vec<u8>>,
}

impl Document {
    fn table(&mut self, catalogue: &Catalogue, table: &Table) {
        let base = match table.name.as_str() {
            "systemuser" | "team" => "mscrm.principal",
            _ => "mscrm.crmbaseentity",
        };
        self.open("EntityType", &[("Name", &table.name), ("BaseType", base)]);
        self.open("Key", &[]);
        self.empty("PropertyRef", &[("Name", &table.key)]);
        self.close("Key");
        for column in &table.columns {
            self.empty(
                "Property",
                &[("Name", &column.property()), ("Type", kind(column))],
            );
        }
        for column in &table.columns {
            for target in column.targets() {
                let kind = format!("mscrm.{}", target.table);
                self.open(
                    "NavigationProperty",
                    &[
                        ("Name", &target.navigation),
                        ("Type", &kind),
                        ("Nullable", "true"),
                        ("Partner", &target.collection),
                    ],
                );
                let property = column.property();
                let key = match target.table.as_str() {
                    "principal" => "ownerid",
                    other => catalogue.table(other).map_or("ownerid", |table| &table.key),
                };
                self.empty(
                    "ReferentialConstraint",
                    &[("Property", &property), ("ReferencedProperty", key)],
                );
                self.close("NavigationProperty");
            }
        }
        for other in catalogue.tables() {
            for column in &other.columns {
                let target = column.targets().iter().find(|it| it.table == table.name);
                if let Some(target) = target {
                    let kind = format!("Collection(mscrm.{})", other.name);
                    self.empty(
                        "NavigationProperty",
                        &[
                            ("Name", &target.collection),
                            ("Type", &kind),
                            ("Partner", &target.navigation),
                        ],
                    );
                }
            }
        }
        for it in catalogue.relationships() {
            for (near, far, name) in [
                (&it.left, &it.right, &it.left_navigation),
                (&it.right, &it.left, &it.right_navigation),
            ] {
                if *near == table.name {
                    let kind = format!("Collection(mscrm.{far})");
                    self.empty("NavigationProperty", &[("Name", name), ("Type", &kind)]);
                }
            }
        }
        self.close("EntityType");
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.write(Event::Start(start));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.write(Event::Empty(start));
    }

    fn close(&mut self, name: &str) {
        self.write(Event::End(BytesEnd::new(name)));
    }

    fn write(&mut self, event: Event<'_>) {
        // Writing into memory has no way to fail.
        let written = self.writer.write_event(event);
        debug_assert!(written.is_ok());
    }
}

fn kind(column: &Column) -> &'static str {
    match &column.kind {
        ColumnKind::Text(_) | ColumnKind::Memo(_) | ColumnKind::MultiChoice(_) => "Edm.String",
        ColumnKind::Integer | ColumnKind::Choice(_) => "Edm.Int32",
        ColumnKind::BigInteger => "Edm.Int64",
        ColumnKind::Decimal | ColumnKind::Money => "Edm.Decimal",
        ColumnKind::Double => "Edm.Double",
        ColumnKind::Boolean => "Edm.Boolean",
        ColumnKind::DateTime => "Edm.DateTimeOffset",
        ColumnKind::Date => "Edm.Date",
        ColumnKind::Guid | ColumnKind::Lookup(_) | ColumnKind::File => "Edm.Guid",
        ColumnKind::ManagedProperty => "mscrm.BooleanManagedProperty",
        ColumnKind::Image => "Edm.Binary",
    }
}
