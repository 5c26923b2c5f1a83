//! The query options of one request.

use super::expression::{Expression, Path};

/// What `$select`, `$filter` and the others ask for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// `$select`: property names; empty asks for all.
    pub select: Vec<String>,
    /// `$filter`
    pub filter: Option<Expression>,
    /// `$orderby`
    pub order: Vec<Order>,
    /// `$top`
    pub top: Option<usize>,
    /// `$count=true`
    pub count: bool,
    /// `$expand`
    pub expand: Vec<Expand>,
}

/// One column of `$orderby`.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The property.
    pub path: Path,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// One navigation property of `$expand`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expand {
    /// The navigation property.
    pub navigation: String,
    /// Whether only references are asked for, `nav/$ref`.
    pub reference: bool,
    /// The options in its parentheses.
    pub query: Query,
}
