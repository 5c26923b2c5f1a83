//! Staging: a package is looked at and kept, and nothing is installed
//! (facts/dataverse-web-api.md, section 4.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::import::{Import, Switches, zip_of};
use super::record::{HOLDING, Records};
use super::{checks, jobs, missing};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{flag, id, row, text};
use crate::emulator::dataverse::{Row, ServiceError, Session};
use crate::solution::component::{Component, ComponentType, Identity, code};

/// The staging action.
pub(super) fn operation(name: &str) -> Option<Operation> {
    (name == "StageSolution").then(|| Operation::action(stage))
}

fn stage(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let zip = zip_of(session, parameters)?;
    let import = Import::open(&zip, Switches::default())?;
    let records = Records::load(session)?;
    let lacking = missing::missing(session, &records, &import)?;
    let problem = checks::check(session, &records, &import).err();
    let upload = parameters.id("StageSolutionUploadId")?;
    let upload = session.insert(
        "stagesolutionupload",
        row! {
            "stagesolutionuploadid": upload,
            "name": import.manifest.unique_name,
            "solutionuniquename": import.manifest.unique_name,
            "solutionfile": session.tx.put_blob(&zip)?,
        },
    )?;
    let mut details = vec![detail(
        &import.manifest.display_name,
        "solution",
        checks::installed(session, &import.manifest.unique_name)?.is_some(),
        &[("uniquename", Some(import.manifest.unique_name.clone()))],
    )];
    for component in &import.split.components {
        details.extend(component_detail(&records, component));
    }
    let validation: Vec<Value> = problem
        .iter()
        .map(|error| {
            json!({
                "SolutionValidationResultType": "Error",
                "ErrorCode": jobs::decimal(&error.code),
                "AdditionalInfo": "",
                "Message": error.message,
            })
        })
        .collect();
    let lacking: Vec<Value> = lacking
        .iter()
        .map(|one| {
            json!({
                "RequiredComponentSchemaName": one.required.key,
                "RequiredComponentDisplayName": one.required_name,
                "RequiredComponentParentSchemaName": "",
                "RequiredComponentParentDisplayName": "",
                "RequiredComponentId": "",
                "RequiredSolutionName": one.solution,
                "RequiredComponentType": one.required.component_type.to_string(),
                "DependentComponentSchemaName": one.dependent.key,
                "DependentComponentDisplayName": one.dependent_name,
                "DependentComponentParentSchemaName": "",
                "DependentComponentParentDisplayName": "",
                "DependentComponentId": "",
                "DependentComponentType": one.dependent.component_type.to_string(),
            })
        })
        .collect();
    Ok(Reply::Members(row! {
        "StageSolutionResults": {
            "StageSolutionUploadId": upload,
            "StageSolutionStatus": if problem.is_none() { "Passed" } else { "Failed" },
            "SolutionComponentsDetails": details,
            "SolutionDetails": solution_details(session, &import)?,
            "MissingDependencies": lacking,
            "SolutionValidationResults": validation,
        }
    }))
}

fn solution_details(session: &Session<'_>, import: &Import) -> Result<Value, ServiceError> {
    let manifest = &import.manifest;
    let before = checks::installed(session, &manifest.unique_name)?;
    let old = |column: &str| {
        before
            .as_ref()
            .and_then(|row| text(row, column).map(str::to_owned))
    };
    let publisher: Option<Row> = before
        .as_ref()
        .and_then(|row| id(row, "_publisherid_value"))
        .map(|id| session.row("publisher", id))
        .transpose()?
        .flatten();
    let waiting = format!("{}{HOLDING}", manifest.unique_name);
    Ok(json!({
        "SolutionUniqueName": manifest.unique_name,
        "SolutionFriendlyName": manifest.display_name,
        "SolutionDescription": manifest.descriptions.first().map(|(_, text)| text),
        "PublisherUniqueName": manifest.publisher.unique_name,
        "PublisherFriendlyName": manifest.publisher.display_name,
        "PreviousSolutionUniqueName": old("uniquename"),
        "PreviousSolutionFriendlyName": old("friendlyname"),
        "PreviousPublisherUniqueName": publisher.as_ref().and_then(|row| text(row, "uniquename")),
        "PreviousPublisherFriendlyName":
            publisher.as_ref().and_then(|row| text(row, "friendlyname")),
        "IsPatchSolution": false,
        "IsManaged": manifest.managed,
        "PreviousIsManaged": before.as_ref().is_some_and(|row| flag(row, "ismanaged")),
        "SolutionVersion": manifest.version.to_string(),
        "PreviousSolutionVersion": old("version"),
        "PreviousPatchSolutionsNames": [],
        "IsPrerequisitesExport": false,
        "HasPendingUpgrade": checks::installed(session, &waiting)?.is_some(),
    }))
}

/// What callers are told about the components whose values they may set.
fn component_detail(records: &Records, component: &Component) -> Option<Value> {
    use crate::solution::component::fragment::{Wrapped, top, value};
    let wrapped = Wrapped::new(&component.fragment);
    let document = wrapped.document().ok();
    let node = document.as_ref().and_then(top);
    let at = |place: &str| node.and_then(|node| value(node, place)).map(str::to_owned);
    let there = records.get(&component.identity()).is_some();
    let schema = component.schema_name.clone();
    Some(
        match (&component.component_type, component.component_type.code()) {
            (_, Some(code::TABLE)) => detail(
                &component.display_name,
                "entity",
                there,
                &[("schemaname", schema)],
            ),
            (ComponentType::Table(table), None) if table == "connectionreference" => detail(
                &component.key,
                table,
                there,
                &[
                    ("connectorid", at("connectorid")),
                    ("connectionreferencelogicalname", schema),
                    (
                        "connectionreferencedisplayname",
                        at("connectionreferencedisplayname"),
                    ),
                    ("description", at("description")),
                ],
            ),
            (_, Some(code::VARIABLE)) => detail(
                &component.key,
                "EnvironmentVariableDefinition",
                there,
                &[
                    ("schemaname", schema),
                    ("displayname", at("displayname/@default")),
                    ("description", at("description/@default")),
                    ("type", at("type")),
                    ("defaultvalue", at("defaultvalue")),
                    ("isrequired", at("isrequired")),
                    ("parameterkey", at("parameterkey")),
                    ("parentdefinitionid", at("parentdefinitionid/schemaname")),
                    ("apiid", at("apiid")),
                ],
            ),
            (_, Some(code::VARIABLE_VALUE)) => {
                let value: Option<Value> =
                    serde_json::from_str(component.fragment.trim_start_matches('\u{feff}')).ok();
                let value = value.and_then(|value| {
                    let at = "/environmentvariablevalues/environmentvariablevalue/value";
                    value.pointer(at).and_then(Value::as_str).map(str::to_owned)
                });
                detail(
                    &component.key,
                    "EnvironmentVariableValue",
                    records
                        .get(&Identity::coded(code::VARIABLE_VALUE, &component.key))
                        .is_some(),
                    &[
                        ("schemaname", schema),
                        (
                            "environmentvariablevalueid",
                            component.id.map(|id| id.to_string()),
                        ),
                        ("value", value),
                    ],
                )
            }
            _ => return None,
        },
    )
}

/// One entry of `SolutionComponentsDetails`: the service writes attributes as parallel lists.
fn detail(name: &str, kind: &str, there: bool, attributes: &[(&str, Option<String>)]) -> Value {
    let keys: Vec<&str> = attributes.iter().map(|(key, _)| *key).collect();
    let values: Vec<&Option<String>> = attributes.iter().map(|(_, value)| value).collect();
    json!({
        "ComponentName": name,
        "ComponentTypeName": kind,
        "IsPresentInOrg": if there { "True" } else { "False" },
        "Attributes": {
            "Count": attributes.len(), "IsReadOnly": false, "Keys": keys, "Values": values,
        },
    })
}

/// Takes the package that was staged as `upload`; it can be taken once.
///
/// # Errors
/// `404` when there is no such upload.
pub(super) fn take(session: &Session<'_>, upload: Uuid) -> Result<Vec<u8>, ServiceError> {
    let row = session.existing("stagesolutionupload", upload)?;
    let zip = text(&row, "solutionfile")
        .map(|hash| session.tx.get_blob(hash))
        .transpose()?;
    session.remove("stagesolutionupload", upload)?;
    zip.flatten()
        .ok_or_else(|| ServiceError::no_row("stagesolutionupload", upload))
}
