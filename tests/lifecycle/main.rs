//! The life of solutions in an environment, and the packages that carry them.

mod components;
mod corpus;
mod environment;
mod import;
mod layers;
mod making;
