//! What identifies the elements of a solution, and which lists have an order.

use super::{Form, Node};

/// Where an element keeps what identifies it: the values of these places joined. `@*` is all
/// attributes, `.` the text. Several sets are tried in turn.
type Places = &'static [&'static [&'static str]];

/// The elements of a solution that come in lists (facts §2.4, §5; measured on the corpus).
#[rustfmt::skip]
const KEYS: &[(&str, Places)] = &[
    // solution.xml
    ("RootComponent", &[&["@type", "@schemaName", "@id", "@parentId"]]),
    ("MissingDependency", &[&["Required/@type", "Required/@schemaName", "Required/@id", "Required/@id.connectionreferencelogicalname",
        "Required/@parentSchemaName", "Dependent/@type", "Dependent/@schemaName", "Dependent/@id", "Dependent/@parentSchemaName"]]),
    ("Address", &[&["AddressNumber"]]),
    // tables
    ("attribute", &[&["@PhysicalName"], &["@name", "@alias"]]),
    ("option", &[&["@value"]]),
    ("status", &[&["@value"]]),
    ("state", &[&["@value"]]),
    ("LookupType", &[&["."]]),
    ("EntityKey", &[&["LogicalName"], &["@LogicalName"], &["Name"]]),
    // labels
    ("label", &[&["@languagecode"]]),
    ("LocalizedName", &[&["@languagecode"]]),
    ("LocalizedCollectionName", &[&["@languagecode"]]),
    ("Description", &[&["@languagecode"], &["@LCID"]]),
    ("displayname", &[&["@languagecode"]]),
    ("Title", &[&["@LCID"]]),
    ("Language", &[&["."]]),
    // forms
    ("systemform", &[&["formid"]]),
    ("tab", &[&["@id"]]),
    ("section", &[&["@id"]]),
    ("row", &[&["cell/@id"]]),
    ("cell", &[&["@id"], &["@name"]]),
    ("control", &[&["@id"], &["@name"]]),
    ("data", &[&["@id"]]),
    ("event", &[&["@name", "@attribute", "@relationship"]]),
    ("Handler", &[&["@handlerUniqueId"], &["@libraryName", "@functionName"]]),
    ("Library", &[&["@name"]]),
    ("internaljscriptfile", &[&["@src"]]),
    ("controlDescription", &[&["@forControl"]]),
    ("customControl", &[&["@formFactor", "@name", "@id"]]),
    ("steplabels", &[&["@id"]]),
    // views and charts
    ("savedquery", &[&["savedqueryid"]]),
    ("visualization", &[&["savedqueryvisualizationid"]]),
    ("condition", &[&["@attribute", "@entityname"]]),
    ("order", &[&["@attribute", "@alias"]]),
    ("link-entity", &[&["@alias"], &["@name", "@from", "@to"]]),
    // relationships
    ("EntityRelationship", &[&["@Name"]]),
    ("EntityRelationshipRole", &[&["RelationshipRoleType", "AssociationRoleOrdinal"]]),
    ("EntityMap", &[&["EntitySource", "EntityTarget"]]),
    ("AttributeMap", &[&["AttributeSource", "AttributeTarget"]]),
    // people
    ("Role", &[&["@id"], &["@Id"]]),
    ("RolePrivilege", &[&["@name"]]),
    ("FieldPermission", &[&["AttributeName", "attributename"]]),
    ("FieldSecurityProfile", &[&["@fieldsecurityprofileid"]]),
    ("Privilege", &[&["@Entity", "@Privilege"]]),
    ("ConnectionRole", &[&["connectionroleid"]]),
    ("ConnectionRoleAssociation", &[&["connectionroleid", "associatedconnectionroleid"]]),
    ("ConnectionRoleObjectTypeCode", &[&["connectionroleobjecttypecodeid"], &["associatedobjecttypecode"]]),
    // apps
    ("AppModuleComponent", &[&["@type", "@schemaName", "@id"]]),
    ("Area", &[&["@Id"]]),
    ("Group", &[&["@Id"]]),
    ("SubArea", &[&["@Id"]]),
    ("NavBarArea", &[&["@Id"]]),
    ("NavBarByRelationshipItem", &[&["@Id"]]),
    ("connectionreference", &[&["@connectionreferencelogicalname"]]),
    // code
    ("PluginType", &[&["@PluginTypeId"], &["@Name"]]),
    ("SdkMessageProcessingStepImage", &[&["@SdkMessageProcessingStepImageId"], &["@Name"]]),
    ("ServiceEndpoint", &[&["@ServiceEndpointId"]]),
    ("css", &[&["@path"]]),
    ("code", &[&["@path"]]),
    ("resx", &[&["@path"]]),
    // the rest
    ("ReportEntity", &[&["@paramname"]]),
    ("ReportSignatureIdMapping", &[&["@reportid"]]),
    ("AIModel", &[&["msdyn_aimodelid"]]),
    ("AttributeImageConfig", &[&["parententitylogicalname", "attributelogicalname"]]),
    ("EntityImageConfig", &[&["parententitylogicalname"]]),
    ("bot_botcomponent", &[&["@*"]]),
    ("botcomponent_botcomponent", &[&["@*"]]),
    ("botcomponent_workflow", &[&["@*"]]),
];

/// Attributes that identify an element that is not listed, the first that it has.
const USUAL: &[&str] = &[
    "id",
    "Id",
    "ID",
    "uniquename",
    "UniqueName",
    "schemaName",
    "schemaname",
    "LogicalName",
    "name",
    "Name",
    "x:Key",
    "x:Name",
    "languagecode",
    "LCID",
    "DisplayName",
    "key",
];

/// What identifies an element among its siblings of the same name.
pub(super) fn of_element(node: &Node<'_>) -> Option<String> {
    match KEYS.iter().find(|(name, _)| *name == node.name) {
        Some((_, sets)) => sets.iter().find_map(|places| joined(node, places)),
        None => USUAL
            .iter()
            .find_map(|name| node.attribute(name))
            .filter(|value| !value.is_empty())
            .map(plain),
    }
}

fn joined(node: &Node<'_>, places: &[&str]) -> Option<String> {
    let mut found = Vec::new();
    for place in places {
        if *place == "@*" {
            let mut all: Vec<&Node<'_>> = node.attributes.iter().collect();
            all.sort_by_key(|attribute| attribute.name.clone());
            found.extend(
                all.iter()
                    .filter_map(|attribute| attribute.value())
                    .map(plain),
            );
        } else {
            found.extend(
                node.at_path(place)
                    .filter(|value| !value.is_empty())
                    .map(plain),
            );
        }
    }
    (!found.is_empty()).then(|| found.join(" "))
}

/// GUIDs are compared without braces and in lower case; everything else as it is.
fn plain(value: &str) -> String {
    let bare = value.trim().trim_start_matches('{').trim_end_matches('}');
    let is_guid = bare.len() == 36
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_guid {
        bare.to_ascii_lowercase()
    } else {
        value.trim().to_owned()
    }
}

/// What identifies an item of a JSON array: a member that names it, or a scalar itself.
pub(super) fn of_item(node: &Node<'_>) -> Option<String> {
    if let Some(value) = node.value() {
        return Some(value.to_owned());
    }
    if node.mid != "{" {
        return None;
    }
    [
        "name",
        "id",
        "key",
        "Name",
        "Id",
        "schemaName",
        "logicalName",
        "operationId",
    ]
    .iter()
    .find_map(|name| node.child(name)?.value())
    .map(plain)
}

/// Lists whose order means nothing: what identifies the pieces says all.
const SETS: &[&str] = &[
    "SolutionManifest",
    "RootComponents",
    "MissingDependencies",
    "LocalizedNames",
    "Descriptions",
    "Addresses",
    "attributes",
    "EntityRelationships",
    "EntityMaps",
    "AttributeMaps",
    "RolePrivileges",
    "FieldPermissions",
    "FieldSecurityProfiles",
    "connectionreferences",
    "AppModuleComponents",
    "AppModuleRoleMaps",
    "labels",
    "displaynames",
    "LocalizedCollectionNames",
    "Titles",
    "LookupTypes",
    "Languages",
    "PluginTypes",
    "ConnectionRoles",
    "ConnectionRoleAssociations",
    "ConnectionRoleObjectTypeCodes",
    "ReportSignatureIdMappings",
    "clientincludes",
    "ServiceEndpoints",
    "AttributeImageConfigs",
    "EntityImageConfigs",
    "AIModels",
    "EntityRelationshipRoles",
    "EntityKeys",
    "DisplayConditions",
    "bot_botcomponentset",
    "botcomponent_botcomponentset",
    "botcomponent_workflowset",
];

/// Whether the order of the pieces inside this node can mean something.
///
/// It never does in a JSON object, and in a list whose pieces are all different things (an element
/// of fields). It may in arrays and in lists that are not known as sets.
pub(crate) fn order_matters(node: &Node<'_>) -> bool {
    match node.form {
        Form::Attribute => false,
        Form::Json => node.mid == "[",
        Form::Element => {
            if node.name == "Sequence" || node.name.contains('.') || node.name.contains(':') {
                return true;
            }
            // A run of one-of-a-kind fields is a record, not a list.
            let children = node.children();
            let record = children
                .iter()
                .all(|child| child.ordinal == 0 && !child.positional && child.key.is_none());
            !record && !SETS.contains(&&*node.name)
        }
    }
}
