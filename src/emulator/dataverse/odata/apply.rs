//! `$apply`: filtering, grouping and aggregating.

use super::SyntaxError;
use super::expression::{Expression, Path};
use super::lexer::Token;
use super::parser::{Aliases, Parser, path};

/// One step of `$apply`.
#[derive(Debug, Clone, PartialEq)]
pub enum Transformation {
    /// `filter(…)`
    Filter(Expression),
    /// `groupby((a,b),aggregate(…))`
    Group {
        /// By which properties.
        by: Vec<Path>,
        /// What is computed for each group.
        aggregates: Vec<Aggregate>,
    },
    /// `aggregate(…)` over all rows.
    Aggregate(Vec<Aggregate>),
}

/// One computed value.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The property, or nothing where rows are counted.
    pub path: Option<Path>,
    /// How the values become one.
    pub method: Method,
    /// The name of the result.
    pub alias: String,
}

/// How values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `$count`: the number of rows.
    Count,
    /// `countdistinct`
    CountDistinct,
    /// `sum`
    Sum,
    /// `average`
    Average,
    /// `min`
    Minimum,
    /// `max`
    Maximum,
}

/// Reads the text of `$apply`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str, aliases: Aliases<'_>) -> Result<Vec<Transformation>, SyntaxError> {
    let mut parser = Parser::new(text, aliases, 0)?;
    let mut steps = Vec::new();
    loop {
        steps.push(step(&mut parser)?);
        if parser.peek().is_none() {
            return Ok(steps);
        }
        parser.expect(&Token::Slash)?;
    }
}

fn step(parser: &mut Parser<'_>) -> Result<Transformation, SyntaxError> {
    let Token::Name(name) = parser.next()? else {
        return Err(wrong("a transformation"));
    };
    parser.expect(&Token::Open)?;
    match name.trim_start_matches('/') {
        "filter" => {
            let condition = parser.either()?;
            parser.expect(&Token::Close)?;
            Ok(Transformation::Filter(condition))
        }
        "aggregate" => Ok(Transformation::Aggregate(aggregates(parser)?)),
        "groupby" => {
            parser.expect(&Token::Open)?;
            let mut by = Vec::new();
            loop {
                let Token::Name(property) = parser.next()? else {
                    return Err(wrong("a property"));
                };
                by.push(path(&property));
                match parser.next()? {
                    Token::Comma => {}
                    Token::Close => break,
                    _ => return Err(wrong("a comma")),
                }
            }
            let aggregates = match parser.next()? {
                Token::Close => Vec::new(),
                Token::Comma => {
                    let Token::Name(inner) = parser.next()? else {
                        return Err(wrong("aggregate"));
                    };
                    if inner != "aggregate" {
                        return Err(wrong("aggregate"));
                    }
                    parser.expect(&Token::Open)?;
                    let found = aggregates(parser)?;
                    parser.expect(&Token::Close)?;
                    found
                }
                _ => return Err(wrong("a comma")),
            };
            Ok(Transformation::Group { by, aggregates })
        }
        other => Err(SyntaxError(format!(
            "The transformation '{other}' is not supported."
        ))),
    }
}

/// Reads up to and with the closing parenthesis.
fn aggregates(parser: &mut Parser<'_>) -> Result<Vec<Aggregate>, SyntaxError> {
    let mut found = Vec::new();
    loop {
        let Token::Name(property) = parser.next()? else {
            return Err(wrong("a property"));
        };
        let (path, method) = if property == "$count" {
            (None, Method::Count)
        } else {
            keyword(parser, "with")?;
            let Token::Name(method) = parser.next()? else {
                return Err(wrong("a method"));
            };
            let method = match method.as_str() {
                "sum" => Method::Sum,
                "average" => Method::Average,
                "min" => Method::Minimum,
                "max" => Method::Maximum,
                "countdistinct" => Method::CountDistinct,
                other => {
                    return Err(SyntaxError(format!(
                        "The method '{other}' is not supported."
                    )));
                }
            };
            (Some(path(&property)), method)
        };
        keyword(parser, "as")?;
        let Token::Name(alias) = parser.next()? else {
            return Err(wrong("a name"));
        };
        found.push(Aggregate {
            path,
            method,
            alias,
        });
        match parser.next()? {
            Token::Comma => {}
            Token::Close => return Ok(found),
            _ => return Err(wrong("a comma")),
        }
    }
}

fn keyword(parser: &mut Parser<'_>, word: &str) -> Result<(), SyntaxError> {
    parser.expect(&Token::Name(word.to_owned()))
}

fn wrong(wanted: &str) -> SyntaxError {
    SyntaxError(format!("Syntax error in $apply: {wanted} was expected."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_may_come_before_a_grouping() {
        let text = "filter(statecode eq 0)/groupby((name,owner/fullname),aggregate($count as n,\
                    revenue with sum as total))";
        let steps = parse(text, &[]).unwrap();
        let [
            Transformation::Filter(_),
            Transformation::Group { by, aggregates },
        ] = &steps[..]
        else {
            panic!("{steps:?}")
        };
        assert_eq!(by, &[path("name"), path("owner/fullname")]);
        assert_eq!(aggregates[1].method, Method::Sum);
        assert_eq!(aggregates[0].alias, "n");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "topcount(2,a)",
            "groupby((a)",
            "aggregate(a with median as b)",
        ] {
            assert!(parse(text, &[]).is_err(), "{text}");
        }
    }
}
