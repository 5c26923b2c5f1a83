//! Reading and writing rows, and calling actions and functions: the plain requests that everything
//! else in this client is made of.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::odata::{Addresses, Filter, InvalidName, Key, Literal, Query};
use super::{Environment, EnvironmentError, Refusal};
use crate::transport::{HeaderName, HeaderValue, Method, Request, Response, Url};

/// One row: column names and values as the Web API writes them.
pub type Row = Map<String, Value>;

/// The most pages that one list may have; a link that leads back to itself ends here.
const MOST_PAGES: usize = 10_000;

impl Environment {
    /// All rows of `set` that meet `query`, page after page.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn rows(&self, set: &str, query: &Query) -> Result<Vec<Row>, EnvironmentError> {
        let url = self.addresses().rows(set, query)?;
        let mut rows = self.get_rows(url)?;
        if let Some(top) = query.top {
            rows.truncate(top as usize);
        }
        Ok(rows)
    }

    /// One row, or `None` when it does not exist.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn row(
        &self,
        set: &str,
        key: &Key,
        query: &Query,
    ) -> Result<Option<Row>, EnvironmentError> {
        let url = self.addresses().row(set, key, query)?;
        match self.get(url) {
            Ok(Value::Object(row)) => Ok(Some(row)),
            Ok(_) => Err(unreadable(
                &format!("reading a row of {set}"),
                "it is not an object",
            )),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The rows behind a navigation property of one row.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn related_rows(
        &self,
        set: &str,
        key: &Key,
        navigation: &str,
        query: &Query,
    ) -> Result<Vec<Row>, EnvironmentError> {
        let url = self.addresses().related(set, key, navigation, query)?;
        self.get_rows(url)
    }

    /// Creates a row and returns its id.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn create_row(&self, set: &str, columns: &Value) -> Result<Uuid, EnvironmentError> {
        let url = self.addresses().rows(set, &Query::new())?;
        let response = self.call(Request::new(Method::POST, url).json(columns))?;
        created_id(&response)
            .ok_or_else(|| unreadable(&format!("creating a row of {set}"), "it names no new row"))
    }

    /// Changes columns of a row that exists.
    ///
    /// # Errors
    /// [`EnvironmentError::NotFound`] when it does not, and see [`EnvironmentError`].
    pub fn update_row(
        &self,
        set: &str,
        key: &Key,
        columns: &Value,
    ) -> Result<(), EnvironmentError> {
        let url = self.addresses().row(set, key, &Query::new())?;
        let request = Request::new(Method::PATCH, url)
            .json(columns)
            .header(http::header::IF_MATCH, HeaderValue::from_static("*"));
        self.call(request)?;
        Ok(())
    }

    /// Deletes a row; `false` when there was none.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn delete_row(&self, set: &str, id: Uuid) -> Result<bool, EnvironmentError> {
        let url = self.addresses().row(set, &id.into(), &Query::new())?;
        match self.call(Request::new(Method::DELETE, url)) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Associates two rows through a collection-valued navigation property. A pair that is
    /// associated already is left as it is; `false` says so.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn associate(
        &self,
        set: &str,
        id: Uuid,
        navigation: &str,
        other_set: &str,
        other: Uuid,
    ) -> Result<bool, EnvironmentError> {
        let url = self.addresses().reference(set, &id.into(), navigation)?;
        let target = self
            .addresses()
            .row(other_set, &other.into(), &Query::new())?;
        let body = json!({ "@odata.id": target.as_str() });
        match self.call(Request::new(Method::POST, url).json(&body)) {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the association of two rows; `false` when there was none.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn disassociate(
        &self,
        set: &str,
        id: Uuid,
        navigation: &str,
        other: Uuid,
    ) -> Result<bool, EnvironmentError> {
        let url = self
            .addresses()
            .reference_to(set, &id.into(), navigation, other)?;
        match self.call(Request::new(Method::DELETE, url)) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Calls an unbound action; the answer is `Null` where it returns nothing.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn action(&self, name: &str, parameters: &Value) -> Result<Value, EnvironmentError> {
        let url = self.addresses().action(name)?;
        let response = self.call(Request::new(Method::POST, url).json(parameters))?;
        if response.body.is_empty() {
            return Ok(Value::Null);
        }
        response
            .to_json()
            .map_err(|error| unreadable(name, &error.to_string()))
    }

    /// Calls an unbound function.
    ///
    /// # Errors
    /// See [`EnvironmentError`].
    pub fn function(
        &self,
        name: &str,
        arguments: &[(&str, Literal)],
    ) -> Result<Value, EnvironmentError> {
        self.get(self.addresses().function(name, arguments)?)
    }

    /// The value of an `@odata.bind` member that points to a row.
    pub(super) fn binding(set: &str, id: Uuid) -> Result<String, InvalidName> {
        Addresses::binding(set, id)
    }

    /// The rows of `set` with this text in this column.
    pub(super) fn rows_with(
        &self,
        set: &str,
        column: &str,
        value: impl Into<Literal>,
        columns: &[&str],
    ) -> Result<Vec<Row>, EnvironmentError> {
        let query = Query::new()
            .select(columns)?
            .filter(Filter::equals(column, value)?);
        self.rows(set, &query)
    }

    /// GET of any address of this environment or its services, as JSON.
    pub(super) fn get(&self, url: Url) -> Result<Value, EnvironmentError> {
        let address = address_of(&url);
        let response = self.call(Request::new(Method::GET, url))?;
        response
            .to_json()
            .map_err(|error| unreadable(&format!("GET {address}"), &error.to_string()))
    }

    /// POST of JSON to any address of this environment or its services.
    pub(super) fn post(&self, url: Url, body: &Value) -> Result<Value, EnvironmentError> {
        let response = self.call(Request::new(Method::POST, url).json(body))?;
        Ok(response.to_json().unwrap_or(Value::Null))
    }

    /// Every element of a list, page after page. Dataverse names the next page
    /// `@odata.nextLink`, the other services `nextLink`.
    pub(super) fn get_pages(&self, first: Url) -> Result<Vec<Value>, EnvironmentError> {
        let operation = format!("GET {}", address_of(&first));
        let origin = first.origin();
        let mut elements = Vec::new();
        let mut next = Some(first);
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else {
                return Ok(elements);
            };
            let mut page = self.get(url)?;
            match page["value"].take() {
                Value::Array(values) => elements.extend(values),
                _ => return Err(unreadable(&operation, "it has no list named \"value\"")),
            }
            let link = [&page["@odata.nextLink"], &page["nextLink"]]
                .into_iter()
                .find_map(Value::as_str);
            if let Some(link) = link {
                let url =
                    Url::parse(link).map_err(|error| unreadable(&operation, &error.to_string()))?;
                // The next request carries our token: it goes nowhere but where this one went.
                if url.origin() != origin {
                    return Err(unreadable(&operation, "the next page lies on another host"));
                }
                next = Some(url);
            }
        }
        Err(unreadable(&operation, "the list does not end"))
    }

    fn get_rows(&self, url: Url) -> Result<Vec<Row>, EnvironmentError> {
        let operation = format!("GET {}", address_of(&url));
        self.get_pages(url)?
            .into_iter()
            .map(|value| match value {
                Value::Object(row) => Ok(row),
                _ => Err(unreadable(&operation, "a row is not an object")),
            })
            .collect()
    }

    /// Sends a request with the headers of the Web API and turns a failure status into an error.
    pub(super) fn call(&self, request: Request) -> Result<Response, EnvironmentError> {
        let method = request.method.to_string();
        let address = address_of(&request.url);
        let response = self.send(request)?;
        if response.status.is_success() {
            return Ok(response);
        }
        Err(EnvironmentError::refused(Refusal::read(
            &method, &address, &response,
        )))
    }

    /// Sends a request with the headers of the Web API.
    pub(super) fn send(&self, mut request: Request) -> Result<Response, EnvironmentError> {
        self.cancel()
            .check()
            .map_err(crate::transport::TransportError::from)?;
        let version = HeaderValue::from_static("4.0");
        let defaults = [
            (
                http::header::ACCEPT,
                HeaderValue::from_static("application/json"),
            ),
            (HeaderName::from_static("odata-version"), version.clone()),
            (HeaderName::from_static("odata-maxversion"), version),
        ];
        for (name, value) in defaults {
            request.headers.entry(name).or_insert(value);
        }
        Ok(self.0.transport.send(request)?)
    }
}

/// An address without its query, which can hold values, for messages.
pub(super) fn address_of(url: &Url) -> String {
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
    format!("{}{path}", url.origin().ascii_serialization())
}

pub(super) fn unreadable(operation: &str, reason: &str) -> EnvironmentError {
    EnvironmentError::Unreadable {
        operation: operation.to_owned(),
        reason: reason.to_owned(),
    }
}

/// The id in `OData-EntityId` or `Location` of the answer to a create.
pub(super) fn created_id(response: &Response) -> Option<Uuid> {
    ["odata-entityid", "location"].iter().find_map(|name| {
        let address = response.headers.get(*name)?.to_str().ok()?;
        let key = address.rsplit_once('(')?.1.strip_suffix(')')?;
        key.parse().ok()
    })
}

/// The guid in a member of an answer.
pub(super) fn guid_of(
    value: &Value,
    name: &str,
    operation: &str,
) -> Result<Uuid, EnvironmentError> {
    value[name]
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| unreadable(operation, &format!("{name} is not an id")))
}

/// The guid in a column of a row; `None` when it is absent or null.
pub(super) fn guid(row: &Row, column: &str) -> Option<Uuid> {
    row.get(column)?
        .as_str()?
        .trim_matches(['{', '}'])
        .parse()
        .ok()
}

/// The text in a column of a row; empty when it is absent or null.
pub(super) fn text(row: &Row, column: &str) -> String {
    row.get(column)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Whether `error` says that two rows are associated, or a row exists, already (Dataverse Web API
/// notes, 1.8).
pub(super) fn is_duplicate(error: &EnvironmentError) -> bool {
    error.refusal().is_some_and(|refusal| {
        refusal.service_code.eq_ignore_ascii_case("0x80040237")
            || refusal.message.contains("Cannot insert duplicate key")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::environment::Connect;
    use crate::transport::{Cancel, InProcess, Service, StatusCode};

    /// Answers with prepared responses in order and keeps the requests.
    struct Prepared {
        answers: Mutex<Vec<Response>>,
        requests: Mutex<Vec<Request>>,
    }

    impl Service for Prepared {
        fn answer(&self, request: Request) -> Response {
            self.requests.lock().unwrap().push(request);
            self.answers.lock().unwrap().remove(0)
        }
    }

    fn environment(answers: Vec<Response>) -> (Environment, Arc<Prepared>) {
        let service = Arc::new(Prepared {
            answers: Mutex::new(answers),
            requests: Mutex::default(),
        });
        let url = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let transport = Arc::new(InProcess::new(service.clone()));
        (
            Environment::connect(Connect::new("dev", url, transport)),
            service,
        )
    }

    fn ok(value: Value) -> Response {
        Response::json(StatusCode::OK, &value)
    }

    #[test]
    fn pages_are_followed_until_there_is_no_next_link() {
        let link =
            "https://contoso.crm4.dynamics.com/api/data/v9.2/contacts?$skiptoken=%3Ca%20b%3E";
        let (environment, service) = environment(vec![
            ok(json!({"value": [{"n": 1}], "@odata.nextLink": link})),
            ok(json!({"value": [{"n": 2}]})),
        ]);
        let rows = environment.rows("contacts", &Query::new()).unwrap();
        assert_eq!(rows.len(), 2);
        let requests = service.requests.lock().unwrap();
        assert_eq!(
            requests[1].url.as_str(),
            link,
            "the link is sent back unchanged"
        );
        assert_eq!(requests[1].headers["odata-version"], "4.0");
    }

    #[test]
    fn a_next_link_to_another_host_is_refused() {
        let (environment, service) = environment(vec![ok(
            json!({"value": [], "@odata.nextLink": "https://evil.example/api"}),
        )]);
        let error = environment.rows("contacts", &Query::new()).unwrap_err();
        assert!(error.to_string().contains("another host"), "{error}");
        assert_eq!(service.requests.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_id_of_a_new_row_is_read_from_its_header() {
        let id = Uuid::from_u128(7);
        let mut created = Response::new(StatusCode::NO_CONTENT);
        let address = format!("https://contoso.crm4.dynamics.com/api/data/v9.2/contacts({id})");
        created
            .headers
            .insert("odata-entityid", address.parse().unwrap());
        let (environment, _) = environment(vec![created]);
        assert_eq!(environment.create_row("contacts", &json!({})).unwrap(), id);
    }

    #[test]
    fn a_row_that_does_not_exist_is_none_and_a_refusal_is_an_error() {
        let error = |status, code: &str| {
            Response::json(status, &json!({"error": {"code": code, "message": "m"}}))
        };
        let (environment, _) = environment(vec![
            error(StatusCode::NOT_FOUND, "0x80040217"),
            error(StatusCode::FORBIDDEN, "0x80072560"),
        ]);
        let key = Key::Id(Uuid::nil());
        assert_eq!(
            environment.row("contacts", &key, &Query::new()).unwrap(),
            None
        );
        let error = environment
            .row("contacts", &key, &Query::new())
            .unwrap_err();
        assert!(
            crate::problem::Problem::hint(&error)
                .unwrap()
                .contains("application user")
        );
    }

    #[test]
    fn a_duplicate_association_changes_nothing() {
        let body =
            json!({"error": {"code": "0x80040237", "message": "Cannot insert duplicate key."}});
        let (environment, service) =
            environment(vec![Response::json(StatusCode::PRECONDITION_FAILED, &body)]);
        let id = Uuid::nil();
        assert!(
            !environment
                .associate("teams", id, "teamroles_association", "roles", id)
                .unwrap()
        );
        let request = &service.requests.lock().unwrap()[0];
        let expected = format!("https://contoso.crm4.dynamics.com/api/data/v9.2/roles({id})");
        assert_eq!(
            serde_json::from_slice::<Value>(&request.body).unwrap()["@odata.id"],
            expected
        );
    }

    #[test]
    fn nothing_is_sent_after_cancelling() {
        let service = Arc::new(Prepared {
            answers: Mutex::default(),
            requests: Mutex::default(),
        });
        let cancel = Cancel::new();
        let url = "https://contoso.crm4.dynamics.com".parse().unwrap();
        let transport = Arc::new(InProcess::new(service.clone()));
        let connect = Connect {
            cancel: cancel.clone(),
            ..Connect::new("dev", url, transport)
        };
        let environment = Environment::connect(connect);
        cancel.cancel();
        assert!(environment.who_am_i().is_err());
        assert!(service.requests.lock().unwrap().is_empty());
    }
}
