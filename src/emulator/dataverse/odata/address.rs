//! The segments of an address below the API's root.

use percent_encoding::percent_decode_str;

use super::SyntaxError;
use super::query::split_outside;

/// More than the longest meaningful address has.
const MOST_SEGMENTS: usize = 12;

/// One segment: a name and, where there were parentheses, what stood in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The name, for example `solutions` or `$ref`.
    pub name: String,
    /// What stood in the parentheses.
    pub arguments: Option<String>,
}

/// Takes the path below the API's root apart. It is decoded as a whole first; slashes in quotes do
/// not separate.
///
/// # Errors
/// When parentheses are not closed or there are far too many segments.
pub fn segments(raw: &str) -> Result<Vec<Segment>, SyntaxError> {
    let text = percent_decode_str(raw).decode_utf8_lossy();
    let parts: Vec<&str> = split_outside(&text, '/')
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() > MOST_SEGMENTS {
        return Err(SyntaxError("The address has too many segments.".into()));
    }
    parts
        .into_iter()
        .map(|part| match part.split_once('(') {
            None => Ok(Segment {
                name: part.to_owned(),
                arguments: None,
            }),
            Some((name, rest)) => {
                let inside = rest.strip_suffix(')').ok_or_else(|| {
                    SyntaxError(format!(
                        "Syntax error: '{part}' lacks a closing parenthesis."
                    ))
                })?;
                Ok(Segment {
                    name: name.to_owned(),
                    arguments: Some(inside.to_owned()),
                })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_parentheses_in_quotes_do_not_separate() {
        let found = segments("/accounts(name='a%2Fb(c)')/contacts/%24ref").unwrap();
        assert_eq!(found[0].arguments.as_deref(), Some("name='a/b(c)'"));
        assert_eq!(
            found[1],
            Segment {
                name: "contacts".into(),
                arguments: None
            }
        );
        assert_eq!(found[2].name, "$ref");
        assert!(segments("/accounts(").is_err());
    }
}
