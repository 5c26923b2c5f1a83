//! Reads `$filter`, and what stands in the parentheses of keys and functions.

use serde_json::Value;

use super::SyntaxError;
use super::expression::{Argument, Comparison, Expression, Literal};
use super::lexer::{Token, tokens};

/// No person nests deeper, and each level costs stack.
const DEEPEST: usize = 60;
/// A real service refuses far fewer conditions than this.
const MOST_TOKENS: usize = 8_192;

/// The parameter aliases of a request: `@p1` and what it stands for.
pub type Aliases<'a> = &'a [(String, String)];

/// Reads the text of a `$filter`.
///
/// # Errors
/// What is wrong with it.
pub fn filter(text: &str, aliases: Aliases<'_>) -> Result<Expression, SyntaxError> {
    let mut parser = Parser::new(text, aliases, 0)?;
    let expression = parser.either()?;
    parser.end()?;
    Ok(expression)
}

/// One value in the parentheses of a key or function, with its name where it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Option<String>,
    /// Its value.
    pub value: Value,
    /// Whether the value stood in quotes.
    pub quoted: bool,
}

/// Reads what stands between the parentheses of a key or function.
///
/// # Errors
/// What is wrong with it.
pub fn parameters(text: &str, aliases: Aliases<'_>) -> Result<Vec<Parameter>, SyntaxError> {
    let mut parser = Parser::new(text, aliases, 0)?;
    let mut found = Vec::new();
    while parser.peek().is_some() {
        if !found.is_empty() {
            parser.expect(&Token::Comma)?;
        }
        let first = parser.next()?;
        let (name, token) = match (first, parser.peek()) {
            (Token::Name(name), Some(Token::Equals)) => {
                parser.next()?;
                (Some(name), parser.next()?)
            }
            (token, _) => (None, token),
        };
        let quoted = matches!(token, Token::Literal(Literal::Text(_)));
        found.push(Parameter {
            name,
            value: parser.fixed(token)?.to_json_value(),
            quoted,
        });
    }
    Ok(found)
}

/// A value that needs no row to be known.
enum Fixed {
    Literal(Literal),
    Json(Value),
}

impl Fixed {
    fn to_json_value(&self) -> Value {
        match self {
            Self::Literal(literal) => literal.to_json(),
            Self::Json(value) => value.clone(),
        }
    }
}

pub(super) struct Parser<'a> {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    aliases: Aliases<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, aliases: Aliases<'a>, depth: usize) -> Result<Self, SyntaxError> {
        let tokens = tokens(text).map_err(SyntaxError)?;
        if tokens.len() > MOST_TOKENS {
            return Err(SyntaxError("The expression has too many parts.".into()));
        }
        Ok(Self {
            tokens: tokens.into_iter().peekable(),
            aliases,
            depth,
        })
    }

    pub(super) fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek()
    }

    pub(super) fn next(&mut self) -> Result<Token, SyntaxError> {
        self.tokens
            .next()
            .ok_or_else(|| SyntaxError("The expression ends too early.".into()))
    }

    pub(super) fn expect(&mut self, wanted: &Token) -> Result<(), SyntaxError> {
        let found = self.next()?;
        if found == *wanted {
            return Ok(());
        }
        Err(SyntaxError(format!(
            "Syntax error: found {found:?} where {wanted:?} was expected."
        )))
    }

    pub(super) fn end(&mut self) -> Result<(), SyntaxError> {
        match self.tokens.next() {
            None => Ok(()),
            Some(token) => Err(SyntaxError(format!("Syntax error: unexpected {token:?}."))),
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        self.tokens
            .next_if(|it| matches!(it, Token::Name(name) if name == wanted))
            .is_some()
    }

    fn deeper<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= DEEPEST {
            return Err(SyntaxError(
                "The node count limit of the query was exceeded: it is nested too deeply.".into(),
            ));
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    pub(super) fn either(&mut self) -> Result<Expression, SyntaxError> {
        let mut parts = vec![self.both()?];
        while self.word("or") {
            parts.push(self.both()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Expression::Or(parts),
        })
    }

    fn both(&mut self) -> Result<Expression, SyntaxError> {
        let mut parts = vec![self.negation()?];
        while self.word("and") {
            parts.push(self.negation()?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Expression::And(parts),
        })
    }

    fn negation(&mut self) -> Result<Expression, SyntaxError> {
        if self.word("not") {
            return self.deeper(|it| Ok(Expression::Not(Box::new(it.negation()?))));
        }
        let left = self.operand()?;
        let comparison = match self.peek() {
            Some(Token::Name(name)) => match name.as_str() {
                "eq" => Comparison::Equal,
                "ne" => Comparison::NotEqual,
                "gt" => Comparison::Greater,
                "ge" => Comparison::GreaterOrEqual,
                "lt" => Comparison::Less,
                "le" => Comparison::LessOrEqual,
                _ => return Ok(left),
            },
            _ => return Ok(left),
        };
        self.next()?;
        let right = self.operand()?;
        Ok(Expression::Compare(
            comparison,
            Box::new(left),
            Box::new(right),
        ))
    }

    fn operand(&mut self) -> Result<Expression, SyntaxError> {
        match self.next()? {
            Token::Open => self.deeper(|it| {
                let inner = it.either()?;
                it.expect(&Token::Close)?;
                Ok(inner)
            }),
            Token::Name(name) if name.starts_with('@') => {
                let text = self.alias(&name)?;
                // An alias may stand for another one; a circle of them ends at the depth limit.
                self.deeper(|it| {
                    let mut inner = Parser::new(&text, it.aliases, it.depth)?;
                    let expression = inner.either()?;
                    inner.end()?;
                    Ok(expression)
                })
            }
            Token::Name(name) if self.peek() == Some(&Token::Open) => {
                self.next()?;
                self.deeper(|it| it.call(&name))
            }
            Token::Name(name) => Ok(Expression::Property(path(&name))),
            token => match self.fixed(token)? {
                Fixed::Literal(literal) => Ok(Expression::Literal(literal)),
                Fixed::Json(value) => Ok(Expression::Literal(list(&value))),
            },
        }
    }

    fn call(&mut self, name: &str) -> Result<Expression, SyntaxError> {
        if let Some((collection, kind @ ("any" | "all"))) = name.rsplit_once('/') {
            return self.lambda(collection, kind == "all");
        }
        let name = name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(name);
        let mut arguments = Vec::new();
        while self.peek() != Some(&Token::Close) {
            if !arguments.is_empty() {
                self.expect(&Token::Comma)?;
            }
            let value = self.either()?;
            let named = self.tokens.next_if_eq(&Token::Equals).is_some();
            arguments.push(match value {
                Expression::Property(mut path) if named && path.len() == 1 => Argument {
                    name: Some(path.remove(0)),
                    value: self.either()?,
                },
                value if !named => Argument { name: None, value },
                _ => {
                    return Err(SyntaxError(format!(
                        "Syntax error in the arguments of {name}."
                    )));
                }
            });
        }
        self.expect(&Token::Close)?;
        Ok(Expression::Call(name.to_owned(), arguments))
    }

    fn lambda(&mut self, collection: &str, all: bool) -> Result<Expression, SyntaxError> {
        let collection = path(collection);
        if self.tokens.next_if_eq(&Token::Close).is_some() {
            if all {
                return Err(SyntaxError("Syntax error: 'all' needs a condition.".into()));
            }
            let variable = String::new();
            return Ok(Expression::Lambda {
                collection,
                all,
                variable,
                condition: None,
            });
        }
        let Token::Name(variable) = self.next()? else {
            return Err(SyntaxError(
                "Syntax error: a lambda needs a variable.".into(),
            ));
        };
        self.expect(&Token::Colon)?;
        let condition = Some(Box::new(self.either()?));
        self.expect(&Token::Close)?;
        Ok(Expression::Lambda {
            collection,
            all,
            variable,
            condition,
        })
    }

    fn fixed(&mut self, token: Token) -> Result<Fixed, SyntaxError> {
        match token {
            Token::Literal(literal) => Ok(Fixed::Literal(literal)),
            Token::Typed(_, value) => Ok(Fixed::Literal(Literal::Text(value))),
            Token::Json(text) => Ok(Fixed::Json(json(&text)?)),
            Token::Name(name) if name.starts_with('@') => {
                let text = self.alias(&name)?;
                self.deeper(|it| {
                    let mut inner = Parser::new(&text, it.aliases, it.depth)?;
                    let token = inner.next()?;
                    let value = inner.fixed(token)?;
                    inner.end()?;
                    Ok(value)
                })
            }
            // Some clients leave the quotes of a text away.
            Token::Name(name) => Ok(Fixed::Literal(Literal::Text(name))),
            other => Err(SyntaxError(format!("Syntax error: unexpected {other:?}."))),
        }
    }

    fn alias(&self, name: &str) -> Result<String, SyntaxError> {
        let found = self.aliases.iter().find(|(alias, _)| alias == name);
        found.map(|(_, text)| text.clone()).ok_or_else(|| {
            SyntaxError(format!(
                "The parameter alias '{name}' has no value in the query."
            ))
        })
    }
}

/// The names of a path.
pub fn path(text: &str) -> Vec<String> {
    text.split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads JSON, also the kind with single quotes that the service's own documentation uses in
/// addresses.
fn json(text: &str) -> Result<Value, SyntaxError> {
    let read = serde_json::from_str(text).or_else(|_| serde_json::from_str(&requote(text)));
    read.map_err(|error| SyntaxError(format!("Syntax error in JSON: {error}")))
}

fn requote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(it) = chars.next() {
        match it {
            '\'' if inside && chars.peek() == Some(&'\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => {
                inside = !inside;
                out.push('"');
            }
            '"' if inside => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out
}

fn list(value: &Value) -> Literal {
    match value {
        Value::Null => Literal::Null,
        Value::Bool(value) => Literal::Boolean(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Literal::Integer(value),
            None => Literal::Number(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Literal::Text(text.clone()),
        Value::Array(values) => Literal::List(values.iter().map(list).collect()),
        Value::Object(_) => Literal::Text(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Expression {
        filter(text, &[]).unwrap()
    }

    fn property(name: &str) -> Box<Expression> {
        Box::new(Expression::Property(path(name)))
    }

    fn equals(name: &str, literal: Literal) -> Expression {
        let literal = Box::new(Expression::Literal(literal));
        Expression::Compare(Comparison::Equal, property(name), literal)
    }

    #[test]
    fn and_binds_closer_than_or() {
        let one = |name| equals(name, Literal::Integer(1));
        let mixed = Expression::Or(vec![one("a"), Expression::And(vec![one("b"), one("c")])]);
        assert_eq!(read("a eq 1 or b eq 1 and c eq 1"), mixed);
        assert_eq!(read("(a eq 1)or(b eq 1 and c eq 1)"), mixed);
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let guid = "86928ed8-4a1c-4d3e-9f00-0123456789ab";
        assert_eq!(
            read(&format!("a eq {guid}")),
            equals("a", Literal::Guid(guid.into()))
        );
        assert_eq!(
            read("a eq 'it''s / (x)'"),
            equals("a", Literal::Text("it's / (x)".into()))
        );
        assert_eq!(read("a eq -5"), equals("a", Literal::Integer(-5)));
        assert_eq!(read("a eq 2.5"), equals("a", Literal::Number(2.5)));
        assert_eq!(read("a eq null"), equals("a", Literal::Null));
        let moment = "2024-05-06T07:08:09Z";
        assert_eq!(
            read(&format!("a eq {moment}")),
            equals("a", Literal::Date(moment.into()))
        );
        assert_eq!(
            read("a eq 2024-05-06"),
            equals("a", Literal::Date("2024-05-06".into()))
        );
        assert_eq!(
            read("a/Value eq true"),
            equals("a/Value", Literal::Boolean(true))
        );
    }

    #[test]
    fn lambdas_and_query_functions_are_read() {
        let any = read("solution_parts/any(o:o/name eq 1)");
        let condition = Some(Box::new(equals("o/name", Literal::Integer(1))));
        let collection = path("solution_parts");
        let variable = "o".to_owned();
        assert_eq!(
            any,
            Expression::Lambda {
                collection,
                all: false,
                variable,
                condition
            }
        );
        let inside =
            read("Microsoft.Dynamics.CRM.In(PropertyName='p',PropertyValues=[\"a\",\"b\"])");
        let Expression::Call(name, arguments) = inside else {
            panic!("{inside:?}")
        };
        assert_eq!(name, "In");
        let values = Literal::List(vec![Literal::Text("a".into()), Literal::Text("b".into())]);
        assert_eq!(arguments[1].name.as_deref(), Some("PropertyValues"));
        assert_eq!(arguments[1].value, Expression::Literal(values));
    }

    #[test]
    fn aliases_are_replaced_and_circles_of_them_refused() {
        let aliases = [
            ("@p1".to_owned(), "'x'".to_owned()),
            ("@me".into(), "@me".into()),
        ];
        let found = filter("a eq @p1", &aliases).unwrap();
        assert_eq!(found, equals("a", Literal::Text("x".into())));
        assert!(filter("a eq @me", &aliases).is_err());
        assert!(filter("a eq @p2", &aliases).is_err());
    }

    #[test]
    fn parameters_take_json_with_either_kind_of_quotes() {
        let found = parameters("Target={'@odata.id':'workflows(1)'},Name='a,b'", &[]).unwrap();
        assert_eq!(
            found[0].value,
            serde_json::json!({ "@odata.id": "workflows(1)" })
        );
        assert_eq!(found[1].value, serde_json::json!("a,b"));
        let kind = parameters("A=Microsoft.Dynamics.CRM.Kind'Default'", &[]).unwrap();
        assert_eq!(kind[0].value, serde_json::json!("Default"));
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow() {
        for text in [
            "(".repeat(30_000),
            "not ".repeat(8_000),
            "a(".repeat(20_000),
        ] {
            assert!(filter(&text, &[]).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            let _ = filter(&text, &[]);
            let _ = parameters(&text, &[]);
        }

        #[test]
        fn no_sequence_of_words_makes_the_parser_panic(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "(", ")", ",", "eq", "and", "or", "not", "a", "a/any(", "x:", "'", "''", "'é'",
                    "[1,2]", "{", "}", "@p", "=", "2024-05-06T1:", "-", "1.5", "null", "/", "In(",
                ]),
                0..40,
            ),
        ) {
            let _ = filter(&words.join(" "), &[("@p".into(), "@p eq (1)".into())]);
            let _ = filter(&words.concat(), &[]);
        }

        #[test]
        fn every_text_survives_being_quoted(text in "\\PC{0,60}") {
            let quoted = format!("a eq '{}'", text.replace('\'', "''"));
            prop_assert_eq!(read(&quoted), equals("a", Literal::Text(text)));
        }
    }
}
