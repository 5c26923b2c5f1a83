//! What the policy forbids is refused by every way there is: rows, pipelines, queue parameters, hooks.

mod builds;
mod gates;
pub mod host;
mod rows;
mod shadows;
