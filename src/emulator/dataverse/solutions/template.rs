//! Definitions of components that makers create row by row, in the form that exports have.
//!
//! File names follow facts/solution-package-format.md, section 2.6; the elements and their order
//! are those of real exports.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use uuid::Uuid;

use crate::emulator::dataverse::Row;
use crate::emulator::dataverse::row::{flag, number, text};
use crate::solution::component::fragment::{escape_attribute, escape_text};
use crate::solution::component::{
    Component, ComponentType, Identity, Payload, Place, code, variable_value,
};

/// Which component the row `id` of `table` is, as far as the row itself tells.
pub(super) fn identity(table: &str, id: Uuid, row: &Row) -> Option<Identity> {
    let named =
        |number: u16, column: &str| text(row, column).map(|name| Identity::coded(number, name));
    let by_id = |number: u16| Some(Identity::coded(number, &id.to_string()));
    match table {
        "workflow" => by_id(code::WORKFLOW),
        "role" => by_id(code::ROLE),
        "report" => by_id(code::REPORT),
        "savedquery" => by_id(code::VIEW),
        "savedqueryvisualization" => by_id(code::CHART),
        "systemform" => by_id(code::FORM),
        "connectionrole" => by_id(code::CONNECTION_ROLE),
        "pluginassembly" => by_id(code::PLUGIN_ASSEMBLY),
        "sdkmessageprocessingstep" => by_id(code::STEP),
        "serviceendpoint" => by_id(code::SERVICE_ENDPOINT),
        "msdyn_aimodel" => by_id(code::AI_MODEL),
        "webresource" => named(code::WEB_RESOURCE, "name"),
        "customcontrol" => named(code::CONTROL, "name"),
        "canvasapp" => named(code::CANVAS_APP, "name"),
        "connector" => named(code::CONNECTOR, "name"),
        "appmodule" => named(code::APP, "uniquename"),
        "sitemap" => named(code::SITE_MAP, "sitemapnameunique"),
        "environmentvariabledefinition" => named(code::VARIABLE, "schemaname"),
        "environmentvariablevalue" => named(code::VARIABLE_VALUE, "schemaname"),
        "connectionreference" => text(row, "connectionreferencelogicalname")
            .map(|name| Identity::new(ComponentType::table(table), name)),
        "bot" | "botcomponent" => {
            text(row, "schemaname").map(|name| Identity::new(ComponentType::table(table), name))
        }
        "customapi" => {
            text(row, "uniquename").map(|name| Identity::new(ComponentType::table(table), name))
        }
        _ => None,
    }
}

/// The definition of the row `id` of `table`, for the kinds that makers create through the Web
/// API; `None` for others.
pub(super) fn component(table: &str, id: Uuid, row: &Row) -> Option<Component> {
    let identity = identity(table, id, row)?;
    let of = |column: &str| text(row, column).unwrap_or_default().to_owned();
    let make = |schema: Option<String>, name: String, place: Place, fragment: String| Component {
        component_type: identity.component_type.clone(),
        key: identity.key.clone(),
        id: None,
        display_name: if name.is_empty() {
            identity.key.clone()
        } else {
            name
        },
        schema_name: schema,
        parent: None,
        place,
        fragment,
        payload: Vec::new(),
    };
    Some(match table {
        "environmentvariabledefinition" => {
            let name = of("schemaname");
            let file =
                format!("environmentvariabledefinitions/{name}/environmentvariabledefinition.xml");
            make(
                Some(name),
                of("displayname"),
                Place::Part(file),
                variable(row),
            )
        }
        "environmentvariablevalue" => variable_value(&of("schemaname"), id, &of("value")),
        "connectionreference" => make(
            Some(of("connectionreferencelogicalname")),
            of("connectionreferencedisplayname"),
            Place::Collection("connectionreferences".into()),
            connection_reference(row),
        ),
        "workflow" if number(row, "category") == Some(5) => {
            let file = file_name(&of("name"), id);
            let file = format!("Workflows/{file}.json");
            let mut made = make(
                Some(of("name")),
                of("name"),
                Place::Collection("Workflows".into()),
                flow(id, row, &file),
            );
            made.id = Some(id);
            made.payload = vec![Payload {
                name: file,
                bytes: pretty(&of("clientdata")),
            }];
            made
        }
        "webresource" => {
            let name = of("name");
            let file = format!("WebResources/{}", resource_file(&name, id));
            let mut made = make(
                Some(name),
                of("displayname"),
                Place::Collection("WebResources".into()),
                web_resource(id, row, &file),
            );
            made.id = Some(id);
            let bytes = BASE64.decode(of("content")).unwrap_or_default();
            made.payload = vec![Payload { name: file, bytes }];
            made
        }
        "role" => {
            let mut made = make(
                Some(of("name")),
                of("name"),
                Place::Collection("Roles".into()),
                format!(
                    "<Role id=\"{{{id}}}\" name=\"{}\">\r\n      <IsCustomizable>1</IsCustomizable>\r\n      <RolePrivileges>\r\n      </RolePrivileges>\r\n    </Role>",
                    escape_attribute(&of("name"))
                ),
            );
            made.id = Some(id);
            made
        }
        _ => return None,
    })
}

/// Elements in the order of their names, as the server writes framework components.
fn variable(row: &Row) -> String {
    let mut xml = format!(
        "<environmentvariabledefinition schemaname=\"{}\">\n",
        escape_attribute(text(row, "schemaname").unwrap_or_default())
    );
    let mut plain = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = writeln!(xml, "  <{name}>{}</{name}>", escape_text(&value));
        }
    };
    let of = |column: &str| text(row, column).map(str::to_owned);
    let label = |column: &str| {
        let text = escape_attribute(text(row, column)?);
        Some(format!(
            "  <{column} default=\"{text}\">\n    <label description=\"{text}\" \
             languagecode=\"1033\" />\n  </{column}>\n"
        ))
    };
    plain("apiid", of("apiid"));
    plain("defaultvalue", of("defaultvalue"));
    xml.push_str(&label("description").unwrap_or_default());
    xml.push_str(&label("displayname").unwrap_or_default());
    let mut plain = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = writeln!(xml, "  <{name}>{}</{name}>", escape_text(&value));
        }
    };
    plain("hint", of("hint"));
    plain("introducedversion", Some("1.0.0.0".into()));
    plain("iscustomizable", Some("1".into()));
    plain(
        "isrequired",
        Some(u8::from(flag(row, "isrequired")).to_string()),
    );
    plain("parameterkey", of("parameterkey"));
    plain(
        "secretstore",
        Some(number(row, "secretstore").unwrap_or(0).to_string()),
    );
    plain(
        "type",
        Some(number(row, "type").unwrap_or(100_000_000).to_string()),
    );
    plain("valueschema", of("valueschema"));
    xml.push_str("</environmentvariabledefinition>");
    xml
}

fn connection_reference(row: &Row) -> String {
    let of = |column: &str| escape_text(text(row, column).unwrap_or_default());
    let name = text(row, "connectionreferencelogicalname").unwrap_or_default();
    let description = match text(row, "description") {
        Some(_) => format!("\r\n      <description>{}</description>", of("description")),
        None => String::new(),
    };
    format!(
        "<connectionreference connectionreferencelogicalname=\"{}\">\r\n      <connectionreferencedisplayname>{}</connectionreferencedisplayname>\r\n      <connectorid>{}</connectorid>{description}\r\n      <iscustomizable>1</iscustomizable>\r\n      <promptingbehavior>0</promptingbehavior>\r\n      <statecode>0</statecode>\r\n      <statuscode>1</statuscode>\r\n    </connectionreference>",
        escape_attribute(name),
        of("connectionreferencedisplayname"),
        of("connectorid"),
    )
}

fn flow(id: Uuid, row: &Row, file: &str) -> String {
    let name = escape_attribute(text(row, "name").unwrap_or_default());
    let description = text(row, "description")
        .map(|text| format!(" Description=\"{}\"", escape_attribute(text)))
        .unwrap_or_default();
    let on = number(row, "statecode") == Some(1);
    let (state, status) = if on { (1, 2) } else { (0, 1) };
    let elements: [(&str, String); 19] = [
        ("JsonFileName", format!("/{}", escape_text(file))),
        ("Type", "1".into()),
        ("Subprocess", "0".into()),
        ("Category", "5".into()),
        ("Mode", "0".into()),
        ("Scope", "4".into()),
        ("OnDemand", "0".into()),
        ("TriggerOnCreate", "0".into()),
        ("TriggerOnDelete", "0".into()),
        ("AsyncAutodelete", "0".into()),
        ("SyncWorkflowLogOnFailure", "0".into()),
        ("StateCode", state.to_string()),
        ("StatusCode", status.to_string()),
        ("RunAs", "1".into()),
        ("IsTransacted", "1".into()),
        ("IntroducedVersion", "1.0.0.0".into()),
        ("IsCustomizable", "1".into()),
        (
            "IsCustomProcessingStepAllowedForOtherPublishers",
            "1".into(),
        ),
        ("PrimaryEntity", "none".into()),
    ];
    let mut xml = format!("<Workflow WorkflowId=\"{{{id}}}\" Name=\"{name}\"{description}>");
    for (element, value) in elements {
        let _ = write!(xml, "\r\n      <{element}>{value}</{element}>");
    }
    let _ = write!(
        xml,
        "\r\n      <LocalizedNames>\r\n        <LocalizedName languagecode=\"1033\" description=\"{name}\" />\r\n      </LocalizedNames>\r\n    </Workflow>"
    );
    xml
}

fn web_resource(id: Uuid, row: &Row, file: &str) -> String {
    let of = |column: &str| escape_text(text(row, column).unwrap_or_default());
    format!(
        "<WebResource>\r\n      <WebResourceId>{{{id}}}</WebResourceId>\r\n      <Name>{}</Name>\r\n      <DisplayName>{}</DisplayName>\r\n      <WebResourceType>{}</WebResourceType>\r\n      <IntroducedVersion>1.0.0.0</IntroducedVersion>\r\n      <IsEnabledForMobileClient>0</IsEnabledForMobileClient>\r\n      <IsAvailableForMobileOffline>0</IsAvailableForMobileOffline>\r\n      <IsCustomizable>1</IsCustomizable>\r\n      <CanBeDeleted>1</CanBeDeleted>\r\n      <IsHidden>0</IsHidden>\r\n      <FileName>/{}</FileName>\r\n    </WebResource>",
        of("name"),
        of("displayname"),
        number(row, "webresourcetype").unwrap_or(3),
        escape_text(file)
    )
}

/// `<Name>-<GUID>`: the name keeps letters, digits, `_` and `-` of ASCII and 50 characters.
fn file_name(name: &str, id: Uuid) -> String {
    let kept: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || ['_', '-'].contains(c))
        .take(50)
        .collect();
    format!("{kept}-{}", id.to_string().to_uppercase())
}

/// As [`file_name`], with nothing between name and id.
fn resource_file(name: &str, id: Uuid) -> String {
    let with_dash = file_name(name, id);
    let guid = id.to_string().to_uppercase();
    let name = with_dash
        .strip_suffix(&guid)
        .and_then(|name| name.strip_suffix('-'));
    format!("{}{guid}", name.unwrap_or_default())
}

fn pretty(text: &str) -> Vec<u8> {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| serde_json::to_vec_pretty(&value).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_as_the_server_calls_them() {
        let id = Uuid::parse_str("421223b4-f1b7-eb11-8236-000d3a5be14c").unwrap();
        assert_eq!(
            file_name("FAQ ボット - 要求", id),
            "FAQ--421223B4-F1B7-EB11-8236-000D3A5BE14C"
        );
        assert_eq!(
            resource_file("contoso_/scripts/form.js", id),
            "contoso_scriptsformjs421223B4-F1B7-EB11-8236-000D3A5BE14C"
        );
    }
}
