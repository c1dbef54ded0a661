use crate::context::PluginKvStore;
use crate::{PluginError, PluginResult};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// While the core restarts, who comes waits.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A plugin's storage, kept by Toru: values that are any JSON, by key.
///
/// It is the plugin's alone; its front end reaches the same one. While the core is down it is away.
#[derive(Debug, Clone)]
pub struct Kv {
    socket: Option<PathBuf>,
    token: Option<PathBuf>,
    plugin_id: String,
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entry {
    /// Under which it is kept.
    pub key: String,
    /// Any JSON.
    pub value: Value,
    /// In seconds since 1970; None: never.
    pub expires_at: Option<f64>,
}

/// Some of what is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Entries {
    /// In the order of their keys.
    pub entries: Vec<Entry>,
    /// Where to go on; None: this is all.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Answer<T> {
    value: T,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Kv {
    pub(crate) fn from_environment() -> Self {
        Self {
            socket: env::var_os("TORU_API_SOCKET").map(PathBuf::from),
            token: env::var_os("CREDENTIALS_DIRECTORY").map(|directory| Path::new(&directory).join("toru-token")),
            plugin_id: env::var("TORU_PLUGIN_ID").unwrap_or_default(),
        }
    }

    /// The value of a key; None where there is none, and where it is JSON's null.
    ///
    /// # Errors
    ///
    /// Where the core can't be reached, or the value is not of this type.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> PluginResult<Option<T>> {
        let answer: Answer<Option<T>> = self.post(&json!({"action": "get", "key": key})).await?;
        Ok(answer.value)
    }

    /// Another value for a key. It is on disk when this returns.
    ///
    /// # Errors
    ///
    /// Where the core can't be reached or a limit is passed.
    pub async fn set<T: Serialize + Sync + ?Sized>(&self, key: &str, value: &T) -> PluginResult<()> {
        let what = json!({"action": "set", "key": key, "value": serde_json::to_value(value)?});
        self.post(&what).await.map(|_: Value| ())
    }

    /// Another value for a key, which goes by itself after some time.
    ///
    /// # Errors
    ///
    /// As [`set`](Kv::set).
    pub async fn set_for<T>(&self, key: &str, value: &T, time: Duration) -> PluginResult<()>
    where
        T: Serialize + Sync + ?Sized,
    {
        let value = serde_json::to_value(value)?;
        let what = json!({"action": "set", "key": key, "value": value, "ttl": time.as_secs_f64()});
        self.post(&what).await.map(|_: Value| ())
    }

    /// A key without a value.
    ///
    /// # Errors
    ///
    /// Where the core can't be reached.
    pub async fn delete(&self, key: &str) -> PluginResult<()> {
        self.post(&json!({"action": "delete", "key": key})).await.map(|_: Value| ())
    }

    /// What is kept under keys that begin like this, after the one that the last call named as the next.
    ///
    /// # Errors
    ///
    /// Where the core can't be reached.
    pub async fn list(&self, prefix: &str, after: Option<&str>) -> PluginResult<Entries> {
        let mut query = format!("?prefix={}", encoded(prefix));
        if let Some(after) = after {
            let _ = write!(query, "&after={}", encoded(after));
        }
        self.ask("GET", &query, b"").await
    }

    async fn post<T: DeserializeOwned>(&self, what: &Value) -> PluginResult<T> {
        self.ask("POST", "", &serde_json::to_vec(what)?).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, query: &str, content: &[u8]) -> PluginResult<T> {
        let asked = tokio::time::timeout(TIME_LIMIT, self.exchange(method, query, content)).await;
        let answer = asked.map_err(|_| PluginError::other("the core did not answer in 10 seconds"))??;
        let (status, content) = parse(&answer).ok_or("the core's answer is no HTTP")?;
        if status == 200 {
            return Ok(serde_json::from_slice(content)?);
        }
        let problem = serde_json::from_slice::<Problem>(content);
        Err(PluginError::Kv { status, detail: problem.map_or_else(|_| "no reason".into(), |it| it.detail) })
    }

    async fn exchange(&self, method: &str, query: &str, content: &[u8]) -> PluginResult<Vec<u8>> {
        let (Some(socket), Some(token)) = (&self.socket, &self.token) else {
            return Err("there is no storage: TORU_API_SOCKET or CREDENTIALS_DIRECTORY is not set".into());
        };
        let token = std::fs::read_to_string(token)?;
        let mut connection = UnixStream::connect(socket).await?;
        let mut request = format!(
            "{method} /api/plugins/{}/kv{query} HTTP/1.1\r\nHost: toru\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.plugin_id,
            token.trim_end(),
            content.len(),
        )
        .into_bytes();
        request.extend_from_slice(content);
        // A core that refuses what is too large says so before it has read it all, and closes.
        let sent = connection.write_all(&request).await;
        let mut answer = Vec::new();
        let heard = connection.read_to_end(&mut answer).await;
        if answer.is_empty() {
            sent.and(heard)?;
        }
        Ok(answer)
    }
}

#[async_trait]
impl PluginKvStore for Kv {
    async fn get(&self, key: &str) -> PluginResult<Option<String>> {
        Ok(self.get::<Value>(key).await?.map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }

    async fn set(&self, key: &str, value: &str) -> PluginResult<()> {
        self.set::<str>(key, value).await
    }

    async fn delete(&self, key: &str) -> PluginResult<()> {
        self.delete(key).await
    }
}

/// The status and the content of an answer that is all there.
fn parse(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let content = &answer[end + 4..];
    let says = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    let length: usize = head.lines().find_map(says)?;
    content.get(..length).map(|content| (status, content))
}

/// For a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut so_far, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            so_far.push(char::from(byte));
        } else {
            let _ = write!(so_far, "%{byte:02X}");
        }
        so_far
    })
}

#[cfg(test)]
mod tests {
    use super::{encoded, parse};

    #[test]
    fn an_answer_is_read_by_its_length() {
        let head = "HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(parse(format!("{head}{{}}").as_bytes()), Some((200, &b"{}"[..])));
        assert_eq!(parse(format!("{head}{{").as_bytes()), None, "not all of it");
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n"), None);
    }

    #[test]
    fn keys_stay_what_they_are_in_a_query() {
        assert_eq!(encoded("a b&c=ü/~"), "a%20b%26c%3D%C3%BC%2F~");
    }
}
