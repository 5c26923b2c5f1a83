//! Solutions, exported, installed and removed by scripts.

use rhai::plugin::{ImmutableString, export_module};
use rhai::{Array, Dynamic, Map};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::deployment::Settings;
use super::super::error::{Scripted, Thrown};
use super::super::options::Options;
use super::super::package::Package;
use super::super::{HostError, options};
use super::{change, data};
use crate::environment::{
    ComponentParameter, ExportOptions, ImportMode, ImportOptions, MissingDependency,
};
use crate::solution;
use crate::workspace::Action;

/// The options of `export_solution`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Exporting {
    managed: bool,
}

/// The options of `install`, but for `settings`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Installing {
    mode: Mode,
    overwrite: bool,
    activate: bool,
    convert_to_managed: bool,
    skip_product_updates: bool,
}

impl Default for Installing {
    fn default() -> Self {
        Self {
            mode: Mode::Update,
            overwrite: true,
            activate: true,
            convert_to_managed: false,
            skip_product_updates: false,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Update,
    Upgrade,
    Hold,
}

/// Solutions.
#[export_module]
pub(super) mod module {
    use super::super::Environment;

    /// The visible solutions: maps with `unique_name`, `friendly_name`, `version`, `managed`,
    /// `patch`, `prefix`, `installed_on` and `id`.
    ///
    /// ```rhai,tenant
    /// environment::development().solutions().some(|s| s.unique_name == "PermitManagement")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn solutions(environment: &mut Environment) -> Scripted<Dynamic> {
        data(&environment.reading().thrown()?.solutions().thrown()?).thrown()
    }

    /// The solution with this unique name as a map, or `()` when it is not installed.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// !dev.solution("PermitManagement").managed && dev.solution("Nothing") == ()
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn solution(environment: &mut Environment, name: &str) -> Scripted<Dynamic> {
        let found = environment
            .reading()
            .thrown()?
            .find_solution(name)
            .thrown()?;
        found.map_or(Ok(Dynamic::UNIT), |solution| data(&solution).thrown())
    }

    /// Publishes all customizations and waits until that is done. It concerns everybody's drafts
    /// in the environment.
    ///
    /// ```rhai,tenant
    /// environment::development().publish_all();
    /// true
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn publish_all(environment: &mut Environment) -> Scripted<()> {
        environment
            .allowed(Action::Publish)
            .thrown()?
            .publish_all()
            .thrown()
    }

    /// Exports an unmanaged solution. Option: `managed` for a managed package.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// type_of(dev.export_solution("PermitManagement", #{ managed: true })) == "Package"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn export_solution(
        environment: &mut Environment,
        name: &str,
        options: Map,
    ) -> Scripted<Package> {
        let Exporting { managed } = super::options(options).thrown()?;
        let client = environment.allowed(Action::Export).thrown()?;
        let bytes = client
            .export_solution(name, ExportOptions { managed })
            .thrown()?;
        Ok(Package::new(solution::Package::from_zip(&bytes).thrown()?))
    }

    /// Exports an unmanaged solution as it is.
    ///
    /// ```rhai,tenant
    /// type_of(environment::development().export_solution("PermitManagement")) == "Package"
    /// ```
    #[rhai_fn(global, name = "export_solution", pure, return_raw)]
    pub fn export_unmanaged(environment: &mut Environment, name: &str) -> Scripted<Package> {
        export_solution(environment, name, Map::new())
    }

    /// Imports a package, waits for the end and returns a report: a map with `action`
    /// (`installed`, `updated`, `upgraded`, `held`), `version`, `warnings`, `failures`, `job_id`.
    ///
    /// Options: `mode` (`update`; `upgrade` deletes what is no longer in the package; `hold` is
    /// the first half of an upgrade), `overwrite` unmanaged changes (true), `activate` classic
    /// processes and plug-in steps (true), `convert_to_managed`, `skip_product_updates`, and
    /// `settings` whose variables and connections are set with the import. An import of the same
    /// solution that runs already is waited for first.
    ///
    /// ```rhai,tenant
    /// let pkg = environment::development().export_solution("PermitManagement", #{ managed: true });
    /// environment::named("test").install(pkg, #{ mode: "upgrade" }).action == "installed"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn install(
        environment: &mut Environment,
        package: Package,
        options: Map,
    ) -> Scripted<Dynamic> {
        let manifest = package.manifest().thrown()?;
        let client = environment
            .allowed(Action::install(manifest.managed))
            .thrown()?;
        let mut options = super::import_options(options).thrown()?;
        let zip = package.zip().thrown()?;
        options.seed = Some(environment.import_seed(&manifest.unique_name, &zip, options.mode));
        let report = client
            .import_solution(&manifest.unique_name, &zip, &options)
            .thrown()?;
        data(&report).thrown()
    }

    /// Imports a package as an update.
    ///
    /// ```rhai,tenant
    /// let pkg = environment::development().export_solution("PowerAutomateSamples");
    /// environment::named("validation").install(pkg).failures == []
    /// ```
    #[rhai_fn(global, name = "install", pure, return_raw)]
    pub fn install_plainly(environment: &mut Environment, package: Package) -> Scripted<Dynamic> {
        install(environment, package, Map::new())
    }

    /// Replaces the installed solution by the version that was imported with mode `hold`.
    ///
    /// ```rhai,no_run
    /// environment::named("prod").apply_upgrade("ContosoSales")
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn apply_upgrade(environment: &mut Environment, name: &str) -> Scripted<Dynamic> {
        let client = environment.allowed(Action::ImportManaged).thrown()?;
        change(client.apply_upgrade(name).thrown()?)
    }

    /// Deletes a solution: an unmanaged one leaves its components, a managed one takes them and
    /// their data along. When it is not installed nothing is done.
    ///
    /// ```rhai,tenant
    /// !environment::named("test").delete_solution("Nothing").changed
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn delete_solution(environment: &mut Environment, name: &str) -> Scripted<Dynamic> {
        let client = environment.allowed(Action::Delete).thrown()?;
        change(client.delete_solution(name).thrown()?)
    }

    /// The components outside of a solution that need components in it: maps with
    /// `dependent` (its name, or its id), `dependent_kind`, `dependent_id`, `required_kind`,
    /// `required_id`.
    ///
    /// ```rhai,tenant
    /// type_of(environment::development().dependents_of("PermitManagement")) == "array"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn dependents_of(environment: &mut Environment, name: &str) -> Scripted<Dynamic> {
        data(
            &environment
                .reading()
                .thrown()?
                .dependents_of(name)
                .thrown()?,
        )
        .thrown()
    }

    /// What the environment lacks of what a package needs: maps with `required` (its name),
    /// `kind`, `solution` and `version` (where it comes from, `()` when unknown) and `needed_by`.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// dev.missing_dependencies(dev.export_solution("PowerAutomateSamples")) == []
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn missing_dependencies(
        environment: &mut Environment,
        package: Package,
    ) -> Scripted<Array> {
        let client = environment.reading().thrown()?;
        let missing = client
            .missing_dependencies(&package.zip().thrown()?)
            .thrown()?;
        Ok(missing.into_iter().map(super::missing).collect())
    }

    /// The components of an installed solution: maps with `kind`, `kind_name`, `id`, `name`,
    /// `display_name`, `schema_name`, `managed`.
    ///
    /// ```rhai,tenant
    /// environment::development().components("PermitManagement").len() > 0
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn components(environment: &mut Environment, name: &str) -> Scripted<Dynamic> {
        data(&environment.reading().thrown()?.components(name).thrown()?).thrown()
    }

    /// Sets the version of an unmanaged solution, for example `1.2.0.0`.
    ///
    /// ```rhai,tenant
    /// let dev = environment::development();
    /// dev.set_solution_version("PowerAutomateSamples", "9.0.0.1");
    /// dev.solution("PowerAutomateSamples").version == "9.0.0.1"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn set_solution_version(
        environment: &mut Environment,
        name: &str,
        version: ImmutableString,
    ) -> Scripted<Dynamic> {
        let version = version.parse().map_err(HostError::from).thrown()?;
        change(
            environment
                .configuring()
                .thrown()?
                .set_solution_version(name, version)
                .thrown()?,
        )
    }
}

fn import_options(map: Map) -> Result<ImportOptions, HostError> {
    let mut map = Options::new(map);
    let settings = map.take::<Settings>("settings")?;
    let read: Installing = map.read()?;
    let mut parameters = Vec::new();
    if let Some(settings) = &settings {
        for setting in &settings.connections {
            parameters.push(ComponentParameter::Connection {
                logical_name: setting.reference.clone(),
                connection_id: setting.connection.clone(),
                connector_id: setting.connector.clone(),
            });
        }
        for setting in &settings.variables {
            parameters.push(ComponentParameter::Variable {
                schema_name: setting.name.clone(),
                value: setting.value.clone(),
            });
        }
    }
    Ok(ImportOptions {
        mode: match read.mode {
            Mode::Update => ImportMode::Update,
            Mode::Upgrade => ImportMode::Upgrade,
            Mode::Hold => ImportMode::Hold,
        },
        overwrite: read.overwrite,
        activate: read.activate,
        convert_to_managed: read.convert_to_managed,
        skip_product_updates: read.skip_product_updates,
        parameters,
        seed: None,
    })
}

impl super::Environment {
    /// What the import of a package in this place of the run is known by, when the run is resumed.
    fn import_seed(&self, name: &str, zip: &[u8], mode: ImportMode) -> Uuid {
        let digest = Sha256::digest(zip);
        let what = format!("import {name} {digest:x} {mode:?} {}", self.client.name());
        self.context.sink().effect_id(&what)
    }
}

/// A missing dependency as a flat map.
fn missing(missing: MissingDependency) -> Dynamic {
    let required = missing.required;
    let dependent = missing.dependent;
    let optional = |text: Option<String>| text.map_or(Dynamic::UNIT, Dynamic::from);
    let mut map = Map::new();
    map.insert("kind".into(), required.kind.into());
    map.insert("solution".into(), optional(required.solution));
    map.insert("version".into(), optional(required.version));
    map.insert(
        "required".into(),
        required.display_name.unwrap_or(required.name).into(),
    );
    map.insert(
        "needed_by".into(),
        dependent.display_name.unwrap_or(dependent.name).into(),
    );
    map.into()
}
