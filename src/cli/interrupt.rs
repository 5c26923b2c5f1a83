//! Ctrl-C: the first one asks the work to stop, the second one ends the program.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Exit;
use crate::transport::Cancel;

/// The flag that Ctrl-C raises. All callers share one.
///
/// Work that is under way ends at its next wait and says what it left behind. A second Ctrl-C does
/// not wait for that: the journal then shows an interrupted run.
pub fn on_interrupt() -> Cancel {
    static FLAG: OnceLock<Cancel> = OnceLock::new();
    FLAG.get_or_init(|| {
        let flag = Cancel::new();
        let raised = flag.clone();
        let pressed = AtomicBool::new(false);
        let handler = move || {
            if pressed.swap(true, Ordering::SeqCst) {
                std::process::exit(Exit::Cancelled as i32);
            }
            eprintln!("\nStopping; press Ctrl-C again to stop at once.");
            raised.cancel();
        };
        // Without a handler Ctrl-C ends the program at once, which is no worse than the second one.
        let _ = ctrlc::set_handler(handler);
        flag
    })
    .clone()
}
