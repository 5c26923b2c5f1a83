//! Profiles and stages of `alm.toml`, as scripts see them.

use rhai::plugin::{ImmutableString, NativeCallContext, export_module};
use rhai::{Array, Dynamic, Map};
use serde_json::{Value, json};

use super::super::HostError;
use super::super::error::{Scripted, Thrown};
use crate::nearest::nearest;
use crate::script::Context;
use crate::script::kept::Keep;
use crate::workspace::config;
use crate::workspace::config::StageValue;

/// A deployment profile.
#[derive(Clone)]
pub struct Profile {
    name: ImmutableString,
    context: Context,
}

/// A stage of a profile.
#[derive(Clone)]
pub struct Stage {
    profile: Profile,
    name: ImmutableString,
}

/// Profiles, their stages, and the files that tell a deployment what to set.
#[export_module]
pub(super) mod module {
    /// A deployment profile of `alm.toml`.
    pub type Profile = super::Profile;
    /// A stage of a deployment profile.
    pub type Stage = super::Stage;

    /// The profile that `alm.toml` calls `name`.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").name == "standard"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn profile(call: NativeCallContext<'_>, name: &str) -> Scripted<Profile> {
        super::find(&Context::of(&call).thrown()?, name).thrown()
    }

    /// The profile of this run, or the workspace's default.
    ///
    /// ```rhai,tenant
    /// deployment::profile().repository != ""
    /// ```
    #[rhai_fn(name = "profile", return_raw)]
    pub fn current_profile(call: NativeCallContext<'_>) -> Scripted<Profile> {
        let context = Context::of(&call).thrown()?;
        let chosen = context.facts().profile.clone();
        let chosen = chosen.or_else(|| {
            let default = context.workspace().config().profile_for(None);
            default.map(|(name, _)| name.to_owned())
        });
        let none = || {
            HostError::new(
                "ALM-D010",
                "no profile was chosen and alm.toml names no default",
            )
            .with_hint("choose one with `--profile NAME`, or set `default_profile`")
        };
        super::find(&context, &chosen.ok_or_else(none).thrown()?).thrown()
    }

    /// The profile that a solution uses: its own choice in `alm.toml`, or the default.
    ///
    /// ```rhai,tenant
    /// deployment::profile_for("PermitManagement").stages.len() > 0
    /// ```
    #[rhai_fn(return_raw)]
    pub fn profile_for(call: NativeCallContext<'_>, solution: &str) -> Scripted<Profile> {
        let context = Context::of(&call).thrown()?;
        let found = context.workspace().config().profile_for(Some(solution));
        match found.map(|(name, _)| name.to_owned()) {
            Some(name) => super::find(&context, &name).thrown(),
            None => current_profile(call),
        }
    }

    /// The names of the profiles that the run's persona sees.
    ///
    /// ```rhai,tenant
    /// "standard" in deployment::profiles()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn profiles(call: NativeCallContext<'_>) -> Scripted<Array> {
        let context = Context::of(&call).thrown()?;
        let names = context.workspace().config().profiles.names();
        let seen = names.filter(|name| context.persona().sees_profile(name));
        Ok(seen.map(|name| Dynamic::from(name.to_owned())).collect())
    }

    /// The profile's name.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").name == "standard"
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn profile_name(profile: &mut Profile) -> ImmutableString {
        profile.name.clone()
    }

    /// The name of the repository that holds the source.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").repository == "apps"
    /// ```
    #[rhai_fn(global, get = "repository", pure, return_raw)]
    pub fn repository(profile: &mut Profile) -> Scripted<ImmutableString> {
        Ok(profile.entry().thrown()?.repository.as_str().into())
    }

    /// The branch that work on `solution` is merged into.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").target_branch("PermitManagement") != ""
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn target_branch(profile: &mut Profile, solution: &str) -> Scripted<ImmutableString> {
        Ok(profile
            .entry()
            .thrown()?
            .target_branch
            .branch(solution)
            .as_ref()
            .into())
    }

    /// The stages in their order.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stages.some(|stage| stage.name == "prod")
    /// ```
    #[rhai_fn(global, get = "stages", pure, return_raw)]
    pub fn stages(profile: &mut Profile) -> Scripted<Array> {
        let names: Vec<ImmutableString> = profile
            .entry()
            .thrown()?
            .stages
            .iter()
            .map(|stage| stage.name.as_str().into())
            .collect();
        let stage = |name| {
            Dynamic::from(Stage {
                profile: profile.clone(),
                name,
            })
        };
        Ok(names.into_iter().map(stage).collect())
    }

    /// The stage called `name`.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").environment == "test"
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn stage(profile: &mut Profile, name: &str) -> Scripted<Stage> {
        super::find_stage(profile, name).thrown()
    }

    /// The stage's name.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").name == "test"
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn stage_name(stage: &mut Stage) -> ImmutableString {
        stage.name.clone()
    }

    /// The name of the stage's profile.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").profile == "standard"
    /// ```
    #[rhai_fn(global, get = "profile", pure)]
    pub fn stage_profile(stage: &mut Stage) -> ImmutableString {
        stage.profile.name.clone()
    }

    /// The name of the environment that the stage deploys to.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("prod").environment == "prod"
    /// ```
    #[rhai_fn(global, get = "environment", pure, return_raw)]
    pub fn stage_environment(stage: &mut Stage) -> Scripted<ImmutableString> {
        Ok(stage.entry().thrown()?.environment.as_str().into())
    }

    /// What must happen before the stage runs: `pull-request`, `environment` or `none`.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").approval == "pull-request"
    /// ```
    #[rhai_fn(global, get = "approval", pure, return_raw)]
    pub fn approval(stage: &mut Stage) -> Scripted<ImmutableString> {
        Ok(stage.entry().thrown()?.approval.as_str().into())
    }

    /// What the stage deploys: `development` (unmanaged) or `deployment` (managed).
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").kind == "deployment"
    /// ```
    #[rhai_fn(global, get = "kind", pure, return_raw)]
    pub fn stage_kind(stage: &mut Stage) -> Scripted<ImmutableString> {
        Ok(stage.entry().thrown()?.kind.as_str().into())
    }

    /// The script that builds of the stage run, or `()` for a development stage, which has none.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("validation").script == "validate"
    /// ```
    #[rhai_fn(global, get = "script", pure, return_raw)]
    pub fn stage_script(stage: &mut Stage) -> Scripted<Dynamic> {
        let build = stage.entry().thrown()?.build();
        Ok(build.map_or(Dynamic::UNIT, |build| build.script.into()))
    }

    /// What queues a build of the stage: `pull-request`, `push` (as a merge makes one), `by-hand`, or
    /// `()` for a development stage.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").starts == "push"
    /// ```
    #[rhai_fn(global, get = "starts", pure, return_raw)]
    pub fn stage_starts(stage: &mut Stage) -> Scripted<Dynamic> {
        let build = stage.entry().thrown()?.build();
        Ok(build.map_or(Dynamic::UNIT, |build| build.starts.as_str().into()))
    }

    /// Whether a maker may choose the stage.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").deployable
    /// ```
    #[rhai_fn(global, get = "deployable", pure, return_raw)]
    pub fn deployable(stage: &mut Stage) -> Scripted<bool> {
        Ok(stage.entry().thrown()?.deployable)
    }

    /// The name of the stage that a solution must have passed before, or `()`.
    ///
    /// ```rhai,tenant
    /// let before = deployment::profile("standard").stage("test").prerequisite;
    /// before == () || type_of(before) == "string"
    /// ```
    #[rhai_fn(global, get = "prerequisite", pure, return_raw)]
    pub fn prerequisite(stage: &mut Stage) -> Scripted<Dynamic> {
        let stage = stage.entry().thrown()?;
        Ok(stage
            .prerequisite
            .clone()
            .map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// Whether components that are gone from the source are removed; `()` leaves that to the label
    /// `solution-upgrade`.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").upgrade ?? true
    /// ```
    #[rhai_fn(global, get = "upgrade", pure, return_raw)]
    pub fn upgrade(stage: &mut Stage) -> Scripted<Dynamic> {
        Ok(stage
            .entry()
            .thrown()?
            .upgrade
            .map_or(Dynamic::UNIT, Dynamic::from))
    }

    /// Who has to approve a deployment of approval type `environment`.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("prod").approvers.len() > 0
    /// ```
    #[rhai_fn(global, get = "approvers", pure, return_raw)]
    pub fn approvers(stage: &mut Stage) -> Scripted<Array> {
        let approvers = stage.entry().thrown()?.approvers.iter();
        Ok(approvers.map(|name| name.clone().into()).collect())
    }

    /// Whether people are spared the consent dialogue of canvas apps.
    ///
    /// ```rhai,tenant
    /// type_of(deployment::profile("standard").stage("test").bypass_consent) == "bool"
    /// ```
    #[rhai_fn(global, get = "bypass_consent", pure, return_raw)]
    pub fn stage_bypasses_consent(stage: &mut Stage) -> Scripted<bool> {
        Ok(stage.entry().thrown()?.bypass_consent)
    }

    /// The name of the folder under a solution's `config` that holds the stage's settings.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("test").settings_folder == "test"
    /// ```
    #[rhai_fn(global, get = "settings_folder", pure, return_raw)]
    pub fn settings_folder(stage: &mut Stage) -> Scripted<ImmutableString> {
        Ok(stage.entry().thrown()?.settings_folder().into())
    }

    /// The values for tokens `#{name}#` in settings files, as a map. Secrets are not in it; they
    /// are read when `deployment::settings` needs them.
    ///
    /// ```rhai,tenant
    /// type_of(deployment::profile("standard").stage("test").variables) == "map"
    /// ```
    #[rhai_fn(global, get = "variables", pure, return_raw)]
    pub fn stage_variables(stage: &mut Stage) -> Scripted<Map> {
        let variables = &stage.entry().thrown()?.variables;
        Ok(variables
            .iter()
            .filter_map(|(name, value)| match value {
                StageValue::Text(text) => Some((name.into(), text.clone().into())),
                StageValue::KeyVault(secret) => Some((name.into(), secret.keyvault.clone().into())),
                StageValue::Secret(_) => None,
            })
            .collect())
    }

    /// The branch that a deployment of `solution` starts from, or `()` for the maker's own.
    ///
    /// ```rhai,tenant
    /// let branch = deployment::profile("standard").stage("test").source_branch("PermitManagement");
    /// branch == () || branch != ""
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn source_branch(stage: &mut Stage, solution: &str) -> Scripted<Dynamic> {
        let rule = stage.entry().thrown()?.source_branch.as_ref();
        Ok(rule.map_or(Dynamic::UNIT, |rule| {
            rule.branch(solution).into_owned().into()
        }))
    }

    /// The branch that a deployment of `solution` merges into.
    ///
    /// ```rhai,tenant
    /// deployment::profile("standard").stage("prod").target_branch("PermitManagement") != ""
    /// ```
    #[rhai_fn(global, name = "target_branch", pure, return_raw)]
    pub fn stage_target_branch(stage: &mut Stage, solution: &str) -> Scripted<ImmutableString> {
        let profile = stage.profile.entry().thrown()?;
        Ok(profile
            .target_branch_of(stage.entry().thrown()?, solution)
            .as_ref()
            .into())
    }
}

/// A profile that exists and that the persona sees.
fn find(context: &Context, name: &str) -> Result<Profile, HostError> {
    let config = context.workspace().config();
    let seen = |name: &str| context.persona().sees_profile(name);
    match config.profiles.entry(name) {
        Some((name, _)) if seen(name) => Ok(Profile {
            name: name.into(),
            context: context.clone(),
        }),
        _ => {
            let error = HostError::new("ALM-D011", format!("there is no profile `{name}`"));
            Err(
                match nearest(name, config.profiles.names().filter(|name| seen(name))) {
                    Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                    None => error,
                },
            )
        }
    }
}

fn find_stage(profile: &Profile, name: &str) -> Result<Stage, HostError> {
    let entry = profile.entry()?;
    match entry.stage(name) {
        Some(_) => Ok(Stage {
            profile: profile.clone(),
            name: name.into(),
        }),
        None => {
            let message = format!("profile `{}` has no stage `{name}`", profile.name);
            let error = HostError::new("ALM-D012", message);
            let names: Vec<&str> = entry
                .stages
                .iter()
                .map(|stage| stage.name.as_str())
                .collect();
            Err(error.with_hint(match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its stages are {}", names.join(", ")),
            }))
        }
    }
}

impl Profile {
    /// What `alm.toml` says about it.
    fn entry(&self) -> Result<&config::Profile, HostError> {
        let gone = || HostError::new("ALM-D011", format!("there is no profile `{}`", self.name));
        self.context
            .workspace()
            .config()
            .profiles
            .get(&self.name)
            .ok_or_else(gone)
    }
}

impl Stage {
    /// What `alm.toml` says about it.
    pub(super) fn entry(&self) -> Result<&config::Stage, HostError> {
        let gone = || {
            let message = format!(
                "profile `{}` has no stage `{}`",
                self.profile.name, self.name
            );
            HostError::new("ALM-D012", message)
        };
        self.profile.entry()?.stage(&self.name).ok_or_else(gone)
    }
}

impl Keep for Profile {
    const KIND: &'static str = "profile";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(self.name.as_str().into())
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        find(context, kept.as_str().unwrap_or_default())
    }
}

impl Keep for Stage {
    const KIND: &'static str = "stage";

    fn keep(&self, _: &Context) -> Result<Value, HostError> {
        Ok(json!({ "profile": self.profile.name.as_str(), "stage": self.name.as_str() }))
    }

    fn revive(kept: &Value, context: &Context) -> Result<Self, HostError> {
        let profile = find(context, kept["profile"].as_str().unwrap_or_default())?;
        find_stage(&profile, kept["stage"].as_str().unwrap_or_default())
    }
}
