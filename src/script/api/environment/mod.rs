//! `environment::`: what scripts can do in a Dataverse environment.
//!
//! The group has three parts, one namespace: this file opens environments, [`solutions`] moves
//! solutions, [`rows`] reads and writes rows, [`settings`] sets what a deployment sets. All the
//! work is done by `crate::environment`; here values are translated and permission is asked.

mod rows;
mod settings;
mod solutions;

use std::sync::Arc;

use rhai::plugin::{ImmutableString, NativeCallContext, export_module};
use rhai::{Array, Dynamic, Module};
use serde::Serialize;
use serde_json::Value;

use super::HostError;
use super::error::{Scripted, Thrown};
use crate::environment::{self, Change, Connect, Progress};
use crate::nearest::nearest;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::script::values::from_json;
use crate::workspace::config::EnvironmentKind;
use crate::workspace::{Action, Effect};

/// An environment as scripts hold it.
#[derive(Clone)]
pub struct Environment {
    client: environment::Environment,
    kind: EnvironmentKind,
    context: Context,
}

/// The functions of the group.
pub(super) fn group() -> Module {
    let mut module = rhai::exported_module!(module);
    module.combine(rhai::exported_module!(solutions::module));
    module.combine(rhai::exported_module!(rows::module));
    module.combine(rhai::exported_module!(settings::module));
    module
}

/// Environments, their solutions, rows and settings.
///
/// Whatever sets something looks first and writes only what differs; it returns a map with
/// `changed` and `message`.
#[export_module]
mod module {
    /// A Dataverse environment of `alm.toml`.
    pub type Environment = super::Environment;

    /// The environment that `alm.toml` calls `name`.
    ///
    /// ```rhai,tenant
    /// environment::named("test").name == "test"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn named(call: NativeCallContext<'_>, name: &str) -> Scripted<Environment> {
        super::open(&Context::of(&call).thrown()?, name).thrown()
    }

    /// The environment that makers work in: `development` of `[workspace]`, or the first of that
    /// kind.
    ///
    /// ```rhai,tenant
    /// environment::development().kind == "development"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn development(call: NativeCallContext<'_>) -> Scripted<Environment> {
        let context = Context::of(&call).thrown()?;
        let name = context
            .workspace()
            .config()
            .development()
            .map(|(name, _)| name.to_owned());
        let none = || {
            HostError::new(
                "ALM-E030",
                "no environment of alm.toml is of kind `development`",
            )
            .with_hint("give one of them `kind = \"development\"`")
        };
        super::open(&context, &name.ok_or_else(none).thrown()?).thrown()
    }

    /// The names of all environments of `alm.toml`.
    ///
    /// ```rhai,tenant
    /// "prod" in environment::names()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn names(call: NativeCallContext<'_>) -> Scripted<Array> {
        let context = Context::of(&call).thrown()?;
        let names = context.workspace().config().environments.names();
        Ok(names.map(|name| Dynamic::from(name.to_owned())).collect())
    }

    /// The name of the environment in `alm.toml`.
    ///
    /// ```rhai,tenant
    /// environment::named("prod").name == "prod"
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn name(environment: &mut Environment) -> ImmutableString {
        environment.client.name().into()
    }

    /// The address of the environment, without a slash at its end.
    ///
    /// ```rhai,tenant
    /// environment::named("dev").url.starts_with("https://")
    /// ```
    #[rhai_fn(global, get = "url", pure)]
    pub fn url(environment: &mut Environment) -> ImmutableString {
        environment
            .client
            .url()
            .as_str()
            .trim_end_matches('/')
            .into()
    }

    /// What the environment is for: `development`, `validation` or `target`.
    ///
    /// ```rhai,tenant
    /// environment::named("prod").kind == "target"
    /// ```
    #[rhai_fn(global, get = "kind", pure)]
    pub fn kind(environment: &mut Environment) -> ImmutableString {
        environment.kind.as_str().into()
    }

    /// The environment as text: its name.
    ///
    /// ```rhai,tenant
    /// `${environment::named("dev")}` == "dev"
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn environment_text(environment: &mut Environment) -> String {
        environment.client.name().to_owned()
    }

    /// Who the run is in the environment: a map with `user_id`, `business_unit_id` and
    /// `organization_id`.
    ///
    /// ```rhai,tenant
    /// environment::development().who_am_i().user_id != ""
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn who_am_i(environment: &mut Environment) -> Scripted<Dynamic> {
        let environment = environment.reading().thrown()?;
        super::data(&environment.who_am_i().thrown()?).thrown()
    }
}

/// Opens an environment of `alm.toml` for a run.
fn open(context: &Context, name: &str) -> Result<Environment, HostError> {
    let config = context.workspace().config();
    let Some((name, entry)) = config.environments.entry(name) else {
        let error = HostError::new(
            "ALM-E031",
            format!("there is no environment `{name}` in alm.toml"),
        );
        return Err(match nearest(name, config.environments.names()) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        });
    };
    let transport = context.connection(&entry.identity)?;
    let connect = Connect {
        cancel: context.cancel().clone(),
        progress: Arc::new(RunProgress(context.clone())),
        ..Connect::new(name, entry.url.clone(), transport)
    };
    Ok(Environment {
        client: environment::Environment::connect(connect),
        kind: entry.kind,
        context: context.clone(),
    })
}

impl Environment {
    /// The client, once the policy allows `action`.
    fn allowed(&self, action: Action) -> Result<&environment::Environment, HostError> {
        self.context
            .permit(Effect::on_environment(action, self.client.name()))?;
        Ok(&self.client)
    }

    /// The client, for looking.
    fn reading(&self) -> Result<&environment::Environment, HostError> {
        self.allowed(Action::Read)
    }

    /// The client, for setting something.
    fn configuring(&self) -> Result<&environment::Environment, HostError> {
        self.allowed(Action::Configure)
    }

    /// Asks whether the run may look at the environment.
    pub(super) fn permit_reading(&self) -> Result<(), HostError> {
        self.reading().map(|_| ())
    }

    /// The client without asking, for other groups that ask themselves.
    pub(super) fn client(&self) -> &environment::Environment {
        &self.client
    }
}

impl Keep for Environment {
    const KIND: &'static str = "environment";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(self.client.name().into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        open(context, kept.as_str().unwrap_or_default())
    }
}

/// Hands the progress of the client to the run.
struct RunProgress(Context);

impl Progress for RunProgress {
    fn progress(&self, percent: Option<f64>, message: &str) {
        match percent {
            Some(percent) => self.0.progress(percent, 100.0, message),
            None => self.0.progress(0.0, 0.0, message),
        }
    }
}

/// Plain data for a script: structs become maps.
pub(super) fn data<T: Serialize>(value: &T) -> Result<Dynamic, HostError> {
    let json = serde_json::to_value(value).map_err(|error| {
        HostError::new("ALM-E005", format!("a result cannot be shown: {error}"))
    })?;
    Ok(from_json(json))
}

/// What a mechanism did, as a map.
fn change(change: Change) -> Scripted<Dynamic> {
    data(&change).thrown()
}
