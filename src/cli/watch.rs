//! `alm watch`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::failure::Failure;
use super::interrupt::on_interrupt;
use super::options::{Options, early};
use super::prepared::{Prepared, RunOptions};
use super::render::{Output, RunView};
use crate::run::watch::{Settings, WatchEvent, Watched, watch};
use crate::workspace::config::{DuringRun, TimeSpan};

/// Run the script called NAME, and again when what it is made of or works on changes
///
/// Watched are the script, the modules and hooks that it uses, alm.toml's `[watch] paths`, and what
/// `--path` names. Ctrl-C ends the watch. `[watch]` in alm.toml has the defaults of these options.
#[derive(Debug, Args)]
#[command(override_usage = "alm watch [OPTIONS] SCRIPT [OPTIONS OF THE SCRIPT]")]
pub struct WatchArgs {
    /// Watch this file or folder too; relative to the workspace
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// How long everything must be quiet before a run starts
    #[arg(long, value_name = "TIME")]
    quiet: Option<TimeSpan>,

    /// What a change during a run does
    #[arg(long, value_enum)]
    during_run: Option<Change>,

    /// Look at the files this often instead of being told by the system: for network drives
    #[arg(long, value_name = "TIME")]
    poll: Option<TimeSpan>,

    /// The script
    #[arg(value_name = "SCRIPT")]
    name: String,

    /// What the script takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Change {
    /// The run ends, then one more starts
    Queue,
    /// The run is cancelled and started again
    Cancel,
}

impl WatchArgs {
    /// The options of every command, also those that stand among the script's.
    pub fn options(&self, options: Options) -> Options {
        early(&self.rest, options)
    }
}

/// Runs `alm watch`.
pub fn run(arguments: WatchArgs, options: &Options, output: Output) -> Result<(), Failure> {
    // What was typed is checked once, before anything is watched.
    let how = RunOptions::default();
    let prepare = || {
        Prepared::of(
            &arguments.name,
            arguments.rest.clone(),
            how.clone(),
            options,
        )
    };
    let Some(prepared) = prepare()? else {
        return Ok(());
    };
    let workspace = prepared.host().workspace().clone();
    let config = &workspace.config().watch;
    let settings = Settings {
        quiet: arguments.quiet.unwrap_or(config.quiet).0,
        during_run: match arguments.during_run {
            Some(Change::Queue) => DuringRun::Queue,
            Some(Change::Cancel) => DuringRun::Cancel,
            None => config.during_run,
        },
        poll: arguments
            .poll
            .map(|poll| poll.0)
            .filter(|poll| *poll > Duration::ZERO),
    };
    let mut watched = Watched {
        ignore: config.ignore.clone(),
        ..Watched::default()
    };
    watched
        .files
        .insert(workspace.root().join(crate::workspace::FILE_NAME));
    if let Some(path) = prepared.script_file() {
        watched.files.insert(path);
    }
    let named = config
        .paths
        .iter()
        .map(PathBuf::from)
        .chain(arguments.paths.clone());
    for path in named.map(|path| workspace.root().join(path)) {
        let set: &mut BTreeSet<PathBuf> = if path.is_dir() {
            &mut watched.folders
        } else {
            &mut watched.files
        };
        set.insert(path);
    }
    // Each run opens the workspace again, since alm.toml may be what has changed.
    let once = |cancel| {
        let view = RunView::new(output);
        let started = prepare().and_then(|prepared| match prepared {
            Some(prepared) => prepared.start(&view, cancel).map(Some),
            None => Ok(None),
        });
        match started {
            Ok(Some(finished)) => {
                view.end(&finished);
                finished.files
            }
            Ok(None) => Vec::new(),
            // What cannot be run now may be mended; the watch goes on.
            Err(failure) => {
                output.failure(&failure);
                Vec::new()
            }
        }
    };
    watch(&settings, watched, &on_interrupt(), once, |event| {
        tell(&event, output)
    })?;
    Ok(())
}

fn tell(event: &WatchEvent, output: Output) {
    let (word, because) = match event {
        WatchEvent::Starting { because } => ("starting", because.as_slice()),
        WatchEvent::Queued { because } => ("queued", because.as_slice()),
        WatchEvent::Cancelling { because } => ("cancelling", because.as_slice()),
        WatchEvent::Waiting => ("waiting", &[][..]),
    };
    output.object(&json!({ "event": "watch", "state": word, "because": because }));
    let names: Vec<String> = because
        .iter()
        .map(|path| {
            path.file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let text = match event {
        WatchEvent::Starting { because } if because.is_empty() => return,
        WatchEvent::Starting { .. } => format!("changed: {}; running again", names.join(", ")),
        WatchEvent::Queued { .. } => {
            format!("changed: {}; running again after this", names.join(", "))
        }
        WatchEvent::Cancelling { .. } => {
            format!("changed: {}; stopping this run", names.join(", "))
        }
        WatchEvent::Waiting => "watching; Ctrl-C ends it".to_owned(),
    };
    output.note(output.paint("2", &text));
}
