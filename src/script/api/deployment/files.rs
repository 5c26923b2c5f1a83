//! Settings files and configuration data, read and written by scripts.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use rhai::plugin::{NativeCallContext, export_module};
use rhai::{Array, Dynamic, Map};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::HostError;
use super::super::environment::{Environment, data};
use super::super::error::{Scripted, Thrown};
use super::super::options::Options;
use super::super::package::Package;
use super::profile::Stage;
use super::source::files_of;
use crate::deployment::{
    self, DeploymentError, Files, SettingValues, SettingsFile, SolutionFolder, collect,
};
use crate::environment::data::DataPackage;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::transport::Secret;
use crate::workspace::config::StageValue;

/// The settings of one target, as scripts hold them.
#[derive(Clone)]
pub struct Settings {
    settings: Arc<deployment::Settings>,
    /// What they were read from, to read them again.
    source: Dynamic,
    options: Map,
    /// Whether a secret is in them.
    secret: bool,
}

impl Deref for Settings {
    type Target = deployment::Settings;

    fn deref(&self) -> &deployment::Settings {
        &self.settings
    }
}

/// Configuration data, as scripts hold it.
#[derive(Clone)]
pub struct Data(Arc<DataPackage>);

impl Deref for Data {
    type Target = DataPackage;

    fn deref(&self) -> &DataPackage {
        &self.0
    }
}

/// The options that say which files are meant, but for `stage`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    solution: String,
    environment: Option<String>,
    variables: BTreeMap<String, Value>,
}

/// The options of `settings_files`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    solution: String,
    environment: String,
    #[serde(default)]
    values: SettingValues,
    #[serde(default)]
    tokens: bool,
}

/// Settings and configuration data.
#[export_module]
pub(super) mod module {
    /// The settings of one target.
    pub type Settings = super::Settings;
    /// Configuration data: the rows that a solution needs.
    pub type Data = super::Data;

    /// The solutions in a branch or a folder of the workspace: maps with `name`, `folder`,
    /// `source` (the folder to pack), `legacy`, `project`, `configurations`.
    ///
    /// ```rhai,tenant
    /// type_of(deployment::layout(".")) == "array"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn layout(call: NativeCallContext<'_>, source: Dynamic) -> Scripted<Dynamic> {
        let context = Context::of(&call).thrown()?;
        let paths = files_of(&context, &source).thrown()?.paths().thrown()?;
        data(&deployment::layout(&paths)).thrown()
    }

    /// The settings of a solution for one target, read from `deploymentSettings.json` and
    /// `customDeploymentSettings.json` in a branch or a folder of the workspace. Those of the
    /// target win over the common ones; tokens `#{name}#` get their values, and one without a
    /// value is an error.
    ///
    /// Options: `solution`; `stage`, or `environment` (the folder under `config`) and `variables`
    /// (values for tokens, added to those of the stage).
    ///
    /// ```rhai,no_run
    /// let stage = deployment::profile("standard").stage("test");
    /// let settings = deployment::settings("source", #{ solution: "ContosoSales", stage: stage });
    /// for setting in settings.variables { print(setting.name) }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn settings(
        call: NativeCallContext<'_>,
        source: Dynamic,
        options: Map,
    ) -> Scripted<Settings> {
        let context = Context::of(&call).thrown()?;
        super::read_settings(&context, &source, options).thrown()
    }

    /// The configuration data of a solution for one target, or `()` when there is none. Options:
    /// `solution`, and `stage` or `environment`.
    ///
    /// ```rhai,no_run
    /// let found = deployment::find_data("source", #{ solution: "ContosoSales", environment: "test" });
    /// if found != () { environment::named("test").import_data(found) }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn find_data(
        call: NativeCallContext<'_>,
        source: Dynamic,
        options: Map,
    ) -> Scripted<Dynamic> {
        let context = Context::of(&call).thrown()?;
        super::read_data(&context, &source, options).thrown()
    }

    /// Looks for what would go wrong in `target` before a deployment begins: maps with `severity`
    /// (`error`, `warning`), `code`, `subject`, `message`, `remedy`. Nothing is changed.
    ///
    /// ```rhai,no_run
    /// let findings = deployment::preflight(environment::named("test"), settings, pkg);
    /// findings.filter(|f| f.severity == "error").is_empty()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn preflight(
        target: Environment,
        settings: Settings,
        package: Package,
    ) -> Scripted<Dynamic> {
        let zip = package.zip().thrown()?;
        super::look(&target, &settings, Some(&zip)).thrown()
    }

    /// Looks for what would go wrong with the settings alone.
    ///
    /// ```rhai,no_run
    /// deployment::preflight(environment::named("test"), settings).is_empty()
    /// ```
    #[rhai_fn(name = "preflight", return_raw)]
    pub fn preflight_settings(target: Environment, settings: Settings) -> Scripted<Dynamic> {
        super::look(&target, &settings, None).thrown()
    }

    /// The settings files of a solution for one target, completed with what the solution in
    /// `maker` needs settings for: a map of path to text with the files that change, for
    /// `branch.commit`. What stands in the files is kept.
    ///
    /// Options: `solution`, `environment` (the folder under `config`), `values` (by the names
    /// `environmentvariable.<schema>`, `connectionreference.<logical>`), `tokens` to write tokens
    /// `#{…}#` instead of values.
    ///
    /// ```rhai,no_run
    /// let maker = environment::development();
    /// let files = deployment::settings_files("source", maker, #{ solution: "ContosoSales", environment: "test" });
    /// files.keys()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn settings_files(
        call: NativeCallContext<'_>,
        source: Dynamic,
        maker: Environment,
        options: Map,
    ) -> Scripted<Map> {
        let context = Context::of(&call).thrown()?;
        super::write_settings(&context, &source, &maker, options).thrown()
    }

    /// The paths of the files that apply.
    ///
    /// ```rhai,no_run
    /// settings.files
    /// ```
    #[rhai_fn(global, get = "files", pure, return_raw)]
    pub fn setting_files(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.files).thrown()
    }

    /// Values of environment variables: maps with `name`, `value`.
    ///
    /// ```rhai,no_run
    /// for setting in settings.variables { target.set_variable(setting.name, setting.value) }
    /// ```
    #[rhai_fn(global, get = "variables", pure, return_raw)]
    pub fn setting_variables(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.variables).thrown()
    }

    /// Connections behind connection references: maps with `reference`, `connection`,
    /// `connector`, `owner`.
    ///
    /// ```rhai,no_run
    /// for setting in settings.connections { target.connect_reference(setting.reference, setting.connection) }
    /// ```
    #[rhai_fn(global, get = "connections", pure, return_raw)]
    pub fn setting_connections(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.connections).thrown()
    }

    /// Which flows are turned on or off: maps with `name`, `id`, `order`, `activate`.
    ///
    /// ```rhai,no_run
    /// let off = settings.flows.filter(|flow| !flow.activate);
    /// ```
    #[rhai_fn(global, get = "flows", pure, return_raw)]
    pub fn setting_flows(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.flows).thrown()
    }

    /// Who owns flows: maps with `name`, `id`, `owner`.
    ///
    /// ```rhai,no_run
    /// for setting in settings.flow_owners { target.set_flow_owner(setting.id, setting.owner) }
    /// ```
    #[rhai_fn(global, get = "flow_owners", pure, return_raw)]
    pub fn setting_flow_owners(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.flow_owners).thrown()
    }

    /// Who owns canvas apps: maps with `name`, `id`, `owner`.
    ///
    /// ```rhai,no_run
    /// for setting in settings.app_owners { target.set_app_owner(setting.id, setting.owner) }
    /// ```
    #[rhai_fn(global, get = "app_owners", pure, return_raw)]
    pub fn setting_app_owners(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.app_owners).thrown()
    }

    /// With which groups canvas apps are shared: maps with `app`, `group`, `role`.
    ///
    /// ```rhai,no_run
    /// for share in settings.app_shares { target.share_app(share.app, #{ group: share.group, role: share.role }) }
    /// ```
    #[rhai_fn(global, get = "app_shares", pure, return_raw)]
    pub fn setting_app_shares(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.app_shares).thrown()
    }

    /// Teams for Entra groups: maps that `ensure_group_team` takes as they are.
    ///
    /// ```rhai,no_run
    /// for team in settings.group_teams { target.ensure_group_team(team) }
    /// ```
    #[rhai_fn(global, get = "group_teams", pure, return_raw)]
    pub fn setting_group_teams(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.group_teams).thrown()
    }

    /// With which teams flows are shared: maps with `name`, `id`, `team`.
    ///
    /// ```rhai,no_run
    /// for share in settings.flow_shares { target.share_flow(share.id, share.team) }
    /// ```
    #[rhai_fn(global, get = "flow_shares", pure, return_raw)]
    pub fn setting_flow_shares(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.flow_shares).thrown()
    }

    /// With which teams custom connectors are shared: maps with `name`, `id`, `team`.
    ///
    /// ```rhai,no_run
    /// for share in settings.connector_shares { target.share_connector(share.id, share.team) }
    /// ```
    #[rhai_fn(global, get = "connector_shares", pure, return_raw)]
    pub fn setting_connector_shares(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.connector_shares).thrown()
    }

    /// Addresses of webhooks: maps with `name`, `url`.
    ///
    /// ```rhai,no_run
    /// for webhook in settings.webhooks { target.set_webhook(webhook.name, webhook.url) }
    /// ```
    #[rhai_fn(global, get = "webhooks", pure, return_raw)]
    pub fn setting_webhooks(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.webhooks).thrown()
    }

    /// Configurations of plug-in steps: maps with `id`, `secure` (whether the value is the secure
    /// configuration) and `value`.
    ///
    /// ```rhai,no_run
    /// for step in settings.steps.filter(|step| !step.secure) {
    ///     target.configure_step(step.id, #{ unsecure: step.value });
    /// }
    /// ```
    #[rhai_fn(global, get = "steps", pure, return_raw)]
    pub fn setting_steps(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.steps).thrown()
    }

    /// Defaults of environment variables for the commit: maps with `name`, `value`.
    ///
    /// ```rhai,no_run
    /// settings.default_variables.len()
    /// ```
    #[rhai_fn(global, get = "default_variables", pure, return_raw)]
    pub fn setting_default_variables(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.default_variables).thrown()
    }

    /// Entries that name a thing but have no value for it, in words.
    ///
    /// ```rhai,no_run
    /// for what in settings.empty { warning(`The ${what} has no value`) }
    /// ```
    #[rhai_fn(global, get = "empty", pure, return_raw)]
    pub fn setting_empty(settings: &mut Settings) -> Scripted<Dynamic> {
        data(&settings.empty).thrown()
    }

    /// The names of the tables that the data has rows for, in the order of the import.
    ///
    /// ```rhai,no_run
    /// deployment::find_data("source", #{ solution: "ContosoSales", environment: "test" }).tables
    /// ```
    #[rhai_fn(global, get = "tables", pure)]
    pub fn data_tables(package: &mut Data) -> Array {
        let names = package.tables.iter().map(|table| table.schema.name.clone());
        names.map(Dynamic::from).collect()
    }
}

/// Finds a solution's folder by its name or path.
fn folder(paths: &[String], solution: &str) -> Result<SolutionFolder, HostError> {
    let found = deployment::layout(paths);
    let is_meant = |folder: &&SolutionFolder| {
        folder.folder == solution || folder.name.eq_ignore_ascii_case(solution)
    };
    found.iter().find(is_meant).cloned().ok_or_else(|| {
        let found = found.iter().map(|folder| folder.folder.clone()).collect();
        DeploymentError::NoSolution {
            name: solution.to_owned(),
            found,
        }
        .into()
    })
}

/// The solution's folder, the target's folder under `config`, and the values of tokens.
fn which(
    files: &dyn Files,
    options: Map,
) -> Result<(SolutionFolder, String, BTreeMap<String, StageValue>), HostError> {
    let mut options = Options::new(options);
    let stage = options.take::<Stage>("stage")?;
    let read: Which = options.read()?;
    let mut environment = String::new();
    let mut variables = BTreeMap::new();
    let mut is_named = read.environment.is_some();
    if let Some(stage) = &stage {
        let entry = stage.entry()?;
        is_named |= entry.settings.is_some();
        environment = entry.settings_folder().to_owned();
        variables.clone_from(&entry.variables);
    }
    if let Some(named) = read.environment {
        environment = named;
    }
    for (name, value) in read.variables {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        variables.insert(name, StageValue::Text(value));
    }
    let paths = files.paths()?;
    let folder = folder(&paths, &read.solution)?;
    check_settings_folder(&paths, &folder, &environment, is_named)?;
    Ok((folder, environment, variables))
}

/// Makes sure that there are settings for a target. One whose folder nobody has named may do with
/// those for all targets, and a solution may have none at all.
fn check_settings_folder(
    paths: &[String],
    solution: &SolutionFolder,
    wanted: &str,
    is_named: bool,
) -> Result<(), HostError> {
    let found = &solution.configurations;
    if wanted.is_empty() || found.iter().any(|it| it.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let config = solution.config();
    let prefix = format!("{config}/");
    let common = paths.iter().any(|path| {
        path.strip_prefix(&prefix)
            .is_some_and(|name| !name.contains('/'))
    });
    if !is_named && (common || found.is_empty()) {
        return Ok(());
    }
    Err(DeploymentError::NoSettingsFolder {
        solution: solution.name.clone(),
        config,
        wanted: wanted.to_owned(),
        found: found.clone(),
    }
    .into())
}

fn read_settings(context: &Context, source: &Dynamic, options: Map) -> Result<Settings, HostError> {
    let files = files_of(context, source)?;
    let (folder, environment, variables) = which(files.as_ref(), options.clone())?;
    let mut secret = false;
    let mut values = BTreeMap::new();
    for (name, value) in variables {
        let text = match value {
            StageValue::Text(text) => text,
            StageValue::KeyVault(kept) => kept.keyvault,
            StageValue::Secret(kept) => {
                let read = kept.read(context.root())?;
                context.learn_secret(read.clone());
                secret = true;
                read.expose().to_owned()
            }
        };
        values.insert(name, text);
    }
    let settings = deployment::Settings::load(files.as_ref(), &folder, &environment, &values)?;
    for step in settings.steps.iter().filter(|step| step.secure) {
        context.learn_secret(Secret::new(step.value.clone()));
        secret = true;
    }
    Ok(Settings {
        settings: Arc::new(settings),
        source: source.clone(),
        options,
        secret,
    })
}

fn read_data(context: &Context, source: &Dynamic, options: Map) -> Result<Dynamic, HostError> {
    let files = files_of(context, source)?;
    let (folder, environment, _) = which(files.as_ref(), options)?;
    let found = deployment::find_data(files.as_ref(), &folder, &environment)?;
    Ok(found.map_or(Dynamic::UNIT, |package| {
        Dynamic::from(Data(Arc::new(package)))
    }))
}

fn look(
    target: &Environment,
    settings: &Settings,
    package: Option<&[u8]>,
) -> Result<Dynamic, HostError> {
    target.permit_reading()?;
    data(&deployment::preflight(target.client(), settings, package)?)
}

fn write_settings(
    context: &Context,
    source: &Dynamic,
    maker: &Environment,
    options: Map,
) -> Result<Map, HostError> {
    maker.permit_reading()?;
    let writing: Writing = super::super::options(options)?;
    let files = files_of(context, source)?;
    let paths = files.paths()?;
    // A solution that is not in the source yet gets its folder by its name.
    let config = folder(&paths, &writing.solution).map_or_else(
        |_| format!("{}/config", writing.solution),
        |folder| folder.config(),
    );
    let collected = collect(maker.client(), &writing.solution)?;
    let mut changed = Map::new();
    for custom in [false, true] {
        let name = if custom {
            "customDeploymentSettings"
        } else {
            "deploymentSettings"
        };
        // The file that a deployment to this target reads is the one to complete: a new one beside
        // common settings would hide them.
        let own = format!("{config}/{}/{name}.json", writing.environment);
        let common = format!("{config}/{name}.json");
        let path = if !paths.contains(&own) && paths.contains(&common) {
            common
        } else {
            own
        };
        let (mut file, before) = if paths.contains(&path) {
            let bytes = files.read(&path)?;
            (SettingsFile::parse(&path, &bytes)?, bytes)
        } else {
            (SettingsFile::new(&path), Vec::new())
        };
        if custom {
            collected.merge_custom(&mut file);
        } else {
            collected.merge_deployment(&mut file, &writing.values, writing.tokens);
        }
        let after = file.to_bytes();
        if after != before {
            changed.insert(
                path.into(),
                String::from_utf8_lossy(&after).into_owned().into(),
            );
        }
    }
    Ok(changed)
}

impl Keep for Settings {
    const KIND: &'static str = "settings";

    /// Settings with a secret in them are kept by where they were read, since the journal is no
    /// place for secrets; all others by their content.
    fn keep(&self, context: &Context) -> Result<Value, HostError> {
        let keepers = context.keepers();
        let mut kept = json!({
            "source": keepers.keep(&self.source, context)?,
            "options": keepers.keep(&self.options.clone().into(), context)?,
        });
        if !self.secret {
            kept["settings"] =
                serde_json::to_value(&*self.settings).map_err(|error| lost(&error))?;
        }
        Ok(kept)
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let keepers = context.keepers();
        let source = keepers.revive(&kept["source"], context)?;
        let options = keepers.revive(&kept["options"], context)?;
        let options = options.try_cast::<Map>().unwrap_or_default();
        match kept.get("settings") {
            Some(settings) => Ok(Self {
                settings: Arc::new(
                    serde_json::from_value(settings.clone()).map_err(|error| lost(&error))?,
                ),
                source,
                options,
                secret: false,
            }),
            None => read_settings(context, &source, options),
        }
    }
}

impl Keep for Data {
    const KIND: &'static str = "configuration-data";

    fn keep(&self, context: &Context) -> Result<Value, HostError> {
        let bytes = serde_json::to_vec(&*self.0).map_err(|error| lost(&error))?;
        Ok(context.artifacts().put(&bytes)?.into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let bytes = context.artifacts().get(kept.as_str().unwrap_or_default())?;
        let package = serde_json::from_slice(&bytes).map_err(|error| lost(&error))?;
        Ok(Self(Arc::new(package)))
    }
}

/// The error for something kept that cannot be written or read.
fn lost(error: &serde_json::Error) -> HostError {
    HostError::new(
        "ALM-D014",
        format!("what a step ended with cannot be kept: {error}"),
    )
}
