//! Definitions as JSON.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::emulator::dataverse::catalogue::{
    Catalogue, Choice, Column, ColumnKind, Ownership, Table,
};
use crate::emulator::dataverse::odata::Query;
use crate::emulator::definition::derived_id;

/// Members that an answer has only when they are expanded.
pub(super) const NAVIGATIONS: [&str; 7] = [
    "Attributes",
    "Keys",
    "OneToManyRelationships",
    "ManyToOneRelationships",
    "ManyToManyRelationships",
    "OptionSet",
    "GlobalOptionSet",
];

/// The definition of a table, with the parts that `query` expands.
pub(super) fn table(catalogue: &Catalogue, table: &Arc<Table>, query: &Query) -> Value {
    let ownership = match table.ownership {
        Ownership::None => "None",
        Ownership::Organization => "OrganizationOwned",
        Ownership::User => "UserOwned",
        Ownership::BusinessUnit => "BusinessOwned",
    };
    let mut out = json!({
        "@odata.type": "#Microsoft.Dynamics.CRM.EntityMetadata",
        "MetadataId": table.metadata_id,
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set,
        "LogicalCollectionName": table.set,
        "CollectionSchemaName": table.set,
        "PrimaryIdAttribute": table.key,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": null,
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": ownership,
        "IsCustomEntity": table.is_custom,
        "IsManaged": table.is_managed,
        "IsIntersect": table.is_intersect,
        "IsPrivate": false,
        "IsActivity": table.key == "activityid",
        "IsValidForAdvancedFind": !table.is_intersect,
        "IsLogicalEntity": false,
        "TableType": if table.is_virtual { "Virtual" } else { "Standard" },
        "IsCustomizable": managed(table.is_customizable, "iscustomizable"),
        "CanCreateAttributes": managed(table.is_customizable, "cancreateattributes"),
        "DisplayName": label(&table.display_name),
        "DisplayCollectionName": label(&table.collection_name),
        "Description": label(""),
    });
    let parts: [(&str, &dyn Fn() -> Vec<Value>); 5] = [
        ("Attributes", &|| {
            table.columns.iter().map(|it| column(table, it)).collect()
        }),
        ("Keys", &|| keys(table)),
        ("OneToManyRelationships", &|| one_to_many(catalogue, table)),
        ("ManyToOneRelationships", &|| many_to_one(table)),
        ("ManyToManyRelationships", &|| {
            many_to_many(catalogue, Some(table))
        }),
    ];
    for (name, build) in parts {
        if query.expand.iter().any(|it| it.navigation == name) {
            out[name] = build().into();
        }
    }
    out
}

/// The definition of a column.
pub(super) fn column(table: &Table, column: &Column) -> Value {
    let is_key = column.name == table.key;
    let (class, kind) = kind_names(column, is_key);
    let required = match (is_key, column.required) {
        (true, _) => "SystemRequired",
        (false, true) => "ApplicationRequired",
        (false, false) => "None",
    };
    let mut out = json!({
        "@odata.type": format!("#Microsoft.Dynamics.CRM.{class}"),
        "MetadataId": derived_id("column", &format!("{}.{}", table.name, column.name)),
        "LogicalName": column.name,
        "SchemaName": column.schema_name,
        "EntityLogicalName": table.name,
        "AttributeOf": null,
        "AttributeType": kind,
        "AttributeTypeName": { "Value": format!("{kind}Type") },
        "IsPrimaryId": is_key,
        "IsPrimaryName": table.primary_name.as_deref() == Some(&column.name),
        "IsValidForCreate": column.on_create,
        "IsValidForUpdate": column.on_update,
        "IsValidForRead": true,
        "IsCustomAttribute": table.is_custom,
        "IsLogical": false,
        "RequiredLevel": {
            "Value": required, "CanBeChanged": true,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        },
        "DisplayName": label(&column.display_name),
        "Description": label(""),
    });
    match &column.kind {
        ColumnKind::Text(longest) | ColumnKind::Memo(longest) => {
            out["MaxLength"] = (*longest).into()
        }
        ColumnKind::Lookup(targets) => {
            let names: Vec<&str> = targets
                .iter()
                .flat_map(|it| crate::emulator::dataverse::reader::possible_tables(it))
                .collect();
            out["Targets"] = names.into();
        }
        ColumnKind::Choice(choices) | ColumnKind::MultiChoice(choices) => {
            out["OptionSet"] = option_set(table, column, choices);
            out["GlobalOptionSet"] = Value::Null;
        }
        ColumnKind::Boolean => {
            out["OptionSet"] = json!({
                "TrueOption": { "Value": 1, "Label": label("Yes") },
                "FalseOption": { "Value": 0, "Label": label("No") },
            });
        }
        _ => {}
    }
    out
}

fn option_set(table: &Table, column: &Column, choices: &[Choice]) -> Value {
    let options: Vec<Value> = choices
        .iter()
        .map(|choice| json!({ "Value": choice.value, "Label": label(&choice.label) }))
        .collect();
    json!({
        "MetadataId": derived_id("optionset", &format!("{}.{}", table.name, column.name)),
        "Name": format!("{}_{}", table.name, column.name),
        "IsGlobal": false,
        "OptionSetType": "Picklist",
        "Options": options,
    })
}

/// The alternate keys of a table.
pub(super) fn keys(table: &Table) -> Vec<Value> {
    let keys = table.alternate_keys.iter();
    keys.map(|key| {
        json!({
            "MetadataId": derived_id("key", &format!("{}.{}", table.name, key.name)),
            "LogicalName": key.name,
            "SchemaName": key.name,
            "EntityLogicalName": table.name,
            "KeyAttributes": key.columns,
            "EntityKeyIndexStatus": "Active",
        })
    })
    .collect()
}

/// The relationships in which rows of `table` are pointed to.
pub(super) fn one_to_many(catalogue: &Catalogue, table: &Table) -> Vec<Value> {
    let tables = catalogue.tables();
    let all = tables.flat_map(|other| many_to_one(other));
    all.filter(|it| it["ReferencedEntity"].as_str() == Some(&table.name))
        .collect()
}

/// The relationships in which rows of `table` point to others.
pub(super) fn many_to_one(table: &Table) -> Vec<Value> {
    let mut found = Vec::new();
    for column in &table.columns {
        for target in column.targets() {
            let (name, key) = match target.table.as_str() {
                "principal" => ("owner", "ownerid".to_owned()),
                other => (other, format!("{other}id")),
            };
            found.push(json!({
                "@odata.type": "#Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
                "MetadataId": derived_id("relationship", &target.collection),
                "SchemaName": target.collection,
                "RelationshipType": "OneToManyRelationship",
                "ReferencedEntity": name,
                "ReferencedAttribute": key,
                "ReferencedEntityNavigationPropertyName": target.collection,
                "ReferencingEntity": table.name,
                "ReferencingAttribute": column.name,
                "ReferencingEntityNavigationPropertyName": target.navigation,
                "IsCustomRelationship": table.is_custom,
                "IsManaged": table.is_managed,
            }));
        }
    }
    found
}

/// The N:N relationships, those of `table` or all.
pub(super) fn many_to_many(catalogue: &Catalogue, table: Option<&Table>) -> Vec<Value> {
    let all = catalogue.relationships();
    let own =
        all.filter(|it| table.is_none_or(|table| it.left == table.name || it.right == table.name));
    own.map(|it| {
        json!({
            "@odata.type": "#Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
            "MetadataId": derived_id("relationship", &it.name),
            "SchemaName": it.name,
            "RelationshipType": "ManyToManyRelationship",
            "IntersectEntityName": it.intersect,
            "Entity1LogicalName": it.left,
            "Entity1IntersectAttribute": it.left_column,
            "Entity1NavigationPropertyName": it.left_navigation,
            "Entity2LogicalName": it.right,
            "Entity2IntersectAttribute": it.right_column,
            "Entity2NavigationPropertyName": it.right_navigation,
        })
    })
    .collect()
}

fn kind_names(column: &Column, is_key: bool) -> (&'static str, &'static str) {
    match &column.kind {
        ColumnKind::Text(_) => ("StringAttributeMetadata", "String"),
        ColumnKind::Memo(_) => ("MemoAttributeMetadata", "Memo"),
        ColumnKind::Integer => ("IntegerAttributeMetadata", "Integer"),
        ColumnKind::BigInteger => ("BigIntAttributeMetadata", "BigInt"),
        ColumnKind::Decimal => ("DecimalAttributeMetadata", "Decimal"),
        ColumnKind::Double => ("DoubleAttributeMetadata", "Double"),
        ColumnKind::Money => ("MoneyAttributeMetadata", "Money"),
        ColumnKind::Boolean => ("BooleanAttributeMetadata", "Boolean"),
        ColumnKind::DateTime | ColumnKind::Date => ("DateTimeAttributeMetadata", "DateTime"),
        ColumnKind::Guid if is_key => ("UniqueIdentifierAttributeMetadata", "Uniqueidentifier"),
        ColumnKind::Guid => ("AttributeMetadata", "Uniqueidentifier"),
        ColumnKind::Choice(_) => match column.name.as_str() {
            "statecode" => ("StateAttributeMetadata", "State"),
            "statuscode" => ("StatusAttributeMetadata", "Status"),
            _ => ("PicklistAttributeMetadata", "Picklist"),
        },
        ColumnKind::MultiChoice(_) => ("MultiSelectPicklistAttributeMetadata", "Virtual"),
        ColumnKind::Lookup(_) if column.name == "ownerid" => ("LookupAttributeMetadata", "Owner"),
        ColumnKind::Lookup(_) => ("LookupAttributeMetadata", "Lookup"),
        ColumnKind::ManagedProperty => ("ManagedPropertyAttributeMetadata", "ManagedProperty"),
        ColumnKind::File => ("FileAttributeMetadata", "Virtual"),
        ColumnKind::Image => ("ImageAttributeMetadata", "Virtual"),
    }
}

fn label(text: &str) -> Value {
    if text.is_empty() {
        return json!({ "LocalizedLabels": [], "UserLocalizedLabel": null });
    }
    let label = json!({ "Label": text, "LanguageCode": 1033, "IsManaged": true });
    json!({ "LocalizedLabels": [label], "UserLocalizedLabel": label })
}

fn managed(value: bool, name: &str) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("Value".into(), value.into());
    out.insert("CanBeChanged".into(), true.into());
    out.insert("ManagedPropertyLogicalName".into(), name.into());
    out
}
