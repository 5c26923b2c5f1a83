//! The settings of one target: everything that the two files say, typed and with its tokens
//! replaced (ALM Accelerator notes, 2.2 and 2.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::files::Files;
use super::settings_file::{CUSTOM, DEPLOYMENT, Entry, SettingsFile};
use super::{DeploymentError, SolutionFolder};

/// What a deployment sets in one environment. Entries without a value are not in the lists but in
/// [`Settings::empty`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The files that apply.
    pub files: Vec<String>,
    /// Values of environment variables.
    pub variables: Vec<VariableSetting>,
    /// Connections behind connection references.
    pub connections: Vec<ConnectionSetting>,
    /// Which flows are turned on or off, and in which order.
    pub flows: Vec<FlowSetting>,
    /// Who owns flows.
    pub flow_owners: Vec<OwnerSetting>,
    /// Who owns canvas apps.
    pub app_owners: Vec<OwnerSetting>,
    /// With which groups canvas apps are shared.
    pub app_shares: Vec<AppShare>,
    /// Teams for Entra groups.
    pub group_teams: Vec<GroupTeamSetting>,
    /// With which teams flows are shared.
    pub flow_shares: Vec<TeamShare>,
    /// With which teams custom connectors are shared.
    pub connector_shares: Vec<TeamShare>,
    /// Addresses of webhooks.
    pub webhooks: Vec<WebhookSetting>,
    /// Configurations of plug-in steps.
    pub steps: Vec<StepSetting>,
    /// Defaults of environment variables, used when the solution is committed.
    pub default_variables: Vec<VariableSetting>,
    /// Entries that name a thing but have no value for it, for example
    /// `environment variable new_Url`.
    pub empty: Vec<String>,
}

/// The value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariableSetting {
    /// The schema name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The connection behind a connection reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSetting {
    /// The reference's logical name.
    pub reference: String,
    /// The connection's id.
    pub connection: String,
    /// The connector's id.
    pub connector: Option<String>,
    /// Who owns the connection: an Entra object id or an e-mail address.
    pub owner: Option<String>,
}

/// Whether a flow is turned on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowSetting {
    /// The flow's name.
    pub name: String,
    /// The flow's id; where absent, the name counts.
    pub id: Option<Uuid>,
    /// Its place by hand.
    pub order: Option<f64>,
    /// Turned on, or turned off.
    pub activate: bool,
}

/// Who owns a flow or an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerSetting {
    /// The component's name.
    pub name: String,
    /// The component's id or unique name.
    pub id: String,
    /// The owner's e-mail address or sign-in name.
    pub owner: String,
}

/// A canvas app shared with a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppShare {
    /// The app's unique name, or its display name where that is all there is.
    pub app: String,
    /// The Entra group.
    pub group: Uuid,
    /// `CanView`, `CanViewWithShare` or `CanEdit`.
    pub role: String,
}

/// A team for an Entra group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTeamSetting {
    /// The team's name.
    pub name: String,
    /// The Entra group.
    pub group: Uuid,
    /// The business unit.
    pub business_unit: Option<Uuid>,
    /// The security roles.
    pub roles: Vec<String>,
    /// Whether other roles are taken away.
    pub remove_other_roles: bool,
}

/// A flow or connector shared with a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamShare {
    /// The component's name.
    pub name: String,
    /// The component's id, or its name where that is all there is.
    pub id: String,
    /// The team.
    pub team: String,
}

/// The address of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSetting {
    /// The service endpoint's name.
    pub name: String,
    /// The address.
    pub url: String,
}

/// The configuration of a plug-in step.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSetting {
    /// The step.
    pub id: Uuid,
    /// Whether the value is the secure configuration.
    pub secure: bool,
    /// The configuration.
    pub value: String,
}

impl std::fmt::Debug for StepSetting {
    /// Leaves the value out: a secure configuration is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepSetting")
            .field("id", &self.id)
            .field("secure", &self.secure)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the settings of `solution` for `environment` (the name of its folder under `config`)
    /// with `variables` as the values of tokens. Without any file there are no settings.
    ///
    /// # Errors
    /// [`DeploymentError::MissingTokens`] names every token without a value, and its file.
    pub fn load(
        files: &dyn Files,
        solution: &SolutionFolder,
        environment: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, DeploymentError> {
        let paths = files.paths()?;
        let mut missing = Vec::new();
        let mut load = |name| -> Result<Option<SettingsFile>, DeploymentError> {
            let mut file = SettingsFile::choose(files, &paths, solution, environment, name)?;
            if let Some(file) = &mut file {
                file.replace_tokens(variables, &mut missing);
            }
            Ok(file)
        };
        let deployment = load(DEPLOYMENT)?;
        let custom = load(CUSTOM)?;
        if !missing.is_empty() {
            missing.sort();
            missing.dedup();
            return Err(DeploymentError::MissingTokens(missing));
        }
        let mut settings = Self::default();
        if let Some(file) = &deployment {
            settings.read_deployment(file)?;
        }
        if let Some(file) = &custom {
            settings.read_custom(file)?;
        }
        Ok(settings)
    }

    fn read_deployment(&mut self, file: &SettingsFile) -> Result<(), DeploymentError> {
        self.files.push(file.path.clone());
        for entry in file.entries("EnvironmentVariables")? {
            let Some(name) = entry.optional("SchemaName") else {
                continue;
            };
            let value = entry.text("Value");
            if value.is_empty() {
                self.empty.push(format!("environment variable {name}"));
            } else {
                self.variables.push(VariableSetting { name, value });
            }
        }
        for entry in file.entries("ConnectionReferences")? {
            let Some(reference) = entry.optional("LogicalName") else {
                continue;
            };
            let Some(connection) = entry.optional("ConnectionId") else {
                self.empty.push(format!("connection reference {reference}"));
                continue;
            };
            self.connections.push(ConnectionSetting {
                reference,
                connection,
                connector: entry.optional("ConnectorId"),
                owner: entry.optional("ConnectionOwner"),
            });
        }
        Ok(())
    }

    fn read_custom(&mut self, file: &SettingsFile) -> Result<(), DeploymentError> {
        self.files.push(file.path.clone());
        for entry in file.entries("ActivateFlowConfiguration")? {
            let name = entry.text(NAME);
            let id = entry.guid(UNIQUE_NAME)?;
            if name.is_empty() && id.is_none() {
                continue;
            }
            self.flows.push(FlowSetting {
                name,
                id,
                order: entry.number("sortOrder"),
                // Files from before the flag existed list flows to turn on.
                activate: entry.flag("activate").unwrap_or(true),
            });
        }
        for entry in file.entries("SolutionComponentOwnershipConfiguration")? {
            self.read_owner(&entry)?;
        }
        for entry in file.entries("AadGroupCanvasConfiguration")? {
            let app = entry
                .optional("canvasNameInSolution")
                .or_else(|| entry.optional("canvasDisplayName"));
            let Some(app) = app else { continue };
            match (entry.guid("aadGroupId")?, entry.optional("roleName")) {
                (Some(group), Some(role)) => self.app_shares.push(AppShare { app, group, role }),
                _ => self.empty.push(format!("share of canvas app {app}")),
            }
        }
        for entry in file.entries("AadGroupTeamConfiguration")? {
            let Some(name) = entry.optional("aadGroupTeamName") else {
                continue;
            };
            let Some(group) = entry.guid("aadSecurityGroupId")? else {
                self.empty.push(format!("group of team {name}"));
                continue;
            };
            self.group_teams.push(GroupTeamSetting {
                name,
                group,
                business_unit: entry.guid("aadGroupTeamBusinessUnitId")?,
                roles: entry.texts("dataverseSecurityRoleNames"),
                // Only an explicit "false" takes roles away.
                remove_other_roles: entry.flag("skipRolesDeletion") == Some(false),
            });
        }
        self.flow_shares = self.team_shares(file, "FlowShareWithGroupTeamConfiguration", "flow")?;
        self.connector_shares = self.team_shares(
            file,
            "ConnectorShareWithGroupTeamConfiguration",
            "connector",
        )?;
        for entry in file.entries("WebhookUrls")? {
            let Some(name) = entry.optional("SchemaName") else {
                continue;
            };
            match entry.optional("Value") {
                Some(url) => self.webhooks.push(WebhookSetting { name, url }),
                None => self.empty.push(format!("webhook {name}")),
            }
        }
        for entry in file.entries("SDKMessages")? {
            self.read_step(&entry)?;
        }
        self.read_default_variables(file)
    }

    fn read_owner(&mut self, entry: &Entry<'_>) -> Result<(), DeploymentError> {
        let name = entry.text(NAME);
        let id = entry.optional(UNIQUE_NAME).unwrap_or_else(|| name.clone());
        if id.is_empty() {
            return Ok(());
        }
        let Some(owner) = entry.optional("ownerEmail") else {
            self.empty.push(format!("owner of {name}"));
            return Ok(());
        };
        let setting = OwnerSetting { name, id, owner };
        match entry
            .number("solutionComponentType")
            .map(|number| number.to_string())
            .as_deref()
        {
            Some("29") => self.flow_owners.push(setting),
            Some("300") => self.app_owners.push(setting),
            other => {
                let reason = format!(
                    "{} is neither 29 (flow) nor 300 (canvas app)",
                    other.unwrap_or("it")
                );
                return Err(entry.wrong("solutionComponentType", &reason));
            }
        }
        Ok(())
    }

    fn team_shares(
        &mut self,
        file: &SettingsFile,
        list: &str,
        kind: &str,
    ) -> Result<Vec<TeamShare>, DeploymentError> {
        let mut shares = Vec::new();
        for entry in file.entries(list)? {
            let name = entry.text(NAME);
            let id = entry.optional(UNIQUE_NAME).unwrap_or_else(|| name.clone());
            if id.is_empty() {
                continue;
            }
            match entry.optional("aadGroupTeamName") {
                Some(team) => shares.push(TeamShare { name, id, team }),
                None => self.empty.push(format!("team for {kind} {name}")),
            }
        }
        Ok(shares)
    }

    /// `Config` is `unsec.<step>` or `sec.<step>`.
    fn read_step(&mut self, entry: &Entry<'_>) -> Result<(), DeploymentError> {
        let Some(config) = entry.optional("Config") else {
            return Ok(());
        };
        let Some((kind, id)) = config.split_once('.') else {
            return Err(entry.wrong("Config", "it is neither unsec.<id> nor sec.<id>"));
        };
        let secure = match kind {
            "sec" => true,
            "unsec" => false,
            _ => return Err(entry.wrong("Config", "it is neither unsec.<id> nor sec.<id>")),
        };
        let id = id.trim_matches(['{', '}']);
        let id = id
            .parse()
            .map_err(|_| entry.wrong("Config", &format!("{id:?} is not an id")))?;
        let value = entry.text("Value");
        if value.is_empty() {
            self.empty
                .push(format!("configuration of plug-in step {id}"));
        } else {
            self.steps.push(StepSetting { id, secure, value });
        }
        Ok(())
    }

    /// Pairs `[schema name, value]`, written by hand.
    fn read_default_variables(&mut self, file: &SettingsFile) -> Result<(), DeploymentError> {
        for (index, pair) in file.list("DefaultEnvironmentVariables").iter().enumerate() {
            match pair.as_array().map(Vec::as_slice) {
                Some([Value::String(name), Value::String(value)]) => {
                    let setting = VariableSetting {
                        name: name.clone(),
                        value: value.clone(),
                    };
                    self.default_variables.push(setting);
                }
                _ => {
                    return Err(DeploymentError::Setting {
                        file: file.path.clone(),
                        place: format!("DefaultEnvironmentVariables[{index}]"),
                        reason: "it is not a pair of texts".to_owned(),
                    });
                }
            }
        }
        Ok(())
    }
}

const NAME: &str = "solutionComponentName";
const UNIQUE_NAME: &str = "solutionComponentUniqueName";
