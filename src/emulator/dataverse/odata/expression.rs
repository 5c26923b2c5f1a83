//! The expressions of `$filter`.

use serde_json::Value;

/// A parsed `$filter`.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// All of two or more hold.
    And(Vec<Expression>),
    /// One of two or more holds.
    Or(Vec<Expression>),
    /// The inner one does not hold.
    Not(Box<Expression>),
    /// Two operands are compared.
    Compare(Comparison, Box<Expression>, Box<Expression>),
    /// A function, such as `contains`, or a query function such as `Microsoft.Dynamics.CRM.In`,
    /// without that prefix.
    Call(String, Vec<Argument>),
    /// `path/any(x:…)` and, with `all` set, `path/all(x:…)`. Without a condition `any` asks
    /// whether there is any row.
    Lambda {
        /// The collection.
        collection: Path,
        /// Whether every row must fit rather than one.
        all: bool,
        /// The variable's name.
        variable: String,
        /// The condition.
        condition: Option<Box<Expression>>,
    },
    /// A property of the row, or of a row that lookups lead to.
    Property(Path),
    /// A fixed value.
    Literal(Literal),
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// Its name, where arguments are named.
    pub name: Option<String>,
    /// Its value.
    pub value: Expression,
}

/// Names separated by slashes: lookups, then a property.
pub type Path = Vec<String>;

/// How two operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// A fixed value in an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// Text in quotes.
    Text(String),
    /// A guid, in lower case.
    Guid(String),
    /// A date or a moment as it was written.
    Date(String),
    /// A list, from JSON or parentheses.
    List(Vec<Literal>),
}

impl Literal {
    /// The value as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Text(text) | Self::Guid(text) | Self::Date(text) => text.clone().into(),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
        }
    }
}

impl Expression {
    /// The text that `property` must be equal to for the expression to hold, where the expression
    /// says so outside of any `or` and `not`.
    pub fn demanded(&self, property: &str) -> Option<String> {
        match self {
            Self::And(parts) => parts.iter().find_map(|part| part.demanded(property)),
            Self::Compare(Comparison::Equal, left, right) => match (&**left, &**right) {
                (Self::Property(path), Self::Literal(literal))
                | (Self::Literal(literal), Self::Property(path))
                    if *path == [property] =>
                {
                    match literal.to_json() {
                        Value::String(text) => Some(text),
                        Value::Null => None,
                        other => Some(other.to_string()),
                    }
                }
                _ => None,
            },
            _ => None,
        }
    }
}
