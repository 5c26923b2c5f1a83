//! The query language of the Web API: addresses, options, expressions.
//!
//! Text in, syntax trees out; nothing here knows rows or the store. What a caller sends may be
//! hostile, so every nesting has a limit. Reference: facts/dataverse-web-api.md, section 1.7.

mod address;
mod apply;
mod expression;
mod lexer;
mod parser;
mod query;

pub use address::{Segment, segments};
pub use apply::{Aggregate, Method, Transformation};
pub use expression::{Argument, Comparison, Expression, Literal, Path};
pub use parser::{Parameter, filter, parameters, path};
pub use query::{Expand, Order, Query};

/// What is wrong with an address or query option, in the service's manner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SyntaxError(pub String);
