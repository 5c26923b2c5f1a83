//! The functions of AA4PP that can be switched for a persona, and what each of them governs.
//!
//! AA4PP only hid buttons; here a function that is not allowed also refuses the effects behind the
//! button, so that a script written by hand cannot do what the button may not
//! (`facts/alm-accelerator.md`, 3.2). [`TABLE`] is the whole mapping:
//!
//! | key in `permissions` | refuses | hides |
//! |---|---|---|
//! | `import` | `import`, `import-managed` anywhere | script `import` |
//! | `delete` | `delete` anywhere | script `delete` |
//! | `commit` | `export`, `commit`, `create-branch` | script `commit` |
//! | `manage_solutions` | | links to the maker portal |
//! | `drill_through` | | links to builds and pull requests |
//! | `create_profiles` | `create-profiles` | |
//! | `update_profiles` | `update-profiles`, `create-profiles` | |
//! | `advanced_commit` | `commit`, `create-branch` on branches that are not one's own | `commit`: the branches |
//! | `advanced_deploy` | `open-pull-request` into a branch that no stage names | `deploy`: source, target, title |
//! | `bypass_prepare` | | `commit`: whether to prepare settings |
//! | `deployment_configuration` | `settings` | `commit`: the settings, which are not saved then |
//! | `show_all_solutions` | | solutions that others made |
//! | `bypass_approval` | `complete-pull-request` | `deploy`: whether to complete by itself |
//! | `commit_power_pages` | `power-pages` | `commit`: the sites |
//! | `publish` | `publish` | `commit`: whether to publish |
//! | `import_managed` | `import-managed` into development environments | `import`: whether as managed |
//! | `environment_settings` | | `deploy`: whether to upgrade, labels |
//!
//! A function with a default that is not allowed still happens when its default is `true`: then
//! nobody chooses, and nothing is refused.

use super::action::Action;
use super::config::{Choice, Permissions};

/// A function that can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Import solutions.
    Import,
    /// Delete solutions.
    Delete,
    /// Commit solutions.
    Commit,
    /// Follow links to the maker portal.
    ManageSolutions,
    /// Follow links to the git host.
    DrillThrough,
    /// Create profiles.
    CreateProfiles,
    /// Change profiles.
    UpdateProfiles,
    /// Choose branches when committing.
    AdvancedCommit,
    /// Choose source, target and title when deploying.
    AdvancedDeploy,
    /// Leave out the preparation of settings.
    BypassPrepare,
    /// Change deployment settings.
    DeploymentConfiguration,
    /// See all solutions.
    ShowAllSolutions,
    /// Have a pull request completed by itself.
    BypassApproval,
    /// Commit Power Pages sites.
    CommitPowerPages,
    /// Publish customizations.
    Publish,
    /// Import as managed into a development environment.
    ImportManaged,
    /// Change a stage's upgrade and consent settings.
    EnvironmentSettings,
}

/// What one function governs.
#[derive(Debug, Clone, Copy)]
pub struct Governs {
    /// The function.
    pub function: Function,
    /// Its key in a persona's `permissions`.
    pub key: &'static str,
    /// The effects that are refused when it is not allowed.
    pub refuses: &'static [Action],
    /// Where those effects are refused.
    pub scope: Scope,
    /// The script that does not exist when it is not allowed.
    pub script: Option<&'static str>,
    /// The parameters, by script, that are hidden when it is not allowed. For a function with a
    /// default, the first of them carries that default.
    pub parameters: &'static [(&'static str, &'static str)],
    /// What the first of them is when it is not allowed, where that is no default of the function.
    pub fixed: Option<&'static str>,
}

/// Where a function's effects are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Everywhere,
    /// In environments of kind `development`.
    Development,
    /// On branches that are not the person's own.
    OthersBranches,
    /// Into branches that no stage of a profile names.
    UnnamedTargets,
}

/// What every function governs.
pub const TABLE: [Governs; 17] = {
    use Action as A;
    use Function as F;
    use Scope::{Development, Everywhere, OthersBranches, UnnamedTargets};
    [
        row(
            F::Import,
            "import",
            &[A::Import, A::ImportManaged],
            Everywhere,
        )
        .hiding("import"),
        row(F::Delete, "delete", &[A::Delete], Everywhere).hiding("delete"),
        row(
            F::Commit,
            "commit",
            &[A::Export, A::Commit, A::CreateBranch],
            Everywhere,
        )
        .hiding("commit"),
        row(F::ManageSolutions, "manage_solutions", &[], Everywhere),
        row(F::DrillThrough, "drill_through", &[], Everywhere),
        row(
            F::CreateProfiles,
            "create_profiles",
            &[A::CreateProfiles],
            Everywhere,
        ),
        row(
            F::UpdateProfiles,
            "update_profiles",
            &[A::UpdateProfiles, A::CreateProfiles],
            Everywhere,
        ),
        row(
            F::AdvancedCommit,
            "advanced_commit",
            &[A::Commit, A::CreateBranch],
            OthersBranches,
        )
        .with(&[
            ("commit", "to_branch"),
            ("commit", "from_branch"),
            ("commit", "new_branch"),
        ]),
        row(
            F::AdvancedDeploy,
            "advanced_deploy",
            &[A::OpenPullRequest],
            UnnamedTargets,
        )
        .with(&[
            ("deploy", "source_branch"),
            ("deploy", "target_branch"),
            ("deploy", "title"),
        ]),
        row(F::BypassPrepare, "bypass_prepare", &[], Everywhere)
            .with(&[("commit", "bypass_prepare")]),
        row(
            F::DeploymentConfiguration,
            "deployment_configuration",
            &[A::Settings],
            Everywhere,
        )
        .with(&[("commit", "scope")])
        .fixing("solution"),
        row(F::ShowAllSolutions, "show_all_solutions", &[], Everywhere),
        row(
            F::BypassApproval,
            "bypass_approval",
            &[A::CompletePullRequest],
            Everywhere,
        )
        .with(&[("deploy", "complete")]),
        row(
            F::CommitPowerPages,
            "commit_power_pages",
            &[A::PowerPages],
            Everywhere,
        )
        .with(&[("commit", "sites")]),
        row(F::Publish, "publish", &[A::Publish], Everywhere).with(&[("commit", "publish")]),
        row(
            F::ImportManaged,
            "import_managed",
            &[A::ImportManaged],
            Development,
        )
        .with(&[("import", "managed")]),
        row(
            F::EnvironmentSettings,
            "environment_settings",
            &[],
            Everywhere,
        )
        .with(&[("deploy", "upgrade"), ("deploy", "labels")]),
    ]
};

const fn row(
    function: Function,
    key: &'static str,
    refuses: &'static [Action],
    scope: Scope,
) -> Governs {
    Governs {
        function,
        key,
        refuses,
        scope,
        script: None,
        parameters: &[],
        fixed: None,
    }
}

impl Governs {
    const fn hiding(mut self, script: &'static str) -> Self {
        self.script = Some(script);
        self
    }

    const fn with(mut self, parameters: &'static [(&'static str, &'static str)]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn fixing(mut self, value: &'static str) -> Self {
        self.fixed = Some(value);
        self
    }
}

impl Permissions {
    /// How `function` is switched.
    pub fn choice(&self, function: Function) -> Choice {
        match function {
            Function::Import => Choice::Allowed(self.import),
            Function::Delete => Choice::Allowed(self.delete),
            Function::Commit => Choice::Allowed(self.commit),
            Function::ManageSolutions => Choice::Allowed(self.manage_solutions),
            Function::DrillThrough => Choice::Allowed(self.drill_through),
            // AA4PP's business rule: who may not update profiles may not create them either.
            Function::CreateProfiles => {
                Choice::Allowed(self.create_profiles && self.update_profiles)
            }
            Function::UpdateProfiles => Choice::Allowed(self.update_profiles),
            Function::AdvancedCommit => Choice::Allowed(self.advanced_commit),
            Function::AdvancedDeploy => Choice::Allowed(self.advanced_deploy),
            // Another of its rules: who may not change settings cannot be made to prepare them.
            Function::BypassPrepare if !self.deployment_configuration => Choice::WithDefault {
                allowed: false,
                default: Some(true),
            },
            Function::BypassPrepare => self.bypass_prepare,
            Function::DeploymentConfiguration => Choice::Allowed(self.deployment_configuration),
            Function::ShowAllSolutions => Choice::Allowed(self.show_all_solutions),
            Function::BypassApproval => self.bypass_approval,
            Function::CommitPowerPages => self.commit_power_pages,
            Function::Publish => self.publish,
            Function::ImportManaged => self.import_managed,
            Function::EnvironmentSettings => Choice::Allowed(self.environment_settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::schema;

    #[test]
    fn every_permission_of_the_file_is_in_the_table_once() {
        let schema = schema::json_schema();
        let keys = schema
            .pointer("/$defs/Permissions/properties")
            .unwrap()
            .as_object()
            .unwrap();
        let mut file: Vec<&str> = keys.keys().map(String::as_str).collect();
        let mut table: Vec<&str> = TABLE.iter().map(|row| row.key).collect();
        file.sort_unstable();
        table.sort_unstable();
        assert_eq!(file, table);
    }

    #[test]
    fn who_may_not_change_settings_is_not_made_to_prepare_them() {
        let permissions = Permissions {
            deployment_configuration: false,
            ..Default::default()
        };
        assert_eq!(
            permissions.choice(Function::BypassPrepare).fallback(),
            Some(true)
        );
        assert!(!permissions.choice(Function::BypassPrepare).allowed());
    }
}
