//! Who may do what in an organisation.
//!
//! Two kinds of people are known, as a new project of the real service has them: everybody, who are its
//! *Contributors*, and the members of the directory group *Project Administrators*. A directory
//! without that group makes everybody an administrator, as in an organisation of one's own. Which right
//! the service asks for is in facts/git-hosts.md, section 1.2, and in Microsoft's list of permissions
//! (<https://learn.microsoft.com/azure/devops/organizations/security/permissions>); single rights are
//! not handed out here, nor does whoever made a branch get some of her own there.

use super::organisation::Organisation;
use super::refusal::{Answer, say};
use crate::emulator::directory;
use crate::transport::StatusCode;

/// The directory group.
const ADMINISTRATORS: &str = "Project Administrators";

/// What administrators alone may do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right {
    /// Make, change and delete policies of branches.
    EditPolicies,
    /// Say where a build stands, how it ended, and what its log is: what an agent does.
    ReportBuilds,
    /// Stop a build of somebody else.
    StopBuilds,
    /// Delete pipelines.
    DeletePipelines,
    /// Make and change approval checks, and delete environments.
    ManageChecks,
    /// Make, rename and delete projects and repositories.
    ManageRepositories,
}

impl Organisation<'_> {
    /// Makes sure that the caller has a right.
    pub fn needs(&self, right: Right) -> Answer<()> {
        if self.administers()? {
            return Ok(());
        }
        let name = &self.me.name;
        let (kind, message) = match right {
            Right::EditPolicies => (
                "GitNeedsPermissionException",
                format!(
                    "TF401027: You need the Git 'EditPolicies' permission to perform this action. \
                     Details: identity '{name}', scope 'repository'."
                ),
            ),
            Right::ManageRepositories => (
                "GitNeedsPermissionException",
                format!(
                    "TF401027: You need the Git 'CreateRepository' permission to perform this \
                     action. Details: identity '{name}', scope 'project'."
                ),
            ),
            Right::ManageChecks => (
                "AccessDeniedException",
                format!(
                    "Access denied. {name} needs Administrator permissions on the environment."
                ),
            ),
            Right::ReportBuilds | Right::StopBuilds | Right::DeletePipelines => {
                let wanted = match right {
                    Right::ReportBuilds => "Update build information",
                    Right::StopBuilds => "Stop builds",
                    _ => "Delete build pipeline",
                };
                let message = format!(
                    "TF215106: Access denied. {name} needs {wanted} permissions to perform the action."
                );
                ("AccessDeniedException", message)
            }
        };
        Err(say(StatusCode::FORBIDDEN, kind, &message))
    }

    /// Whether the caller may set the policies of a branch aside. Without a group of administrators
    /// nobody may, since nobody was given that right.
    pub fn may_bypass(&self) -> Answer<bool> {
        match directory::by_name(self.tx, ADMINISTRATORS)? {
            Some(group) => self.am_i(group.object_id),
            None => Ok(false),
        }
    }

    fn administers(&self) -> Answer<bool> {
        match directory::by_name(self.tx, ADMINISTRATORS)? {
            Some(group) => self.am_i(group.object_id),
            None => Ok(true),
        }
    }
}
