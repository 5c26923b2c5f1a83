//! The query options of one request.

use super::SyntaxError;
use super::apply::{self, Transformation};
use super::expression::{Expression, Path};
use super::parser::{Aliases, filter, path};

/// Options inside options inside …; the service itself stops much earlier.
const DEEPEST_EXPAND: usize = 8;

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
    /// `$apply`
    pub apply: Vec<Transformation>,
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

impl Query {
    /// Reads the options of a request from its query's pairs. Options that the service does not
    /// know are ignored, as it does.
    ///
    /// # Errors
    /// What is wrong with the first option that is.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, SyntaxError> {
        let aliases: Vec<_> = pairs
            .iter()
            .filter(|(name, _)| name.starts_with('@'))
            .cloned()
            .collect();
        let mut query = Self::default();
        for (name, value) in pairs {
            query.option(name, value, &aliases, 0)?;
        }
        Ok(query)
    }

    fn option(
        &mut self,
        name: &str,
        value: &str,
        aliases: Aliases<'_>,
        depth: usize,
    ) -> Result<(), SyntaxError> {
        match name {
            "$select" => self.select = names(value),
            "$filter" => self.filter = Some(filter(value, aliases)?),
            "$orderby" => self.order = order(value, aliases)?,
            "$top" => {
                let top = value.trim().parse().map_err(|_| {
                    SyntaxError(format!(
                        "Invalid value '{value}' for $top query option found."
                    ))
                })?;
                self.top = Some(top);
            }
            "$count" => match value {
                "true" => self.count = true,
                "false" => self.count = false,
                other => {
                    let message = format!("Invalid value '{other}' for $count query option found.");
                    return Err(SyntaxError(message));
                }
            },
            "$expand" => {
                for item in split_outside(value, ',') {
                    self.expand.push(expand(item.trim(), aliases, depth)?);
                }
            }
            "$apply" if depth == 0 => self.apply = apply::parse(value, aliases)?,
            "$skip" => return Err(SyntaxError("Skip Clause is not supported in CRM".into())),
            "$search" => return Err(SyntaxError("$search is not supported".into())),
            _ => {}
        }
        Ok(())
    }
}

fn names(text: &str) -> Vec<String> {
    let names = text.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty() && *name != "*")
        .map(str::to_owned)
        .collect()
}

fn order(text: &str, aliases: Aliases<'_>) -> Result<Vec<Order>, SyntaxError> {
    let items = split_outside(text, ',');
    let items = items
        .iter()
        .map(|item| item.trim())
        .filter(|item| !item.is_empty());
    items
        .map(|item| {
            let mut words = item.split_whitespace();
            let first = words.next().unwrap_or_default();
            let alias = aliases.iter().find(|(name, _)| name == first);
            let property = alias.map_or(first, |(_, value)| value.as_str());
            let descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(other) => {
                    return Err(SyntaxError(format!("Syntax error: '{other}' in $orderby.")));
                }
            };
            Ok(Order {
                path: path(property),
                descending,
            })
        })
        .collect()
}

fn expand(item: &str, aliases: Aliases<'_>, depth: usize) -> Result<Expand, SyntaxError> {
    if depth >= DEEPEST_EXPAND {
        return Err(SyntaxError("The $expand is nested too deeply.".into()));
    }
    let (name, options) = match item.split_once('(') {
        Some((name, rest)) => {
            let options = rest.strip_suffix(')').ok_or_else(|| {
                SyntaxError("Syntax error: a parenthesis of $expand is not closed.".into())
            })?;
            (name, options)
        }
        None => (item, ""),
    };
    let (navigation, reference) = match name.strip_suffix("/$ref") {
        Some(navigation) => (navigation, true),
        None => (name, false),
    };
    let mut query = Query::default();
    for option in split_outside(options, ';') {
        let option = option.trim();
        if option.is_empty() {
            continue;
        }
        let Some((name, value)) = option.split_once('=') else {
            return Err(SyntaxError(format!("Syntax error: '{option}' in $expand.")));
        };
        let name = name.trim();
        if ["$skip", "$count", "$search", "$levels", "$apply"].contains(&name) {
            return Err(SyntaxError(format!(
                "{name} is not supported inside $expand."
            )));
        }
        query.option(name, value, aliases, depth + 1)?;
    }
    Ok(Expand {
        navigation: navigation.trim().to_owned(),
        reference,
        query,
    })
}

/// Splits at `separator` where it stands outside of quotes, parentheses and brackets.
pub(super) fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_i32;
    let mut quoted = false;
    for (at, it) in text.char_indices() {
        match it {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if it == separator && depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + it.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &str, value: &str) -> Result<Query, SyntaxError> {
        Query::parse(&[(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn expand_takes_options_and_nests() {
        let text = "a($select=x,y;$filter=n eq 'a;b,)';$orderby=x desc;$top=3;$expand=c),d/$ref,e";
        let query = read("$expand", text).unwrap();
        let [a, d, e] = &query.expand[..] else {
            panic!("{query:?}")
        };
        assert_eq!((a.navigation.as_str(), a.query.top), ("a", Some(3)));
        assert_eq!(a.query.select, ["x", "y"]);
        assert!(a.query.order[0].descending);
        assert_eq!(a.query.expand[0].navigation, "c");
        assert!(d.reference && d.navigation == "d" && e.navigation == "e");
    }

    #[test]
    fn options_that_the_service_lacks_are_refused_and_foreign_ones_ignored() {
        assert!(read("$skip", "1").is_err());
        assert!(read("$expand", "a($count=true)").is_err());
        assert_eq!(read("api-version", "9.1").unwrap(), Query::default());
    }

    #[test]
    fn deep_expands_are_refused() {
        let text = format!("{}b{}", "a($expand=".repeat(5_000), ")".repeat(5_000));
        assert!(read("$expand", &text).is_err());
    }

    proptest! {
        #[test]
        fn no_option_makes_the_reader_panic(
            name in prop::sample::select(vec!["$expand", "$orderby", "$apply", "$select", "$top"]),
            text in "[a-z$=;,()'/ ]{0,60}|\\PC{0,60}",
        ) {
            let _ = read(name, &text);
        }
    }
}
