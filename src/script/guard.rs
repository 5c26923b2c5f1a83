//! Keeps a script inside its limits while it runs, and stops it when it is asked to.
//!
//! Rhai looks at its progress callback between two operations and nowhere else. So the thread that
//! waits for a script [looks](Guard::look) at the clock, the cancel flag and the memory, and leaves
//! a mark that costs the script one load to see; what takes long or much in one operation
//! (`api::language`) looks for that mark itself.
//!
//! Values nest without a limit of Rhai's own, and it copies, compares, prints and drops them by
//! recursion: a list put into itself in a loop would end the process. A value grows deeper only
//! where a script reads a variable or takes a value out of a container. There, once in a while,
//! the guard measures all variables in sight.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, Map, NativeCallContext, Position};

use super::context::Context;
use super::limits::Limits;
use crate::problem::Problem;
use crate::transport::{Cancel, Cancelled};

/// How deep a script's values may nest while it runs.
const DEEPEST_INSIDE: usize = 1_000;

/// The least and the most operations between two measurements. The most bounds how deep a value can
/// get in between: a level takes at least three operations.
const MEASURE: std::ops::RangeInclusive<u64> = 10_000..=500_000;

/// How long a script may take to notice that it must stop, before its thread is left to itself.
const GRACE: Duration = Duration::from_millis(150);

/// The same inside a primitive of the host: what it began should come to an end.
const GRACE_IN_HOST: Duration = Duration::from_secs(1);

/// Marks for the script's thread, one bit each.
const STOP: u8 = 1;
const IN_HOST: u8 = 2;

/// Why a script was stopped. Travels through the engine as the token of a terminated run, so that
/// no script can catch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// The run was cancelled or its time is over.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It made the process take more memory than it may.
    #[error("the script took more than {} MiB of memory", .0 >> 20)]
    Memory(u64),
    /// It used up its operations.
    #[error("the script used up its operations")]
    Operations,
    /// Its values nest too deep.
    #[error("a value of the script is nested more than {DEEPEST_INSIDE} levels deep")]
    Depth,
    /// Scripts, hooks and functions call each other too deep.
    #[error("too many calls inside calls")]
    Calls,
}

impl Problem for Stopped {
    fn code(&self) -> &'static str {
        match self {
            Self::Cancelled(_) => "ALM-R012",
            _ => "ALM-S012",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Cancelled(_) => return None,
            Self::Memory(_) => {
                "look for a text or list that doubles; `memory` in `[limits]` of `alm.toml` allows more"
            }
            Self::Operations => "look for a loop without end",
            Self::Depth => "look for a loop that puts a value into itself",
            Self::Calls => "look for a script, hook or function that calls itself without end",
        };
        Some(hint.into())
    }
}

impl Stopped {
    /// Whether the script itself is the reason, and not the clock or a person.
    pub(crate) fn is_limit(&self) -> bool {
        !matches!(self, Self::Cancelled(_))
    }

    /// The error that ends the run, wherever the script is.
    pub(super) fn terminated(self) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::from(self), Position::NONE).into()
    }

    /// The reason in an evaluation error, however deep the calls around it.
    pub(super) fn within(error: &EvalAltResult) -> Option<Self> {
        match error.unwrap_inner() {
            EvalAltResult::ErrorTerminated(token, _) => {
                token.read_lock::<Self>().map(|stopped| *stopped)
            }
            _ => None,
        }
    }
}

/// One run's limits, and how much of them is used.
pub(crate) struct Guard {
    limits: Limits,
    cancel: Cancel,
    marks: AtomicU8,
    /// Why the script must stop, once it must.
    reason: Mutex<Option<(Stopped, Instant)>>,
    /// Operations of all engines of the run. Only the script's thread writes it.
    operations: AtomicU64,
    /// The number of operations at which the variables are measured next.
    measure_at: AtomicU64,
    /// Levels of calls around the innermost script or hook that runs inside the script.
    levels: AtomicUsize,
    /// Bytes that the process had when the run began.
    memory_before: u64,
    left_alone: AtomicBool,
}

impl Guard {
    pub(crate) fn new(limits: Limits, cancel: Cancel) -> Self {
        Self {
            limits,
            cancel,
            marks: AtomicU8::new(0),
            reason: Mutex::new(None),
            operations: AtomicU64::new(0),
            measure_at: AtomicU64::new(*MEASURE.start()),
            levels: AtomicUsize::new(0),
            memory_before: memory(),
            left_alone: AtomicBool::new(false),
        }
    }

    /// The guard of the run in which `call` happens, if it happens in one.
    pub(super) fn of(call: &NativeCallContext<'_>) -> Option<Arc<Self>> {
        let context = call.tag()?.read_lock::<Context>()?;
        Some(context.guard().clone())
    }

    /// What the run may use.
    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Lets the engine of a run look at this guard.
    pub(super) fn watch(self: &Arc<Self>, engine: &mut Engine) {
        let guard = self.clone();
        engine.on_progress(move |_| guard.pass().err().map(Dynamic::from));
        let guard = self.clone();
        #[expect(
            deprecated,
            reason = "the callback is volatile, which is what it is called for"
        )]
        engine.on_var(move |_, _, context| {
            if guard.is_measure_due() {
                let variables = context.scope().iter_raw().map(|(_, _, value)| value);
                guard.measure(variables.chain(context.this_ptr()))?;
            }
            Ok(None)
        });
    }

    /// One operation of the interpreter.
    fn pass(&self) -> Result<(), Stopped> {
        // A plain load and store: no other thread writes it, and an atomic addition would cost as
        // much as the operation itself.
        let operations = self.operations.load(Ordering::Relaxed) + 1;
        self.operations.store(operations, Ordering::Relaxed);
        if self.limits.operations != 0 && operations > self.limits.operations {
            return Err(self.stop(Stopped::Operations));
        }
        let marks = self.marks.load(Ordering::Relaxed);
        if marks == 0 {
            return Ok(());
        }
        self.marks.fetch_and(!IN_HOST, Ordering::Relaxed);
        // A primitive may have failed because of the cancellation, and the script may catch that.
        if marks & IN_HOST != 0
            && let Err(cancelled) = self.cancel.check()
        {
            return Err(self.stop(cancelled.into()));
        }
        self.check()
    }

    /// Whether the script must stop. Cheap enough for an inner loop.
    ///
    /// # Errors
    /// The reason.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if self.marks.load(Ordering::Relaxed) & STOP == 0 {
            return Ok(());
        }
        match *self.reason() {
            Some((stopped, _)) => Err(stopped),
            None => Ok(()),
        }
    }

    /// Says that a primitive of the host works now; the next operation takes it back.
    pub(super) fn enter_host(&self) {
        self.marks.fetch_or(IN_HOST, Ordering::Relaxed);
    }

    /// Looks at the clock, the cancel flag and the memory. For the thread that waits for the script.
    pub(crate) fn look(&self) {
        if self.marks.load(Ordering::Relaxed) & STOP != 0 {
            return;
        }
        if let Err(cancelled) = self.cancel.check() {
            self.stop(cancelled.into());
        } else if self.limits.memory != 0
            && memory().saturating_sub(self.memory_before) > self.limits.memory
        {
            self.stop(Stopped::Memory(self.limits.memory));
        }
    }

    /// Why the script is left to itself: it was told to stop and does not.
    pub(crate) fn given_up(&self) -> Option<Stopped> {
        let (stopped, since) = (*self.reason())?;
        let in_host = self.marks.load(Ordering::Relaxed) & IN_HOST != 0;
        let grace = if in_host { GRACE_IN_HOST } else { GRACE };
        (since.elapsed() > grace).then_some(stopped)
    }

    /// Marks the script as one whose end nobody waits for; it must not change anything any more.
    pub(crate) fn leave_alone(&self) {
        self.left_alone.store(true, Ordering::SeqCst);
    }

    /// Whether nobody waits for the script any more.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.left_alone.load(Ordering::SeqCst)
    }

    /// Makes the script stop; the first reason counts.
    pub(super) fn stop(&self, stopped: Stopped) -> Stopped {
        let (first, _) = *self.reason().get_or_insert((stopped, Instant::now()));
        self.marks.fetch_or(STOP, Ordering::Relaxed);
        first
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, Option<(Stopped, Instant)>> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a script or hook that an engine runs inside the script, `level` calls deep. Such an
    /// engine counts its calls from zero, so their sum is kept here.
    ///
    /// # Errors
    /// When calls nest too deep. It ends the run: each level would catch it and call again.
    pub(super) fn nest(self: &Arc<Self>, level: usize) -> Result<Nested, Box<EvalAltResult>> {
        let around = self.levels.load(Ordering::Relaxed);
        let levels = around + level + 1;
        if levels > self.limits.call_levels {
            return Err(self.stop(Stopped::Calls).terminated());
        }
        self.levels.store(levels, Ordering::Relaxed);
        Ok(Nested {
            guard: self.clone(),
            around,
        })
    }

    fn is_measure_due(&self) -> bool {
        self.operations.load(Ordering::Relaxed) >= self.measure_at.load(Ordering::Relaxed)
    }

    /// Measures `values` if it is time to: for functions that take values out of a container.
    pub(super) fn measure_if_due(&self, values: &[&Dynamic]) -> Result<(), Box<EvalAltResult>> {
        if self.is_measure_due() {
            self.measure(values.iter().copied())
        } else {
            Ok(())
        }
    }

    fn measure<'v>(
        &self,
        values: impl Iterator<Item = &'v Dynamic>,
    ) -> Result<(), Box<EvalAltResult>> {
        let mut survey = Survey::default();
        for value in values {
            survey.visit(value, DEEPEST_INSIDE).map_err(|stopped| {
                self.stop(stopped);
                stopped.terminated()
            })?;
        }
        let pause = (4 * survey.values).clamp(*MEASURE.start(), *MEASURE.end());
        let operations = self.operations.load(Ordering::Relaxed);
        self.measure_at.store(operations + pause, Ordering::Relaxed);
        Ok(())
    }
}

/// A script or hook that runs inside the script; dropped when it ends.
pub(super) struct Nested {
    guard: Arc<Guard>,
    around: usize,
}

impl Drop for Nested {
    fn drop(&mut self) {
        self.guard.levels.store(self.around, Ordering::Relaxed);
    }
}

/// Counts values and finds out how deep they nest.
#[derive(Default)]
struct Survey {
    values: u64,
    /// Variables that closures share, by their address: they may lead back to themselves.
    shared: HashSet<usize>,
}

impl Survey {
    fn visit(&mut self, value: &Dynamic, levels: usize) -> Result<(), Stopped> {
        self.values += 1;
        let Some(levels) = levels.checked_sub(1) else {
            return Err(Stopped::Depth);
        };
        if value.is_shared() {
            // Locked is what the script works on right now; its turn comes with a later look.
            if let Some(inside) = value.read_lock::<Dynamic>()
                && self
                    .shared
                    .insert(std::ptr::from_ref::<Dynamic>(&inside) as usize)
            {
                return self.visit(&inside, levels);
            }
        } else if value.is_array() {
            if let Some(items) = value.read_lock::<Array>() {
                return items.iter().try_for_each(|item| self.visit(item, levels));
            }
        } else if value.is_map() {
            if let Some(entries) = value.read_lock::<Map>() {
                return entries
                    .values()
                    .try_for_each(|item| self.visit(item, levels));
            }
        } else if value.is_fnptr()
            && let Some(function) = value.read_lock::<FnPtr>()
        {
            return function
                .iter_curry()
                .try_for_each(|item| self.visit(item, levels));
        }
        Ok(())
    }
}

/// Whether `value` may be printed, compared or sorted: what recursion does level by level.
///
/// # Errors
/// [`Stopped::Depth`] if it nests deeper than a script's values may.
pub(super) fn check_depth(value: &Dynamic) -> Result<(), Stopped> {
    Survey::default().visit(value, DEEPEST_INSIDE)
}

/// The bytes of memory that the process takes; zero where the system does not tell.
fn memory() -> u64 {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem as u64)
}

impl From<Stopped> for Box<EvalAltResult> {
    fn from(stopped: Stopped) -> Self {
        stopped.terminated()
    }
}
