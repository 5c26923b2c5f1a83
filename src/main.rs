//! The `alm` program: starts the command line and turns its outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    almscript::cli::main(std::env::args_os()).into()
}
