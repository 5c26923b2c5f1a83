//! Import jobs: their rows, and the report that says what happened to each component
//! (facts/dataverse-web-api.md, section 3.6).

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::import::{Import, Switches};
use super::install::Installed;
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::fragment::{escape_attribute, escape_text};
use crate::solution::component::{Component, code};

/// .NET counts time in steps of 100 ns since the year 1; this is its count at the Unix epoch.
const TICKS_AT_EPOCH: i128 = 621_355_968_000_000_000;

/// Writes the row of an import job that begins.
pub(super) fn begin(session: &Session<'_>, id: Uuid, zip: &[u8]) -> Result<(), ServiceError> {
    let import = Import::open(zip, Switches::default()).ok();
    let name = import
        .as_ref()
        .map(|import| import.manifest.unique_name.clone());
    if session.row("importjob", id)?.is_some() {
        let message = format!("An import job with the id {id} exists already.");
        return Err(ServiceError::duplicate(message));
    }
    session.insert(
        "importjob",
        row! {
            "importjobid": id,
            "name": name.as_deref().unwrap_or("Customizations"),
            "solutionname": name,
            "progress": 0.0,
            "startedon": session.moment(),
            "importcontext": "ImportInstall",
            "operationcontext": "Default",
        },
    )?;
    Ok(())
}

/// Writes how it ended.
pub(super) fn end(
    session: &Session<'_>,
    id: Uuid,
    import: Option<&Import>,
    result: &Result<Installed, ServiceError>,
) -> Result<(), ServiceError> {
    let begun = session.existing("importjob", id)?;
    let began = text(&begun, "startedon").and_then(|text| text.parse().ok());
    let data = data(session.now, began.unwrap_or(session.now), import, result);
    let changes = row! {
        // An import that fails stops short of the end.
        "progress": if result.is_ok() { 100.0 } else { 80.0 },
        "completedon": session.moment(),
        "data": data,
        "solutionid": result.as_ref().ok().map(|installed| installed.solution_id),
    };
    session.update("importjob", id, changes)?;
    Ok(())
}

/// The report.
fn data(
    now: Timestamp,
    began: Timestamp,
    import: Option<&Import>,
    result: &Result<Installed, ServiceError>,
) -> String {
    let verdict = Verdict::new(now, result);
    let mut xml = format!(
        "<importexportxml start=\"{}\" stop=\"{}\" progress=\"{}\" processed=\"true\">",
        ticks(began),
        ticks(now),
        if result.is_ok() { "100" } else { "80" }
    );
    xml.push_str("<solutionManifests>");
    if let Some(import) = import {
        let manifest = &import.manifest;
        let _ = write!(
            xml,
            "<solutionManifest languagecode=\"{}\" id=\"{}\" LocalizedName=\"{}\" \
             processed=\"true\"><UniqueName>{}</UniqueName><LocalizedNames>\
             <LocalizedName description=\"{}\" languagecode=\"{0}\" /></LocalizedNames>\
             <Descriptions /><Version>{}</Version><Managed>{}</Managed><Publisher>\
             <UniqueName>{}</UniqueName></Publisher><results />{}</solutionManifest>",
            manifest.language.unwrap_or(1033),
            escape_attribute(&manifest.unique_name),
            escape_attribute(&manifest.display_name),
            escape_text(&manifest.unique_name),
            escape_attribute(&manifest.display_name),
            manifest.version,
            u8::from(manifest.managed),
            escape_text(&manifest.publisher.unique_name),
            verdict.manifest
        );
    } else {
        let _ = write!(
            xml,
            "<solutionManifest languagecode=\"1033\" id=\"\" LocalizedName=\"\" \
             processed=\"true\">{}</solutionManifest>",
            verdict.manifest
        );
    }
    xml.push_str(
        "</solutionManifests><upgradeSolutionPackageInformation><upgradeRequired>0\
         </upgradeRequired><upgradeValid>1</upgradeValid><fileVersion /><currentVersion />\
         <fileSku /><currentSku /></upgradeSolutionPackageInformation>",
    );
    let none = Vec::new();
    let components = import.map_or(&none, |import| &import.split.components);
    for (list, element, number) in LISTS {
        let mut inside = String::new();
        for component in components
            .iter()
            .filter(|it| it.component_type.code() == Some(*number))
        {
            inside.push_str(&entry(element, component, &verdict));
        }
        let _ = write!(xml, "<{list}>{inside}</{list}>");
    }
    let listed = |component: &&Component| {
        LISTS
            .iter()
            .any(|(_, _, number)| component.component_type.code() == Some(*number))
    };
    let others: String = components
        .iter()
        .filter(|component| !listed(component) && component.component_type.code().is_none())
        .map(|component| entry("component", component, &verdict))
        .collect();
    let roots = if components.is_empty() {
        ""
    } else {
        &verdict.component
    };
    let _ = write!(
        xml,
        "<languages /><entitySubhandlers>{others}</entitySubhandlers><publishes>\
         <publish processed=\"false\" /></publishes><rootComponents><rootComponent \
         processed=\"true\">{roots}</rootComponent></rootComponents><dependencies><dependency \
         processed=\"true\">{roots}</dependency></dependencies></importexportxml>"
    );
    xml
}

/// The lists of the report, their elements, and the kinds in them.
const LISTS: &[(&str, &str, u16)] = &[
    ("entities", "entity", code::TABLE),
    ("dashboards", "dashboard", code::FORM),
    ("securityroles", "securityrole", code::ROLE),
    ("workflows", "workflow", code::WORKFLOW),
    ("optionSets", "optionSet", code::OPTION_SET),
    ("ConnectionRoles", "ConnectionRole", code::CONNECTION_ROLE),
    (
        "SolutionPluginAssemblies",
        "SolutionPluginAssembly",
        code::PLUGIN_ASSEMBLY,
    ),
    (
        "SdkMessageProcessingSteps",
        "SdkMessageProcessingStep",
        code::STEP,
    ),
    (
        "ServiceEndpoints",
        "ServiceEndpoint",
        code::SERVICE_ENDPOINT,
    ),
    ("webResources", "webResource", code::WEB_RESOURCE),
    ("reports", "report", code::REPORT),
    (
        "FieldSecurityProfiles",
        "FieldSecurityProfile",
        code::FIELD_SECURITY_PROFILE,
    ),
    ("canvasApps", "canvasApp", code::CANVAS_APP),
    ("connectors", "connector", code::CONNECTOR),
];

fn entry(element: &str, component: &Component, verdict: &Verdict) -> String {
    let id = component
        .id
        .map_or_else(|| component.key.clone(), |id| format!("{{{id}}}"));
    format!(
        "<{element} id=\"{}\" LocalizedName=\"{}\" OriginalName=\"\" processed=\"true\">{}\
         </{element}>",
        escape_attribute(&id),
        escape_attribute(&component.display_name),
        verdict.component
    )
}

/// The `result` elements of an import.
struct Verdict {
    manifest: String,
    component: String,
}

impl Verdict {
    fn new(now: Timestamp, result: &Result<Installed, ServiceError>) -> Self {
        let time = now.to_zoned(jiff::tz::TimeZone::UTC);
        let stamp = format!(
            "datetime=\"{:02}:{:02}:{:02}.{:02}\" datetimeticks=\"{}\"",
            time.hour(),
            time.minute(),
            time.second(),
            time.millisecond() / 10,
            ticks(now)
        );
        let one = |verdict: &str, code: &str, text: &str, inside: &str| {
            format!(
                "<result result=\"{verdict}\" errorcode=\"{code}\" errortext=\"{}\" {stamp}>\
                 {inside}</result>",
                escape_attribute(text)
            )
        };
        match result {
            Ok(installed) if installed.warnings.is_empty() => Self {
                manifest: one("success", "0", "", ""),
                component: one("success", "0", "", ""),
            },
            Ok(installed) => Self {
                manifest: one("warning", "0", &installed.warnings.join(" "), ""),
                component: one("success", "0", "", ""),
            },
            Err(error) => {
                let parameter = escape_text(&error.message);
                let inside = format!("<parameters><parameter>{parameter}</parameter></parameters>");
                Self {
                    manifest: one("failure", &error.code, &error.message, &inside),
                    // Nothing was done to any component, and the report does not claim more.
                    component: String::new(),
                }
            }
        }
    }
}

fn ticks(moment: Timestamp) -> i128 {
    TICKS_AT_EPOCH + moment.as_nanosecond() / 100
}

/// The functions that read import jobs.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "RetrieveFormattedImportJobResults" => Operation::function(formatted),
        "RetrieveSolutionImportResult" => Operation::function(import_result),
        _ => return None,
    })
}

fn import_job(session: &Session<'_>, parameters: &Parameters) -> Result<Row, ServiceError> {
    let id = parameters
        .id("ImportJobId")?
        .ok_or_else(|| parameters.missing("ImportJobId"))?;
    session.existing("importjob", id)
}

fn formatted(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let job = import_job(session, parameters)?;
    Ok(Reply::Members(row! { "FormattedResults": workbook(&job) }))
}

fn import_result(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let job = import_job(session, parameters)?;
    let (failed, message) = failure(&job);
    let running = !job.contains_key("completedon");
    let status = if running {
        "InProgress"
    } else if failed {
        "Failed"
    } else {
        "Passed"
    };
    let errors: Vec<Value> = if failed {
        vec![json!({ "Message": message })]
    } else {
        Vec::new()
    };
    Ok(Reply::Members(row! {
        "SolutionOperationResult": {
            "FormattedResults": workbook(&job),
            "Type": "Import",
            "Status": status,
            "WarningMessages": [],
            "ErrorMessages": errors,
            "ActionLink": { "Label": null, "Target": null },
        }
    }))
}

/// Whether the report says that the import failed, and why.
fn failure(job: &Row) -> (bool, String) {
    let data = text(job, "data").unwrap_or_default();
    let Ok(document) = roxmltree::Document::parse(data) else {
        return (false, String::new());
    };
    let failed = document
        .descendants()
        .find(|node| node.has_tag_name("result") && node.attribute("result") == Some("failure"));
    let message = failed
        .and_then(|node| node.attribute("errortext"))
        .unwrap_or_default();
    (failed.is_some(), message.to_owned())
}

/// The report as the spreadsheet that people download.
fn workbook(job: &Row) -> String {
    let data = text(job, "data").unwrap_or_default();
    let mut rows = String::new();
    let mut line = |cells: [&str; 5]| {
        rows.push_str("<Row>");
        for cell in cells {
            let text = escape_text(cell);
            let _ = write!(rows, "<Cell><Data ss:Type=\"String\">{text}</Data></Cell>");
        }
        rows.push_str("</Row>");
    };
    line(["Item Type", "Id", "Name", "Status", "Description"]);
    if let Ok(document) = roxmltree::Document::parse(data) {
        for result in document
            .descendants()
            .filter(|node| node.has_tag_name("result"))
        {
            let item = result.parent_element();
            let of = |name: &str| {
                item.and_then(|item| item.attribute(name))
                    .unwrap_or_default()
            };
            let kind = item.map_or("", |item| item.tag_name().name());
            let status = result.attribute("result").unwrap_or_default();
            let why = result.attribute("errortext").unwrap_or_default();
            line([kind, of("id"), of("LocalizedName"), status, why]);
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><?mso-application progid=\"Excel.Sheet\"?>\
         <Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\" \
         xmlns:ss=\"urn:schemas-microsoft-com:office:spreadsheet\"><Worksheet \
         ss:Name=\"Components\"><Table>{rows}</Table></Worksheet></Workbook>"
    )
}
