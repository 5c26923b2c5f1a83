//! Asks the system which paths change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Input, Watched};
use crate::problem::Problem;

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system does not let this path be watched.
    #[error("{} cannot be watched", path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: notify::Error,
    },
    /// The system has no watcher to give.
    #[error("no files can be watched")]
    NoWatcher(#[source] notify::Error),
    /// The system stopped telling about changes.
    #[error("changes are no longer told: {reason}")]
    Lost {
        /// What the system said.
        reason: String,
    },
}

impl Problem for WatchError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "ALM-R020",
            Self::NoWatcher(_) => "ALM-R021",
            Self::Lost { .. } => "ALM-R022",
        }
    }

    fn hint(&self) -> Option<String> {
        let (Self::Refused { source, .. } | Self::NoWatcher(source)) = self else {
            return Some("start the watch again, with `--poll` on a network drive".into());
        };
        Some(match source.kind {
            notify::ErrorKind::MaxFilesWatch => {
                "raise fs.inotify.max_user_watches, or look at fewer folders with `[watch] paths`"
                    .into()
            }
            _ => "use `--poll` where the system cannot tell about changes".into(),
        })
    }
}

/// The system's watcher, or one that looks for itself.
pub(super) struct Source {
    watcher: Box<dyn Watcher + Send>,
    followed: BTreeSet<PathBuf>,
}

impl Source {
    /// A watcher that sends what it hears of to `sender`.
    pub(super) fn open(poll: Option<Duration>, sender: Sender<Input>) -> Result<Self, WatchError> {
        let hear = move |heard: notify::Result<Event>| {
            let input = match heard {
                Ok(event) if matters(event.kind) => Input::Changed(event.paths),
                Ok(_) => return,
                Err(error) => Input::Lost(error.to_string()),
            };
            // The watch has ended when nobody takes it.
            let _ = sender.send(input);
        };
        let config = Config::default();
        let watcher: notify::Result<Box<dyn Watcher + Send>> = match poll {
            Some(every) => {
                // Content and not only times: a network drive's clock is not ours.
                let config = config.with_poll_interval(every).with_compare_contents(true);
                PollWatcher::new(hear, config).map(|watcher| Box::new(watcher) as _)
            }
            None => RecommendedWatcher::new(hear, config).map(|watcher| Box::new(watcher) as _),
        };
        let watcher = watcher.map_err(WatchError::NoWatcher)?;
        Ok(Self {
            watcher,
            followed: BTreeSet::new(),
        })
    }

    /// Follows what is not followed yet. A file is followed through its folder, since editors put
    /// a new file in its place.
    pub(super) fn follow(&mut self, watched: &Watched) -> Result<(), WatchError> {
        for folder in &watched.folders {
            self.add(folder, RecursiveMode::Recursive)?;
        }
        for folder in watched.files.iter().filter_map(|file| file.parent()) {
            let inside = |followed: &PathBuf| {
                watched.folders.contains(followed) && folder.starts_with(followed)
            };
            if !self.followed.iter().any(inside) {
                self.add(folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, folder: &Path, mode: RecursiveMode) -> Result<(), WatchError> {
        // A folder that is not there yet is followed when a later run finds it.
        if self.followed.contains(folder) || !folder.is_dir() {
            return Ok(());
        }
        self.watcher
            .watch(folder, mode)
            .map_err(|source| WatchError::Refused {
                path: folder.to_path_buf(),
                source,
            })?;
        self.followed.insert(folder.to_path_buf());
        Ok(())
    }
}

/// A mere look at a file is an event too, and a run looks at its files.
fn matters(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any
    )
}
