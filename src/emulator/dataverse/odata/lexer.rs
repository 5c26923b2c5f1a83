//! Words and marks of the query language.

use uuid::Uuid;

use super::expression::Literal;

/// A text longer than this is not an expression that a person or a client wrote.
const LONGEST: usize = 65_536;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name, an operator in letters, a path such as `a/b`, or `@alias`.
    Name(String),
    /// A fixed value.
    Literal(Literal),
    /// A type name and a value in quotes, `Microsoft.Dynamics.CRM.EntityFilters'Entity'`.
    Typed(String, String),
    /// A JSON array or object as it was written.
    Json(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `/` that follows `)`.
    Slash,
    /// `=`
    Equals,
    /// `;`
    Semicolon,
    /// `*`
    Star,
}

/// Cuts `text` into tokens.
///
/// # Errors
/// What is wrong and at which character.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    if text.len() > LONGEST {
        return Err(format!(
            "The expression is longer than {LONGEST} characters."
        ));
    }
    let mut rest = text;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let mark = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            ':' => Some(Token::Colon),
            '/' => Some(Token::Slash),
            '=' => Some(Token::Equals),
            ';' => Some(Token::Semicolon),
            '*' => Some(Token::Star),
            _ => None,
        };
        if let Some(mark) = mark {
            found.push(mark);
            rest = &rest[1..];
        } else if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '\'' {
            let (value, after) = quoted(rest, at)?;
            found.push(Token::Literal(Literal::Text(value)));
            rest = after;
        } else if first == '[' || first == '{' {
            let length = json_length(rest).ok_or_else(|| wrong("unterminated JSON", at))?;
            found.push(Token::Json(rest[..length].to_owned()));
            rest = &rest[length..];
        } else if date_length(rest) > 0 {
            let (date, after) = rest.split_at(date_length(rest));
            found.push(Token::Literal(Literal::Date(date.to_owned())));
            rest = after;
        } else {
            let end = rest.find(|it: char| !is_word(it)).unwrap_or(rest.len());
            if end == 0 {
                return Err(wrong(&format!("unexpected character '{first}'"), at));
            }
            let (word, after) = rest.split_at(end);
            if after.starts_with('\'') {
                let (value, after) = quoted(after, at + end)?;
                found.push(typed(word, value));
                rest = after;
            } else {
                found.push(classify(word));
                rest = after;
            }
        }
    }
    Ok(found)
}

/// Reads a text in quotes from the start of `text`; a quote inside is doubled.
fn quoted(text: &str, at: usize) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let Some(end) = rest.find('\'') else {
            return Err(wrong("There is an unterminated string literal", at));
        };
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Ok((value, rest)),
        }
    }
}

fn typed(word: &str, value: String) -> Token {
    match word {
        // Older clients still write values like this.
        "guid" => Token::Literal(Literal::Guid(value.to_lowercase())),
        "datetime" | "datetimeoffset" => Token::Literal(Literal::Date(value)),
        _ => Token::Typed(word.to_owned(), value),
    }
}

/// Dots and slashes join names to paths and belong to numbers and dates, so they stay in a word.
fn is_word(it: char) -> bool {
    it.is_alphanumeric() || matches!(it, '_' | '.' | '-' | '/' | '@' | '$' | '+' | '#')
}

fn classify(word: &str) -> Token {
    let literal = match word {
        "null" => Some(Literal::Null),
        "true" => Some(Literal::Boolean(true)),
        "false" => Some(Literal::Boolean(false)),
        _ => guid(word).or_else(|| number(word)),
    };
    literal.map_or_else(|| Token::Name(word.to_owned()), Token::Literal)
}

fn number(word: &str) -> Option<Literal> {
    let starts = word
        .trim_start_matches(['-', '+'])
        .starts_with(|it: char| it.is_ascii_digit());
    if !starts {
        return None;
    }
    if let Ok(value) = word.parse() {
        return Some(Literal::Integer(value));
    }
    // Suffixes of older protocol versions.
    let plain = word.trim_end_matches(['m', 'M', 'd', 'D', 'f', 'F', 'L']);
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some(Literal::Number(value))
}

fn guid(word: &str) -> Option<Literal> {
    // Without dashes it may be a name that happens to be hexadecimal.
    if word.len() != 36 {
        return None;
    }
    Uuid::parse_str(word)
        .ok()
        .map(|id| Literal::Guid(id.to_string()))
}

/// The length of the date or moment at the start of `text`, 0 when there is none. It is looked for
/// before words are, because a moment has colons.
fn date_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|it| it.iter().all(u8::is_ascii_digit))
    };
    let is_date =
        digits(0..4) && digits(5..7) && digits(8..10) && bytes[4] == b'-' && bytes[7] == b'-';
    if !is_date {
        return 0;
    }
    let of_moment =
        |it: char| it.is_ascii_digit() || matches!(it, 'T' | 'Z' | ':' | '.' | '+' | '-');
    text.find(|it| !of_moment(it)).unwrap_or(text.len())
}

/// The length of the JSON value at the start of `text`. Older clients write its texts in single
/// quotes.
fn json_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, it) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if it == '\\' => escaped = true,
            Some(open) if it == open => quote = None,
            Some(_) => {}
            None => match it {
                '"' | '\'' => quote = Some(it),
                '[' | '{' => depth += 1,
                ']' | '}' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            },
        }
    }
    None
}

fn wrong(what: &str, at: usize) -> String {
    format!("Syntax error: {what} at position {at}.")
}
