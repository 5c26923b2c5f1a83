//! `$batch`: many requests in one (Dataverse Web API notes, 1.10). Each part succeeds or fails for
//! itself; change sets are not used.

use serde_json::Value;
use uuid::Uuid;

use super::rows::{address_of, unreadable};
use super::{Environment, EnvironmentError, Refusal};
use crate::transport::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Url,
};

/// So many requests go into one batch. The service takes 1 000; smaller ones show progress and
/// stay below the time limit of a request.
const BATCH_SIZE: usize = 100;

/// One request of a batch.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// The verb.
    pub method: Method,
    /// The absolute address.
    pub url: Url,
    /// Further headers.
    pub headers: HeaderMap,
    /// The JSON body, if it has one.
    pub body: Option<Value>,
}

/// What became of one request of a batch.
pub type BatchOutcome = Result<Response, Refusal>;

impl Environment {
    /// Sends `items` in batches and returns an outcome for each, in order. On a server without
    /// `$batch` they are sent one by one.
    ///
    /// # Errors
    /// When a whole batch gets no answer or one that cannot be read. Earlier batches have taken
    /// effect then.
    pub fn batch(
        &self,
        items: &[BatchItem],
        operation: &str,
    ) -> Result<Vec<BatchOutcome>, EnvironmentError> {
        let mut outcomes = Vec::with_capacity(items.len());
        let mut one_by_one = false;
        for chunk in items.chunks(BATCH_SIZE) {
            if !one_by_one {
                match self.send_batch(chunk) {
                    Ok(responses) => outcomes.extend(judge(chunk, responses)),
                    Err(error) if error.is_unsupported() => one_by_one = true,
                    Err(error) => return Err(error),
                }
            }
            if one_by_one {
                let responses: Vec<_> = chunk
                    .iter()
                    .map(|item| self.send(request_of(item)))
                    .collect::<Result<_, _>>()?;
                outcomes.extend(judge(chunk, responses));
            }
            if items.len() > BATCH_SIZE {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "a percentage needs no precision"
                )]
                let percent = outcomes.len() as f64 * 100.0 / items.len() as f64;
                self.report(Some(percent), operation);
            }
        }
        Ok(outcomes)
    }

    fn send_batch(&self, items: &[BatchItem]) -> Result<Vec<Response>, EnvironmentError> {
        const OPERATION: &str = "sending a batch";
        let boundary = format!("batch_{}", Uuid::new_v4());
        let mut request = Request::new(Method::POST, self.addresses().batch());
        request.body = write(items, &boundary);
        let content_type = format!("multipart/mixed; boundary={boundary}");
        let content_type = HeaderValue::try_from(content_type)
            .map_err(|error| unreadable(OPERATION, &error.to_string()))?;
        request = request
            .header(http::header::CONTENT_TYPE, content_type)
            .header(
                HeaderName::from_static("prefer"),
                HeaderValue::from_static("odata.continue-on-error"),
            );
        let response = self.call(request)?;
        let responses = read(&response).map_err(|reason| unreadable(OPERATION, &reason))?;
        if responses.len() != items.len() {
            let reason = format!("{} answers to {} requests", responses.len(), items.len());
            return Err(unreadable(OPERATION, &reason));
        }
        Ok(responses)
    }
}

fn judge(items: &[BatchItem], responses: Vec<Response>) -> Vec<BatchOutcome> {
    items
        .iter()
        .zip(responses)
        .map(|(item, response)| {
            if response.status.is_success() {
                Ok(response)
            } else {
                Err(Refusal::read(
                    item.method.as_str(),
                    &address_of(&item.url),
                    &response,
                ))
            }
        })
        .collect()
}

fn request_of(item: &BatchItem) -> Request {
    let mut request = Request::new(item.method.clone(), item.url.clone());
    if let Some(body) = &item.body {
        request = request.json(body);
    }
    request.headers.extend(item.headers.clone());
    request
}

/// Writes the body. Values are JSON, whose text has no line break that could look like a boundary.
fn write(items: &[BatchItem], boundary: &str) -> Vec<u8> {
    let mut text = String::new();
    for item in items {
        text.push_str(&format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        ));
        text.push_str(&format!("{} {} HTTP/1.1\r\n", item.method, item.url));
        for (name, value) in &item.headers {
            text.push_str(&format!(
                "{name}: {}\r\n",
                value.to_str().unwrap_or_default()
            ));
        }
        match &item.body {
            Some(body) => {
                text.push_str(&format!("Content-Type: application/json\r\n\r\n{body}\r\n"))
            }
            None => text.push_str("\r\n\r\n"),
        }
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    text.into_bytes()
}

/// Reads the parts of a multipart answer.
fn read(response: &Response) -> Result<Vec<Response>, String> {
    let content_type = response
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let boundary = content_type
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))
        .map(|boundary| boundary.trim_matches('"'))
        .ok_or("the answer is not multipart")?;
    let text = std::str::from_utf8(&response.body).map_err(|error| error.to_string())?;
    let text = text.replace("\r\n", "\n");
    let marker = format!("--{boundary}");
    let mut parts = Vec::new();
    for part in text.split(marker.as_str()).skip(1) {
        if part.starts_with("--") {
            return Ok(parts);
        }
        parts.push(read_part(part)?);
    }
    Err("the last boundary is missing".to_owned())
}

fn read_part(part: &str) -> Result<Response, String> {
    // The headers of the part, a blank line, the status line, its headers, a blank line, the body.
    let (_, message) = part.split_once("\n\n").ok_or("a part has no content")?;
    let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|code| code.parse::<u16>().ok())
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or("a part has no status")?;
    let mut answer = Response::new(status);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (name.trim().parse::<HeaderName>(), value.trim().parse()) {
            answer.headers.insert(name, value);
        }
    }
    answer.body = body.trim_end_matches('\n').as_bytes().to_vec();
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_cut_into_its_parts() {
        let mut response = Response::new(StatusCode::OK);
        let content_type = "multipart/mixed; boundary=batchresponse_1".parse().unwrap();
        response
            .headers
            .insert(http::header::CONTENT_TYPE, content_type);
        response.body = "--batchresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\nOData-EntityId: https://h/contacts(00000000-0000-0000-0000-000000000001)\r\n\r\n\r\n--batchresponse_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{\"error\":{\"code\":\"0x1\",\"message\":\"nö\"}}\r\n--batchresponse_1--\r\n".into();
        let parts = read(&response).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(
            super::super::rows::created_id(&parts[0]),
            Some(Uuid::from_u128(1))
        );
        assert_eq!(parts[1].to_json().unwrap()["error"]["message"], "nö");
    }

    #[test]
    fn values_with_line_breaks_and_boundaries_stay_inside_their_part() {
        let item = BatchItem {
            method: Method::POST,
            url: "https://h/api/data/v9.2/contacts".parse().unwrap(),
            headers: HeaderMap::new(),
            body: Some(json!({"name": "a\r\n--batch_x--\r\n\"b\""})),
        };
        let text = String::from_utf8(write(&[item], "batch_x")).unwrap();
        let markers = text
            .lines()
            .filter(|line| line.starts_with("--batch_x"))
            .count();
        assert_eq!(markers, 2);
    }

    #[test]
    fn a_truncated_answer_is_an_error() {
        let mut response = Response::new(StatusCode::OK);
        let content_type = "multipart/mixed; boundary=b".parse().unwrap();
        response
            .headers
            .insert(http::header::CONTENT_TYPE, content_type);
        response.body = b"--b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_vec();
        assert!(read(&response).is_err());
    }
}
