//! Runs a script again when what it is made of, or what it works on, changes.
//!
//! A pipeline of small parts: a *source* of changed paths, a *quiet* period that lets a burst end,
//! a *filter* that drops what is not watched or has the same content as before, a *decision* about
//! a change during a run, and the run. All but the source know no clock and no disk of their own,
//! so each is tested with invented changes.

mod decision;
mod filter;
mod pipeline;
mod quiet;
mod source;

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

pub use filter::Watched;
pub use source::WatchError;

use crate::transport::Cancel;
use crate::workspace::config::DuringRun;
use pipeline::{Do, Pipeline};
use source::Source;

/// How often the watch looks whether it is cancelled.
const LOOK: Duration = Duration::from_millis(100);

/// How a watch behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long everything must be quiet before a run starts.
    pub quiet: Duration,
    /// What a change during a run does.
    pub during_run: DuringRun,
    /// Looks at the files this often instead of being told by the system: for network drives.
    pub poll: Option<Duration>,
}

/// What a watch tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// A run starts; `because` is empty for the first one.
    Starting {
        /// The files that changed.
        because: Vec<PathBuf>,
    },
    /// A change came while a run goes on, which ends first.
    Queued {
        /// The files that changed.
        because: Vec<PathBuf>,
    },
    /// A change came while a run goes on, which is cancelled.
    Cancelling {
        /// The files that changed.
        because: Vec<PathBuf>,
    },
    /// The run ended; the watch goes on.
    Waiting,
}

/// What comes into the loop.
pub(super) enum Input {
    /// These paths may have changed.
    Changed(Vec<PathBuf>),
    /// The run ended and was made of these files.
    Ended(Vec<PathBuf>),
    /// The system stopped telling.
    Lost(String),
}

/// Runs `run` at once and again after each change, until `cancel` is raised.
///
/// `run` gets the flag that ends it and returns the files that the script was made of, which are
/// watched from then on; a script that does not even compile returns them too, so that the watch
/// goes on when it is mended. It is called on a thread of its own.
///
/// # Errors
/// [`WatchError`] when files cannot be watched, or no longer.
pub fn watch(
    settings: &Settings,
    watched: Watched,
    cancel: &Cancel,
    run: impl Fn(Cancel) -> Vec<PathBuf> + Sync,
    tell: impl Fn(WatchEvent),
) -> Result<(), WatchError> {
    let (sender, receiver) = channel();
    let mut source = Source::open(settings.poll, sender.clone())?;
    source.follow(&watched)?;
    let mut pipeline = Pipeline::new(settings.quiet, settings.during_run, watched);
    std::thread::scope(|scope| {
        let mut current = begin(scope, &run, sender.clone());
        tell(WatchEvent::Starting {
            because: Vec::new(),
        });
        let mut stopping = false;
        loop {
            let wait = pipeline
                .due(Instant::now())
                .map_or(LOOK, |due| due.min(LOOK));
            let action = match receiver.recv_timeout(wait) {
                Ok(Input::Changed(paths)) => {
                    pipeline.changed(paths, Instant::now());
                    None
                }
                Ok(Input::Ended(files)) => {
                    if stopping {
                        return Ok(());
                    }
                    pipeline.watch_also(files);
                    source.follow(pipeline.watched())?;
                    tell(WatchEvent::Waiting);
                    pipeline.ended()
                }
                Ok(Input::Lost(reason)) => {
                    current.cancel();
                    return Err(WatchError::Lost { reason });
                }
                Err(RecvTimeoutError::Timeout) => None,
                // The loop itself holds a sender.
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if cancel.check().is_err() && !stopping {
                if !pipeline.running() {
                    return Ok(());
                }
                stopping = true;
                current.cancel();
            }
            match action.or_else(|| pipeline.tick(Instant::now())) {
                None => {}
                Some(_) if stopping => {}
                Some(Do::Start(because)) => {
                    tell(WatchEvent::Starting { because });
                    current = begin(scope, &run, sender.clone());
                }
                Some(Do::Queue(because)) => tell(WatchEvent::Queued { because }),
                Some(Do::Cancel(because)) => {
                    tell(WatchEvent::Cancelling { because });
                    current.cancel();
                }
            }
        }
    })
}

/// Starts one run on its own thread and returns the flag that ends it.
fn begin<'scope, 'env, R>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    run: &'scope R,
    sender: Sender<Input>,
) -> Cancel
where
    R: Fn(Cancel) -> Vec<PathBuf> + Sync,
{
    let cancel = Cancel::new();
    let flag = cancel.clone();
    scope.spawn(move || {
        let files = run(flag);
        // Nobody listens any more when the watch has ended.
        let _ = sender.send(Input::Ended(files));
    });
    cancel
}
