//! The whole way of a solution with the real program: the story, what survives a killed process, a
//! repository of the ALM Accelerator, and everything that can be in the way.

mod accelerator;
mod configure;
mod delete;
mod demo;
mod deploy;
mod killed;
mod noise;
mod trouble;

#[path = "../fixtures/workspace.rs"]
mod workspace;

use workspace::{SOLUTION, Workspace, alm, command, git};
