//! How much room one call of a function of the language has, and whether it may go on.

use std::sync::Arc;

use rhai::{Dynamic, EvalAltResult, NativeCallContext, Position};

use crate::script::guard::{Guard, Stopped};
use crate::script::limits::Limits;

/// How many cheap steps pass between two looks at the mark to stop.
const STRIDE: usize = 4096;

/// What a function that takes long or much in one call asks while it works.
pub(super) struct Room {
    guard: Option<Arc<Guard>>,
    /// Bytes of one text; zero for no limit but the memory.
    text: usize,
    /// Items of one array or bytes of one blob; zero for no limit but the memory.
    items: usize,
    memory: u64,
    steps: usize,
}

impl Room {
    pub(super) fn of(call: &NativeCallContext<'_>) -> Self {
        let guard = Guard::of(call);
        let engine = call.engine();
        let memory = match &guard {
            Some(guard) => guard.limits().memory,
            None => Limits::trusted().memory,
        };
        Self {
            guard,
            text: engine.max_string_size(),
            items: engine.max_array_size(),
            memory,
            steps: 0,
        }
    }

    /// Makes sure that a text of so many bytes may be made.
    pub(super) fn text(&self, bytes: usize) -> Result<(), Box<EvalAltResult>> {
        if self.text != 0 && bytes > self.text {
            return Err(too_large("Length of string"));
        }
        self.memory(bytes)
    }

    /// Makes sure that an array of so many items may be made.
    pub(super) fn items(&self, items: usize) -> Result<(), Box<EvalAltResult>> {
        if self.items != 0 && items > self.items {
            return Err(too_large("Size of array"));
        }
        self.memory(items.saturating_mul(size_of::<Dynamic>()))
    }

    /// Makes sure that a blob of so many bytes may be made.
    pub(super) fn bytes(&self, bytes: usize) -> Result<(), Box<EvalAltResult>> {
        if self.items != 0 && bytes > self.items {
            return Err(too_large("Size of BLOB"));
        }
        self.memory(bytes)
    }

    /// Refuses before it is asked for: a request that the system cannot serve ends the process.
    fn memory(&self, bytes: usize) -> Result<(), Box<EvalAltResult>> {
        if self.memory == 0 || bytes as u64 <= self.memory {
            return Ok(());
        }
        Err(self.stop(Stopped::Memory(self.memory)))
    }

    /// One cheap step of many.
    pub(super) fn step(&mut self) -> Result<(), Box<EvalAltResult>> {
        self.steps += 1;
        if self.steps.is_multiple_of(STRIDE) {
            self.check()
        } else {
            Ok(())
        }
    }

    /// One step that takes a while by itself.
    pub(super) fn check(&self) -> Result<(), Box<EvalAltResult>> {
        match &self.guard {
            Some(guard) => Ok(guard.check()?),
            None => Ok(()),
        }
    }

    /// Looks how deep values nest that were taken out of a container, if it is time to: such a
    /// value is not copied, so it could grow deeper at every turn of a loop without any variable.
    pub(super) fn taken(&self, value: &Dynamic) -> Result<(), Box<EvalAltResult>> {
        match &self.guard {
            Some(guard) => guard.measure_if_due(&[value]),
            None => Ok(()),
        }
    }

    /// The error of a value that nests too deep to be printed or compared.
    pub(super) fn too_deep(&self) -> Box<EvalAltResult> {
        self.stop(Stopped::Depth)
    }

    fn stop(&self, stopped: Stopped) -> Box<EvalAltResult> {
        match &self.guard {
            Some(guard) => guard.stop(stopped).terminated(),
            None => stopped.terminated(),
        }
    }
}

fn too_large(what: &str) -> Box<EvalAltResult> {
    EvalAltResult::ErrorDataTooLarge(what.into(), Position::NONE).into()
}
