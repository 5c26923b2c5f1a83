//! `alm demo`: the story of a solution, on an emulated tenant.
//!
//! The story types the commands that a person would type, through the same door, and reads back
//! what they did: the tenant through its Web API, the repository with ordinary git. It decides
//! nothing; whatever it shows can be repeated by hand in the folder that it leaves behind.

mod acts;
mod portal;
mod proof;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::failure::Failure;
use super::options::Options;
use super::render::Output;
use stage::Stage;

/// Play the story of a solution on an emulated tenant
///
/// Makes the example workspace in DIR and plays the whole way of a solution: a maker changes it,
/// saves it to git, sends it to test through a pull request, an approval takes it to production,
/// a component is removed by an upgrade, a second developer imports and deletes it. Every claim is
/// read back from the tenant and from git. The workspace stays, to look around in.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where to make the workspace; left out: a new folder `alm-demo` here
    dir: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &DemoArgs, options: &Options, output: Output) -> Result<(), Failure> {
    let started = Instant::now();
    let dir = arguments.dir.clone().unwrap_or_else(free_folder);
    let mut stage = Stage::set(&dir, options.clone(), output)?;
    acts::play(&mut stage)?;
    output.line("");
    output.line(format!(
        "The whole story took {:.1} s and {} claims were read back.",
        started.elapsed().as_secs_f64(),
        stage.claims()
    ));
    Ok(())
}

/// `alm-demo`, or with a number behind it when that folder is taken.
fn free_folder() -> PathBuf {
    let mut dir = PathBuf::from("alm-demo");
    let mut number = 1;
    while dir.exists() {
        number += 1;
        dir = PathBuf::from(format!("alm-demo-{number}"));
    }
    dir
}
