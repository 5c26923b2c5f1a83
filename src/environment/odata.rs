//! Building OData addresses: the one place where names and values become a URL.
//!
//! Names (tables, columns, functions) are checked, values are quoted and encoded, so that nothing
//! a caller passes can change the meaning of a request (ARCHITECTURE, D9). Rules: Dataverse Web API
//! notes, 1.1, 1.7 and 1.9.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;
use uuid::Uuid;

/// What stays as it is in a query value: the unreserved characters and the marks of OData that no
/// URL parser gives a meaning inside a query. A quote is always encoded.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b';');

/// What stays as it is in a segment of a path. Everything that ends a segment is encoded, and so are
/// line breaks and tabs: the URL type would leave them out of a key without a word.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b':')
    .remove(b'@')
    .remove(b'=')
    .remove(b'\'');

/// A name that cannot be part of an OData address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name of a table, column or function")]
pub struct InvalidName(pub String);

/// Checks a table, column or function name, or a path of them such as `createdby/fullname`.
///
/// # Errors
/// [`InvalidName`] for anything but letters, digits, `_`, `.` and single `/` between names.
pub fn check_name(name: &str) -> Result<&str, InvalidName> {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    if name.split('/').all(is_name) {
        Ok(name)
    } else {
        Err(InvalidName(name.to_owned()))
    }
}

/// A value in a filter, a key or a function call.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text; quotes inside are doubled.
    Text(String),
    /// An id, written bare.
    Guid(Uuid),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A reference to a row, as functions take it.
    Row {
        /// The table's set name.
        set: &'static str,
        /// The row.
        id: Uuid,
    },
    /// Absent.
    Null,
}

impl std::fmt::Display for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Guid(id) => write!(f, "{id}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Row { set, id } => write!(f, "{{'@odata.id':'{set}({id})'}}"),
            Self::Null => f.write_str("null"),
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Uuid> for Literal {
    fn from(id: Uuid) -> Self {
        Self::Guid(id)
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

/// A condition on rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(String);

impl Filter {
    /// `column eq value`.
    ///
    /// # Errors
    /// [`InvalidName`] when `column` is not a column or a path to one.
    pub fn equals(column: &str, value: impl Into<Literal>) -> Result<Self, InvalidName> {
        Ok(Self(format!("{} eq {}", check_name(column)?, value.into())))
    }

    /// A condition in OData's own words, as the author of a script writes it.
    pub fn written(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(format!("({}) and ({})", self.0, other.0))
    }

    /// Either condition.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(format!("({}) or ({})", self.0, other.0))
    }

    /// The condition as OData text, not yet encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to read from a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    select: Vec<String>,
    filter: Option<Filter>,
    order: Vec<String>,
    expand: Vec<String>,
    /// The most rows to read; `None` for all.
    pub top: Option<u32>,
}

impl Query {
    /// A query for whole rows of the whole table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads only these columns (the primary key always comes too).
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn select<S: AsRef<str>>(mut self, columns: &[S]) -> Result<Self, InvalidName> {
        for column in columns {
            self.select.push(check_name(column.as_ref())?.to_owned());
        }
        Ok(self)
    }

    /// Only rows that meet `filter`, in addition to filters given before.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(filter),
            None => filter,
        });
        self
    }

    /// Sorts by `column`, after the columns given before.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn order(mut self, column: &str, descending: bool) -> Result<Self, InvalidName> {
        let direction = if descending { "desc" } else { "asc" };
        self.order
            .push(format!("{} {direction}", check_name(column)?));
        Ok(self)
    }

    /// Also reads these columns of the rows behind a navigation property.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn expand<S: AsRef<str>>(
        mut self,
        navigation: &str,
        columns: &[S],
    ) -> Result<Self, InvalidName> {
        let navigation = check_name(navigation)?;
        let columns: Vec<_> = columns
            .iter()
            .map(|column| check_name(column.as_ref()))
            .collect::<Result<_, _>>()?;
        self.expand.push(match &columns[..] {
            [] => navigation.to_owned(),
            columns => format!("{navigation}($select={})", columns.join(",")),
        });
        Ok(self)
    }

    /// Reads at most `rows` rows.
    #[must_use]
    pub fn top(mut self, rows: u32) -> Self {
        self.top = Some(rows);
        self
    }

    /// The query part of an address, encoded.
    fn encoded(&self) -> String {
        let mut options = Vec::new();
        let mut add = |name: &str, value: &str| {
            options.push(format!("{name}={}", utf8_percent_encode(value, QUERY)));
        };
        if !self.select.is_empty() {
            add("$select", &self.select.join(","));
        }
        if let Some(filter) = &self.filter {
            add("$filter", filter.as_str());
        }
        if !self.order.is_empty() {
            add("$orderby", &self.order.join(","));
        }
        if !self.expand.is_empty() {
            add("$expand", &self.expand.join(","));
        }
        if let Some(top) = self.top {
            add("$top", &top.to_string());
        }
        options.join("&")
    }
}

/// Which row.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// By primary key.
    Id(Uuid),
    /// By an alternate key: its columns and their values.
    Alternate(Vec<(String, Literal)>),
}

impl From<Uuid> for Key {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

/// The addresses of one Web API.
#[derive(Debug, Clone)]
pub struct Addresses {
    root: Url,
}

impl Addresses {
    /// Addresses below `root`, the API root such as `https://h/api/data/v9.2/`.
    pub fn new(root: Url) -> Self {
        Self { root }
    }

    /// The API root.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// `<set>`, the rows of a table, restricted by `query`.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn rows(&self, set: &str, query: &Query) -> Result<Url, InvalidName> {
        let mut url = self.below(check_name(set)?);
        let encoded = query.encoded();
        url.set_query((!encoded.is_empty()).then_some(encoded.as_str()));
        Ok(url)
    }

    /// `<set>(<key>)`, one row.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn row(&self, set: &str, key: &Key, query: &Query) -> Result<Url, InvalidName> {
        let mut url = self.below(&key_segment(set, key)?);
        let encoded = query.encoded();
        url.set_query((!encoded.is_empty()).then_some(encoded.as_str()));
        Ok(url)
    }

    /// `<set>(<key>)/<navigation>`, the rows behind a navigation property of one row.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn related(
        &self,
        set: &str,
        key: &Key,
        navigation: &str,
        query: &Query,
    ) -> Result<Url, InvalidName> {
        let mut url = self.row(set, key, query)?;
        self.push(&mut url, check_name(navigation)?);
        Ok(url)
    }

    /// `<set>(<key>)/<navigation>/$ref`, for associating rows.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn reference(&self, set: &str, key: &Key, navigation: &str) -> Result<Url, InvalidName> {
        let mut url = self.related(set, key, navigation, &Query::new())?;
        self.push(&mut url, "$ref");
        Ok(url)
    }

    /// `<set>(<key>)/<navigation>(<other>)/$ref`, for ending an association.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn reference_to(
        &self,
        set: &str,
        key: &Key,
        navigation: &str,
        other: Uuid,
    ) -> Result<Url, InvalidName> {
        let mut url = self.row(set, key, &Query::new())?;
        self.push(&mut url, &format!("{}({other})", check_name(navigation)?));
        self.push(&mut url, "$ref");
        Ok(url)
    }

    /// `<Name>`, an action.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn action(&self, name: &str) -> Result<Url, InvalidName> {
        Ok(self.below(check_name(name)?))
    }

    /// `<Name>(A=@p1)?@p1=…`, a function with its arguments as parameter aliases, so that a value
    /// with a slash never becomes part of the path.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn function(&self, name: &str, arguments: &[(&str, Literal)]) -> Result<Url, InvalidName> {
        let mut inline = Vec::new();
        let mut aliases = Vec::new();
        for (index, (argument, value)) in arguments.iter().enumerate() {
            inline.push(format!("{}=@p{}", check_name(argument)?, index + 1));
            let value = value.to_string();
            aliases.push(format!(
                "@p{}={}",
                index + 1,
                utf8_percent_encode(&value, QUERY)
            ));
        }
        let mut url = self.below(&format!("{}({})", check_name(name)?, inline.join(",")));
        let aliases = aliases.join("&");
        url.set_query((!aliases.is_empty()).then_some(aliases.as_str()));
        Ok(url)
    }

    /// `$batch`.
    pub fn batch(&self) -> Url {
        self.below("$batch")
    }

    /// `/<set>(<id>)`, the value of an `@odata.bind` member.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn binding(set: &str, id: Uuid) -> Result<String, InvalidName> {
        Ok(format!("/{}({id})", check_name(set)?))
    }

    fn below(&self, segment: &str) -> Url {
        let mut url = self.root.clone();
        self.push(&mut url, segment);
        url
    }

    /// Appends one path segment.
    fn push(&self, url: &mut Url, segment: &str) {
        let before = url.path().trim_end_matches('/');
        let path = format!("{before}/{}", utf8_percent_encode(segment, SEGMENT));
        url.set_path(&path);
    }
}

/// `set(id)` or `set(column='value',…)`.
fn key_segment(set: &str, key: &Key) -> Result<String, InvalidName> {
    let set = check_name(set)?;
    Ok(match key {
        Key::Id(id) => format!("{set}({id})"),
        Key::Alternate(columns) => {
            let mut parts = Vec::new();
            for (column, value) in columns {
                parts.push(format!("{}={value}", check_name(column)?));
            }
            format!("{set}({})", parts.join(","))
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn addresses() -> Addresses {
        Addresses::new(
            "https://contoso.crm4.dynamics.com/api/data/v9.2/"
                .parse()
                .unwrap(),
        )
    }

    /// The text of the one string literal in an OData expression `x eq '…'`.
    fn text_of(expression: &str) -> String {
        let quoted = expression
            .strip_prefix("name eq '")
            .unwrap()
            .strip_suffix('\'')
            .unwrap();
        assert!(
            !quoted.replace("''", "").contains('\''),
            "an unpaired quote ends the text"
        );
        quoted.replace("''", "'")
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_the_filter_of_an_address(text in "\\PC*|[a-z'\"/&=#?%+\\n. ]{0,20}") {
            let filter = Filter::equals("name", text.as_str()).unwrap();
            let url = addresses().rows("contacts", &Query::new().filter(filter)).unwrap();
            let read: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(&read[0].0, "$filter");
            prop_assert_eq!(text_of(&read[0].1), text);
            prop_assert_eq!(url.path(), "/api/data/v9.2/contacts");
            prop_assert_eq!(url.fragment(), None);
        }

        #[test]
        fn any_text_is_one_argument_of_a_function(text in "\\PC*|[a-z'\"/&=#?%+\\n. ]{0,20}") {
            let url = addresses().function("F", &[("A", text.as_str().into())]).unwrap();
            prop_assert_eq!(url.path(), "/api/data/v9.2/F(A=@p1)");
            let read: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert_eq!(read, vec![("@p1".to_owned(), Literal::Text(text).to_string())]);
        }

        #[test]
        fn a_name_is_refused_unless_it_is_plain(name in "\\PC*") {
            let plain = !name.is_empty() && name.split('/').all(|part| {
                part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
                    && part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            });
            prop_assert_eq!(check_name(&name).is_ok(), plain);
        }
    }

    #[test]
    fn an_alternate_key_keeps_slashes_and_quotes_in_one_segment() {
        let key = Key::Alternate(vec![
            ("name".into(), "a/b'c ?#\t\r\n%2F".into()),
            ("n".into(), 5.into()),
        ]);
        let url = addresses().row("teams", &key, &Query::new()).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        assert_eq!(segments.len(), 4);
        let decoded = percent_encoding::percent_decode_str(segments[3])
            .decode_utf8()
            .unwrap();
        assert_eq!(decoded, "teams(name='a/b''c ?#\t\r\n%2F',n=5)");
        assert_eq!(url.query(), None);
    }

    #[test]
    fn a_whole_query_has_every_option_once() {
        let query = Query::new()
            .select(&["name", "_ownerid_value"])
            .unwrap()
            .filter(Filter::equals("category", 5).unwrap())
            .filter(Filter::equals("ismanaged", true).unwrap())
            .order("name", true)
            .unwrap()
            .expand("publisherid", &["customizationprefix"])
            .unwrap()
            .top(3);
        let url = addresses().rows("workflows", &query).unwrap();
        let read: Vec<_> = url.query_pairs().into_owned().collect();
        let expected = [
            ("$select", "name,_ownerid_value"),
            ("$filter", "(category eq 5) and (ismanaged eq true)"),
            ("$orderby", "name desc"),
            ("$expand", "publisherid($select=customizationprefix)"),
            ("$top", "3"),
        ];
        assert_eq!(read, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn references_and_batches_lie_below_a_root_with_a_path() {
        let addresses = Addresses::new(
            "http://127.0.0.1:8/contoso.crm4.dynamics.com/api/data/v9.2/"
                .parse()
                .unwrap(),
        );
        let id = Uuid::nil();
        let url = addresses
            .reference_to("teams", &id.into(), "teamroles_association", id)
            .unwrap();
        assert_eq!(
            url.path(),
            format!(
                "/contoso.crm4.dynamics.com/api/data/v9.2/teams({id})/teamroles_association({id})/$ref"
            )
        );
        assert!(addresses.batch().path().ends_with("/v9.2/$batch"));
    }
}
