//! Scripts as people meet them: found, given parameters, run, explained, resumed.

mod bench;
mod bundled;
mod embedding;
mod errors;
mod history;
mod killed;
mod reference;
mod running;
mod watching;
