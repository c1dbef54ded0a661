use crate::body::{Body, Content, Writer};
use crate::{Headers, PluginResult};
use bytes::Bytes;
use serde::Serialize;
use std::collections::HashMap;

/// So many bytes of a body are read as a whole.
pub(crate) const WHOLE_AT_MOST: usize = 16 << 20;

/// A request whose body is text, read as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` and so on.
    pub method: String,
    /// With the query, percent-encoded as the client sent it; `/` at the root of the plugin's route.
    pub path: String,
    /// Names in lower case; those that were repeated are joined.
    pub headers: HashMap<String, String>,
    /// None where there is no body, and where it isn't text.
    pub body: Option<String>,
    /// The body where it isn't text.
    pub body_bytes: Option<Bytes>,
}

/// An answer by text, as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// From 200 to 599.
    pub status: u16,
    /// Each name once.
    pub headers: HashMap<String, String>,
    /// The body, if any.
    pub body: Option<String>,
}

impl HttpResponse {
    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::of_type("text/plain; charset=utf-8", status, text.into())
    }

    /// Anything as JSON.
    ///
    /// # Errors
    ///
    /// Where it can't be said in JSON.
    pub fn json(status: u16, content: &impl Serialize) -> PluginResult<Self> {
        Ok(Self::of_type("application/json", status, serde_json::to_string(content)?))
    }

    fn of_type(kind: &str, status: u16, body: String) -> Self {
        let headers = HashMap::from([("content-type".to_owned(), kind.to_owned())]);
        Self { status, headers, body: Some(body) }
    }
}

/// A request as it comes: the head is there, the body on its way.
#[derive(Debug)]
pub struct Request {
    /// `GET` and so on.
    pub method: String,
    /// With the query, percent-encoded as the client sent it; `/` at the root of the plugin's route.
    pub path: String,
    /// In their order, names in lower case. `x-toru-user` says who asks.
    pub headers: Headers,
    /// To be read once.
    pub body: Body,
}

impl Request {
    /// The path without the query.
    #[must_use]
    pub fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// What follows the question mark.
    #[must_use]
    pub fn query(&self) -> &str {
        self.path.split_once('?').map_or("", |(_, query)| query)
    }

    /// With all of its body; None where that is too long.
    pub(crate) async fn into_whole(mut self) -> PluginResult<Option<HttpRequest>> {
        let Some(content) = self.body.whole(WHOLE_AT_MOST).await? else { return Ok(None) };
        let headers = self.headers.joined();
        let (body, body_bytes) = match String::from_utf8(content.into()) {
            Ok(text) if text.is_empty() => (None, None),
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(error.into_bytes().into())),
        };
        Ok(Some(HttpRequest { method: self.method, path: self.path, headers, body, body_bytes }))
    }
}

/// An answer of any kind.
#[derive(Debug)]
pub struct Response {
    /// From 200 to 599.
    pub status: u16,
    /// In their order.
    pub headers: Headers,
    pub(crate) content: Content,
}

impl Response {
    /// Nothing but a status.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::bytes(status, Bytes::new())
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        HttpResponse::text(status, text).into()
    }

    /// Anything as JSON.
    ///
    /// # Errors
    ///
    /// Where it can't be said in JSON.
    pub fn json(status: u16, content: &impl Serialize) -> PluginResult<Self> {
        Ok(HttpResponse::json(status, content)?.into())
    }

    /// These bytes.
    #[must_use]
    pub fn bytes(status: u16, content: impl Into<Bytes>) -> Self {
        Self { status, headers: Headers::new(), content: Content::Whole(content.into()) }
    }

    /// What `produce` writes, part by part, as fast as the client reads. It is dropped when the client leaves; when it
    /// returns an error, the client's connection is cut, so that nobody takes a part for the whole.
    ///
    /// ```
    /// use std::time::Duration;
    /// use toru_plugin_api::Response;
    ///
    /// let ticks = Response::stream(200, |mut out| async move {
    ///     for number in 1..=10 {
    ///         out.send(format!("data: {number}\n\n")).await?;
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    ///     Ok(())
    /// })
    /// .with_header("content-type", "text/event-stream");
    /// ```
    pub fn stream<F, W>(status: u16, produce: F) -> Self
    where
        F: FnOnce(Writer) -> W + Send + 'static,
        W: Future<Output = PluginResult<()>> + Send + 'static,
    {
        let content = Content::Parts(Box::new(|writer| Box::pin(produce(writer))));
        Self { status, headers: Headers::new(), content }
    }

    /// With this header in the place of all others of its name.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Ready to be sent as the answer to this method: says its length, and has no body where there can be none.
    pub(crate) fn settle(mut self, method: &str) -> PluginResult<Self> {
        if !(200..600).contains(&self.status) {
            return Err(format!("the answer has the status {}", self.status).into());
        }
        if let Some(fault) = self.headers.fault() {
            return Err(format!("the answer can't be sent: {fault}").into());
        }
        // They are of a connection, not of an answer.
        self.headers.remove("connection");
        self.headers.remove("transfer-encoding");
        let is_bodiless = matches!(self.status, 204 | 304);
        if let (Content::Whole(content), false) = (&self.content, is_bodiless) {
            self.headers.set("content-length", content.len().to_string());
        }
        if is_bodiless {
            self.headers.remove("content-length");
        }
        if is_bodiless || method == "HEAD" {
            self.content = Content::Whole(Bytes::new());
        }
        Ok(self)
    }
}

impl From<HttpResponse> for Response {
    fn from(answer: HttpResponse) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers.into_iter().collect(),
            content: Content::Whole(answer.body.unwrap_or_default().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Response;
    use crate::body::Content;

    fn settled(answer: Response, method: &str) -> (Option<String>, usize) {
        let answer = answer.settle(method).unwrap();
        let Content::Whole(content) = &answer.content else { panic!("a stream") };
        (answer.headers.get("content-length").map(str::to_owned), content.len())
    }

    #[test]
    fn an_answer_has_its_length_and_a_body_only_where_there_can_be_one() {
        assert_eq!(settled(Response::text(200, "hello"), "GET"), (Some("5".into()), 5));
        assert_eq!(settled(Response::text(200, "hello"), "HEAD"), (Some("5".into()), 0));
        assert_eq!(settled(Response::text(204, "hello"), "GET"), (None, 0));
        assert_eq!(settled(Response::empty(200).with_header("Content-Length", "7"), "GET"), (Some("0".into()), 0));
    }

    #[test]
    fn an_answer_that_can_not_be_sent_is_an_error() {
        assert!(Response::empty(199).settle("GET").is_err());
        assert!(Response::empty(600).settle("GET").is_err());
        assert!(Response::empty(200).with_header("a", "b\r\nc: d").settle("GET").is_err());
    }
}
