//! How much a script may use.

/// How much a script may use. Zero means no limit, where not said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Operations of the interpreter.
    pub operations: u64,
    /// Calls inside calls, through scripts and hooks that run inside the script. Never without limit.
    pub call_levels: usize,
    /// Nesting of expressions at the top level.
    pub expression_depth: usize,
    /// Nesting of expressions inside a function.
    pub function_depth: usize,
    /// Imported modules.
    pub modules: usize,
    /// Bytes of one text.
    pub text: usize,
    /// Items of one array or map, counted through everything nested.
    pub items: usize,
    /// Bytes that the process may take while the script runs, more than it had before.
    pub memory: u64,
}

impl Limits {
    /// The deepest nesting of calls that can be asked for: the stack of a script grows with it.
    pub const MOST_CALL_LEVELS: usize = 1024;

    /// For scripts of the workspace: depth and memory are bounded, so that a recursion without end
    /// is an error and not a crash; time is the run's affair. Rhai's own size limits are off, since
    /// it measures a whole container at every push (rhai-host §4.7).
    pub fn trusted() -> Self {
        Self {
            operations: 0,
            call_levels: 128,
            expression_depth: 128,
            function_depth: 64,
            modules: 0,
            text: 0,
            items: 0,
            memory: 2 << 30,
        }
    }

    /// For scripts of others.
    pub fn sandbox() -> Self {
        Self {
            operations: 50_000_000,
            modules: 64,
            text: 64 << 20,
            items: 1_000_000,
            memory: 512 << 20,
            ..Self::trusted()
        }
    }

    /// The same with what `alm.toml` says instead, where it says something.
    #[must_use]
    pub fn with(self, limits: &crate::workspace::config::Limits) -> Self {
        let levels = limits.depth.unwrap_or(self.call_levels);
        Self {
            operations: limits.operations.unwrap_or(self.operations),
            call_levels: levels.clamp(1, Self::MOST_CALL_LEVELS),
            modules: limits.modules.unwrap_or(self.modules),
            text: limits.text.unwrap_or(self.text),
            items: limits.items.unwrap_or(self.items),
            memory: limits.memory.unwrap_or(self.memory),
            ..self
        }
    }

    /// The bytes of stack that a script needs at most: for calls as deep as they may nest, twice
    /// (an inner script may begin at the last level), and for taking apart the deepest value that
    /// [`Guard`](super::guard::Guard) lets pass. Only what is used is ever taken from the system.
    pub fn stack(&self) -> usize {
        VALUES + 2 * self.call_levels.clamp(1, Self::MOST_CALL_LEVELS) * LEVEL
    }
}

/// Stack for one call whose expressions are nested as deep as they may.
const LEVEL: usize = 256 << 10;

/// Stack for copying and dropping nested values, which Rhai does by recursion.
const VALUES: usize = 512 << 20;
