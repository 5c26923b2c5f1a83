//! What can be seen to go wrong in a target before a deployment begins.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{DeploymentError, Settings};
use crate::environment::{Environment, EnvironmentError};

/// One thing that should be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code for this kind of finding.
    pub code: &'static str,
    /// What it is about, for example `connection reference new_sharepoint`.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The deployment would fail.
    Error,
    /// The deployment would go on and something would not work.
    Warning,
}

/// Looks at `environment` with the eyes of a deployment of `package` (if given) with `settings`.
/// Nothing is changed. Errors come first, then in the order of a deployment.
///
/// # Errors
/// When the environment cannot be asked at all.
pub fn preflight(
    environment: &Environment,
    settings: &Settings,
    package: Option<&[u8]>,
) -> Result<Vec<Finding>, DeploymentError> {
    let mut findings = Vec::new();
    if let Some(package) = package {
        look_at_package(environment, package, &mut findings)?;
    }
    for what in &settings.empty {
        findings.push(Finding {
            severity: Severity::Warning,
            code: "ALM-D021",
            subject: what.clone(),
            message: format!("the {what} has no value and is left as it is"),
            remedy: "give it a value in the settings file, or remove the entry".to_owned(),
        });
    }
    look_at_connections(environment, settings, &mut findings)?;
    look_at_people(environment, settings, &mut findings)?;
    look_at_teams(environment, settings, &mut findings)?;
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}

fn look_at_package(
    environment: &Environment,
    package: &[u8],
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let staged = environment.stage_solution(package)?;
    for missing in &staged.missing {
        let from = match (&missing.required.solution, &missing.required.version) {
            (Some(solution), Some(version)) => {
                format!("install {solution} {version} or newer first")
            }
            (Some(solution), None) => format!("install {solution} first"),
            _ => "add it to the solution, or install the solution that has it first".to_owned(),
        };
        findings.push(Finding {
            severity: Severity::Error,
            code: "ALM-D020",
            subject: missing.required.name.clone(),
            message: format!("missing: {missing}"),
            remedy: from,
        });
    }
    for validation in &staged.validations {
        let severity = if validation.severity == "Error" {
            Severity::Error
        } else {
            Severity::Warning
        };
        findings.push(Finding {
            severity,
            code: "ALM-D022",
            subject: validation.service_code.clone(),
            message: validation.message.clone(),
            remedy: "see the service's code".to_owned(),
        });
    }
    Ok(())
}

fn look_at_connections(
    environment: &Environment,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    for setting in &settings.connections {
        let subject = format!("connection reference {}", setting.reference);
        let connector = setting.connector.as_deref().unwrap_or_default();
        match environment.check_connection(&setting.connection, connector) {
            Ok(()) => {}
            Err(EnvironmentError::ConnectionNotShared { .. }) => findings.push(Finding {
                severity: Severity::Error,
                code: "ALM-D023",
                subject,
                message: format!(
                    "the connection {} is not shared with this run",
                    setting.connection
                ),
                remedy: "ask its owner to share it with the identity of this run".to_owned(),
            }),
            Err(EnvironmentError::Missing { .. }) => findings.push(Finding {
                severity: Severity::Error,
                code: "ALM-D024",
                subject,
                message: format!(
                    "there is no connection {} in {}",
                    setting.connection,
                    environment.name()
                ),
                remedy: "create the connection there and put its id into the settings file"
                    .to_owned(),
            }),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn look_at_people(
    environment: &Environment,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let owners: BTreeSet<&str> = settings
        .flow_owners
        .iter()
        .chain(&settings.app_owners)
        .map(|setting| setting.owner.as_str())
        .collect();
    for owner in owners {
        match environment.user(owner) {
            Ok(_) => {}
            Err(EnvironmentError::Missing { .. }) => findings.push(Finding {
                severity: Severity::Error,
                code: "ALM-D025",
                subject: owner.to_owned(),
                message: format!("{owner} is no user of {}", environment.name()),
                remedy: "add the user to the environment, or name another owner".to_owned(),
            }),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn look_at_teams(
    environment: &Environment,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> Result<(), DeploymentError> {
    let teams: BTreeSet<&str> = settings
        .flow_shares
        .iter()
        .chain(&settings.connector_shares)
        .map(|share| share.team.as_str())
        // Teams that this deployment makes need not be there yet.
        .filter(|team| {
            !settings
                .group_teams
                .iter()
                .any(|made| made.name.eq_ignore_ascii_case(team))
        })
        .collect();
    for team in teams {
        match environment.team(team) {
            Ok(_) => {}
            Err(EnvironmentError::Missing { .. } | EnvironmentError::Ambiguous { .. }) => {
                findings.push(Finding {
                    severity: Severity::Error,
                    code: "ALM-D026",
                    subject: team.to_owned(),
                    message: format!("there is no one team {team:?} in {}", environment.name()),
                    remedy: "add it to AadGroupTeamConfiguration, or correct its name".to_owned(),
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
