//! What a deployment is told: where the source lies in a repository, which settings a target gets,
//! what can be seen to go wrong before it begins.
//!
//! Profiles and stages are data of the workspace (`workspace::config`); setting things is the
//! environment's business (`environment`); the order of the work stands in the scripts. This
//! module reads and writes the files of the ALM Accelerator and of `pac` as they are
//! (ALM Accelerator notes, 2), so that existing repositories work unchanged.

mod error;
mod files;
mod layout;
mod preflight;
mod settings;
mod settings_file;
mod template;
mod tokens;

pub use error::DeploymentError;
pub use files::{FileMap, Files};
pub use layout::{SolutionFolder, action_on, find_data, layout};
pub use preflight::{Finding, Severity, preflight};
pub use settings::{
    AppShare, ConnectionSetting, FlowSetting, GroupTeamSetting, OwnerSetting, Settings,
    StepSetting, TeamShare, VariableSetting, WebhookSetting,
};
pub use settings_file::SettingsFile;
pub use template::{Collected, SettingValues, collect};
