//! The actions that import, export, upgrade and delete solutions
//! (facts/dataverse-web-api.md, sections 4.1 to 4.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use uuid::Uuid;

use super::dependencies::existing_solution;
use super::import::{Switches, zip_of};
use super::jobs::{self, Work};
use super::{export, history, install, report};
use crate::emulator::dataverse::extension::{Operation, Parameters, Reply};
use crate::emulator::dataverse::row::{row, text};
use crate::emulator::dataverse::{ServiceError, Session};

/// The action called `name`.
pub(super) fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "ImportSolution" => Operation::action(import),
        "ImportSolutionAsync" => Operation::action(import_async),
        "StageAndUpgrade" => Operation::action(stage_and_upgrade),
        "StageAndUpgradeAsync" => Operation::action(stage_and_upgrade_async),
        "DeleteAndPromote" => Operation::action(promote),
        "DeleteAndPromoteAsync" => Operation::action(promote_async),
        "ExportSolution" => Operation::action(export),
        "ExportSolutionAsync" => Operation::action(export_async),
        "DownloadSolutionExportData" => Operation::action(download),
        "UninstallSolutionAsync" => Operation::action(uninstall_async),
        name if NOT_EMULATED.contains(&name) => Operation::action(refuse),
        "RetrieveMissingComponents" | "RetrieveDependenciesForUninstallWithMetadata" => {
            Operation::function(refuse)
        }
        _ => return None,
    })
}

/// Actions about solutions that the emulated environment has not learned yet.
const NOT_EMULATED: &[&str] = &[
    "CloneAsPatch",
    "CloneAsSolution",
    "ExportTranslation",
    "ImportTranslation",
    "ImportTranslationAsync",
    "AddComponentToSolutionAsync",
    "AddComponentsToSolutionAsync",
    "BulkRemoveActiveCustomizations",
    "SetPreferredSolution",
    "ConnectToGit",
    "DisconnectFromGit",
    "CommitToGit",
    "RefreshChangesFromGit",
    "PullChangesFromGit",
];

fn refuse(_: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    Err(ServiceError::not_emulated(&parameters.name))
}

fn import(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    now(session, parameters, Switches::read(parameters)?)?;
    Ok(Reply::Nothing)
}

fn stage_and_upgrade(
    session: &Session<'_>,
    parameters: &Parameters,
) -> Result<Reply, ServiceError> {
    let switches = Switches {
        upgrade: true,
        ..Switches::read(parameters)?
    };
    let id = now(session, parameters, switches)?;
    Ok(Reply::Members(row! { "SolutionId": id }))
}

/// Imports at once. A failed import leaves its import job, which says why.
fn now(
    session: &Session<'_>,
    parameters: &Parameters,
    switches: Switches,
) -> Result<Uuid, ServiceError> {
    jobs::free_for(session, "Import")?;
    let zip = zip_of(session, parameters)?;
    let import_job = import_job(session, parameters)?;
    report::begin(session, import_job, &zip)?;
    let work = Work::Import {
        zip: session.tx.put_blob(&zip)?,
        switches: Box::new(switches.clone()),
        import_job,
        message: "ImportSolution".into(),
    };
    let history = history::begin(session, &work)?;
    let result = jobs::import(session, import_job, &zip, switches);
    history::end(session, history, result.as_ref().err())?;
    result
        .map(|installed| installed.solution_id)
        .map_err(ServiceError::keeping_effects)
}

fn import_async(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    later(
        session,
        parameters,
        Switches::read(parameters)?,
        "ImportSolution",
    )
}

fn stage_and_upgrade_async(
    session: &Session<'_>,
    parameters: &Parameters,
) -> Result<Reply, ServiceError> {
    let switches = Switches {
        upgrade: true,
        ..Switches::read(parameters)?
    };
    later(session, parameters, switches, "StageAndUpgrade")
}

fn later(
    session: &Session<'_>,
    parameters: &Parameters,
    switches: Switches,
    message: &str,
) -> Result<Reply, ServiceError> {
    jobs::free_for(session, "Import")?;
    let zip = zip_of(session, parameters)?;
    let import_job = import_job(session, parameters)?;
    let work = Work::Import {
        zip: session.tx.put_blob(&zip)?,
        switches: Box::new(switches),
        import_job,
        message: message.into(),
    };
    let id = jobs::start(session, work)?;
    Ok(Reply::Members(row! {
        "ImportJobKey": import_job.to_string(),
        "AsyncOperationId": id,
    }))
}

fn import_job(session: &Session<'_>, parameters: &Parameters) -> Result<Uuid, ServiceError> {
    match parameters.id("ImportJobId")?.filter(|id| !id.is_nil()) {
        Some(id) => Ok(id),
        None => session.new_id("importjob"),
    }
}

fn promote(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    jobs::free_for(session, "Upgrade")?;
    let id = install::apply_upgrade(session, parameters.required("UniqueName")?)?;
    Ok(Reply::Members(row! { "SolutionId": id }))
}

fn promote_async(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let solution = parameters.required("UniqueName")?.to_owned();
    let id = jobs::start(session, Work::Promote { solution })?;
    Ok(Reply::Members(row! { "AsyncOperationId": id }))
}

fn export(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    jobs::free_for(session, "Export")?;
    let (name, managed) = what_to_export(parameters)?;
    let zip = export::zip(session, name, managed)?;
    Ok(Reply::Members(
        row! { "ExportSolutionFile": BASE64.encode(zip) },
    ))
}

fn export_async(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let (name, managed) = what_to_export(parameters)?;
    existing_solution(session, name)?;
    let export_job = session.new_id("exportsolutionupload")?;
    let id = jobs::start(
        session,
        Work::Export {
            solution: name.to_owned(),
            managed,
            export_job,
        },
    )?;
    Ok(Reply::Members(
        row! { "AsyncOperationId": id, "ExportJobId": export_job },
    ))
}

fn what_to_export(parameters: &Parameters) -> Result<(&str, bool), ServiceError> {
    let chosen = parameters.values.get("ExportComponentsParams");
    if chosen.is_some_and(|chosen| !chosen.is_null()) {
        return Err(ServiceError::not_emulated("ExportComponentsParams"));
    }
    Ok((
        parameters.required("SolutionName")?,
        parameters.flag("Managed"),
    ))
}

fn download(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let id = parameters
        .id("ExportJobId")?
        .ok_or_else(|| parameters.missing("ExportJobId"))?;
    let row = session.existing("exportsolutionupload", id)?;
    let zip = text(&row, "solutionfile")
        .map(|hash| session.tx.get_blob(hash))
        .transpose()?;
    let zip = zip
        .flatten()
        .ok_or_else(|| ServiceError::no_row("exportsolutionupload", id))?;
    Ok(Reply::Members(
        row! { "ExportSolutionFile": BASE64.encode(zip) },
    ))
}

fn uninstall_async(session: &Session<'_>, parameters: &Parameters) -> Result<Reply, ServiceError> {
    let solution = parameters.required("SolutionUniqueName")?.to_owned();
    existing_solution(session, &solution)?;
    let id = jobs::start(session, Work::Uninstall { solution })?;
    Ok(Reply::Members(row! { "AsyncOperationId": id }))
}
