//! Messages of toru/2: what the core says, and what a plugin says.

use super::Breach;
use super::frames::{self, TooLong};
use crate::Headers;
use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

pub(super) const VERSION: u64 = 2;
/// So many bytes of credit may be outstanding.
pub(super) const MOST_CREDIT: u32 = 0x7fff_ffff;

/// What the core says.
#[derive(Debug)]
pub(super) enum Said {
    Hello(Hello),
    Goodbye,
    Request {
        request_id: u32,
        head: Head,
    },
    /// For one body, or for all (None).
    Credit {
        request_id: Option<u32>,
        bytes: u32,
    },
    Cancel {
        request_id: u32,
    },
    /// Of a later version, and of no use to this one.
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    versions: Vec<Value>,
    #[serde(default = "default_credit")]
    pub(super) credit: u32,
    #[serde(default = "default_connection_credit")]
    pub(super) connection_credit: u32,
}

impl Hello {
    pub(super) fn speaks_ours(&self) -> bool {
        self.versions.iter().any(|version| version.as_u64() == Some(VERSION))
    }
}

fn default_credit() -> u32 {
    65_536
}

fn default_connection_credit() -> u32 {
    1_048_576
}

#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Headers,
    #[serde(rename = "body")]
    pub(crate) has_body: bool,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    request_id: Value,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[derive(Deserialize)]
struct Action<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Credit {
    bytes: u32,
}

pub(super) fn parse(text: &[u8]) -> Result<Said, Breach> {
    let envelope: Envelope = object(text, "message")?;
    let payload = envelope.payload.get().as_bytes();
    Ok(match &*envelope.kind {
        "lifecycle" => match &*object::<Action>(payload, "lifecycle")?.action {
            "hello" => Said::Hello(hello(payload)?),
            "goodbye" => Said::Goodbye,
            _ => Said::Unknown,
        },
        "http" => {
            let head: Head = object(payload, "http")?;
            if head.method.is_empty() || !head.path.starts_with('/') {
                return Err(Breach("a request without a method or a path".into()));
            }
            Said::Request { request_id: id(&envelope)?, head }
        }
        "credit" => {
            let bytes = object::<Credit>(payload, "credit")?.bytes;
            in_bounds(bytes)?;
            let request_id = if envelope.request_id.is_null() { None } else { Some(id(&envelope)?) };
            Said::Credit { request_id, bytes }
        }
        "cancel" => Said::Cancel { request_id: id(&envelope)? },
        _ => Said::Unknown,
    })
}

fn hello(payload: &[u8]) -> Result<Hello, Breach> {
    let hello: Hello = object(payload, "hello")?;
    in_bounds(hello.credit)?;
    in_bounds(hello.connection_credit)?;
    Ok(hello)
}

/// serde would take an array for an object as well.
fn object<'a, T: Deserialize<'a>>(text: &'a [u8], what: &str) -> Result<T, Breach> {
    check_is_object(text).map_err(|_| Breach(format!("a {what} that is no JSON object")))?;
    serde_json::from_slice(text).map_err(|error| Breach(format!("a {what} that is none: {error}")))
}

pub(super) fn check_is_object(text: &[u8]) -> Result<(), Breach> {
    match text.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        _ => Err(Breach("no JSON object".into())),
    }
}

fn id(envelope: &Envelope) -> Result<u32, Breach> {
    let id = envelope.request_id.as_u64().and_then(|id| u32::try_from(id).ok());
    id.filter(|&id| id > 0).ok_or_else(|| Breach(format!("a {} without a request_id", envelope.kind)))
}

fn in_bounds(credit: u32) -> Result<(), Breach> {
    if (1..=MOST_CREDIT).contains(&credit) { Ok(()) } else { Err(Breach(format!("credit of {credit} bytes"))) }
}

/// What a plugin says about the connection.
fn put<P: Serialize>(out: &mut BytesMut, kind: &'static str, payload: P) -> Result<(), TooLong> {
    #[derive(Serialize)]
    struct Message<P> {
        #[serde(rename = "type")]
        kind: &'static str,
        payload: P,
    }
    frames::put_message(out, &Message { kind, payload })
}

/// What it says about one request, or about all (None).
fn put_about<P: Serialize>(out: &mut BytesMut, kind: &'static str, id: Option<u32>, payload: P) -> Result<(), TooLong> {
    #[derive(Serialize)]
    struct Message<P> {
        #[serde(rename = "type")]
        kind: &'static str,
        request_id: Option<u32>,
        payload: P,
    }
    frames::put_message(out, &Message { kind, request_id: id, payload })
}

pub(super) fn put_hello(out: &mut BytesMut, credit: u32, connection_credit: u32, requests: u32) {
    #[derive(Serialize)]
    struct Hello {
        action: &'static str,
        version: u64,
        credit: u32,
        connection_credit: u32,
        requests: u32,
    }
    let hello = Hello { action: "hello", version: VERSION, credit, connection_credit, requests };
    let _ = put(out, "lifecycle", hello);
}

pub(super) fn put_goodbye(out: &mut BytesMut, code: &'static str, last_request_id: Option<u32>, reason: &str) {
    #[derive(Serialize)]
    struct Goodbye<'a> {
        action: &'static str,
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_request_id: Option<u32>,
        reason: &'a str,
    }
    let goodbye = Goodbye { action: "goodbye", code, last_request_id, reason: short(reason) };
    let _ = put(out, "lifecycle", goodbye);
}

pub(super) fn put_head(
    out: &mut BytesMut,
    request_id: u32,
    status: u16,
    headers: &Headers,
    body: bool,
) -> Result<(), TooLong> {
    #[derive(Serialize)]
    struct Answer<'a> {
        status: u16,
        headers: &'a Headers,
        body: bool,
    }
    put_about(out, "http", Some(request_id), Answer { status, headers, body })
}

pub(super) fn put_credit(out: &mut BytesMut, request_id: Option<u32>, bytes: u32) {
    #[derive(Serialize)]
    struct Credit {
        bytes: u32,
    }
    let _ = put_about(out, "credit", request_id, Credit { bytes });
}

pub(super) fn put_cancel(out: &mut BytesMut, request_id: u32, reason: &str) {
    #[derive(Serialize)]
    struct Cancel<'a> {
        reason: &'a str,
    }
    let _ = put_about(out, "cancel", Some(request_id), Cancel { reason: short(reason) });
}

/// `data` is JSON.
pub(super) fn put_push(out: &mut BytesMut, name: &str, data: &RawValue) -> Result<(), TooLong> {
    #[derive(Serialize)]
    struct Push<'a> {
        name: &'a str,
        data: &'a RawValue,
    }
    put(out, "push", Push { name, data })
}

/// A reason is for the log, and has to fit into a message whatever is in it.
fn short(reason: &str) -> &str {
    match reason.char_indices().nth(1000) {
        Some((end, _)) => &reason[..end],
        None => reason,
    }
}
