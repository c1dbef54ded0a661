//! Messages of toru/1. What is read is taken from where any core may have put it; what is said is what plugins of
//! version 1 of this crate have always said.

use crate::{Headers, KvOp, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(super) enum Said {
    Init {
        instance_id: String,
    },
    Shutdown,
    Asked {
        request_id: String,
        asked: Asked,
    },
    /// Nothing that a plugin has to answer.
    Unknown,
}

#[derive(Debug)]
pub(super) enum Asked {
    Http(Request),
    Kv(KvOp),
}

pub(super) fn parse(text: &[u8]) -> Result<Said, String> {
    let message: Map<String, Value> = serde_json::from_slice(text).map_err(|error| format!("no message: {error}"))?;
    let payload = message.get("payload").and_then(Value::as_object).ok_or("a message without a payload")?;
    let request_id = || {
        let id = payload.get("request_id").or_else(|| message.get("request_id")).and_then(Value::as_str);
        id.map(str::to_owned).ok_or("a request without an id")
    };
    Ok(match message.get("type").and_then(Value::as_str) {
        Some("lifecycle") => match payload.get("action").and_then(Value::as_str) {
            Some("init") => Said::Init { instance_id: text_of(payload, "instance_id")? },
            Some("shutdown") => Said::Shutdown,
            _ => Said::Unknown,
        },
        Some("http") => {
            let said = payload.get("payload").and_then(Value::as_object).ok_or("a request without a payload")?;
            Said::Asked { request_id: request_id()?, asked: Asked::Http(http(said)?) }
        }
        Some("kv") => Said::Asked { request_id: request_id()?, asked: Asked::Kv(kv(payload)?) },
        _ => Said::Unknown,
    })
}

fn http(said: &Map<String, Value>) -> Result<Request, String> {
    let headers = said.get("headers").and_then(Value::as_object);
    let headers: Headers = headers
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?)))
        .collect();
    let body = match (said.get("body_base64"), said.get("body")) {
        (Some(Value::String(text)), _) => {
            STANDARD.decode(text).map_err(|error| format!("a body that is none: {error}"))?
        }
        (_, Some(Value::String(text))) => text.clone().into_bytes(),
        _ => Vec::new(),
    };
    Ok(Request { method: text_of(said, "method")?, path: text_of(said, "path")?, headers, body: body.into() })
}

/// Said twice: `Get` outside, `get` inside.
fn kv(payload: &Map<String, Value>) -> Result<KvOp, String> {
    let inner = payload.get("payload").and_then(Value::as_object);
    let said = inner.filter(|inner| inner.contains_key("action")).unwrap_or(payload);
    let key = text_of(said, "key")?;
    match text_of(said, "action")?.to_ascii_lowercase().as_str() {
        "get" => Ok(KvOp::Get { key }),
        "set" => Ok(KvOp::Set { key, value: text_of(said, "value")? }),
        "delete" => Ok(KvOp::Delete { key }),
        other => Err(format!("a kv message with the action {other}")),
    }
}

fn text_of(said: &Map<String, Value>, name: &str) -> Result<String, String> {
    said.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("a message without {name}"))
}

pub(super) fn http_answer(
    now: SystemTime,
    request_id: &str,
    status: u16,
    headers: &HashMap<String, String>,
    content: &[u8],
) -> String {
    let mut answer = json!({"status": status, "headers": headers});
    match std::str::from_utf8(content) {
        Ok("") => answer["body"] = Value::Null,
        Ok(text) => answer["body"] = text.into(),
        Err(_) => {
            answer["body"] = Value::Null;
            answer["body_base64"] = STANDARD.encode(content).into();
        }
    }
    let inner = json!({"method": "RESPONSE", "path": "", "headers": {}, "body": answer.to_string()});
    message(now, request_id, "http", json!({"type": "http", "request_id": request_id, "payload": inner}))
}

pub(super) fn kv_answer(now: SystemTime, request_id: &str, value: Option<&str>) -> String {
    message(now, request_id, "kv", json!({"type": "kv", "request_id": request_id, "value": value}))
}

// json! takes it.
#[allow(clippy::needless_pass_by_value)]
fn message(now: SystemTime, request_id: &str, kind: &str, payload: Value) -> String {
    json!({"type": kind, "timestamp": timestamp(now), "request_id": request_id, "payload": payload}).to_string()
}

/// As RFC 3339 has it, in UTC.
fn timestamp(now: SystemTime) -> String {
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since_1970.as_secs() / 86_400, since_1970.as_secs() % 86_400);
    // Years that begin in March end with the day that is sometimes missing; 400 of them always have 146 097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + u64::from(month >= 10), if month < 10 { month + 3 } else { month - 9 });
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", since_1970.subsec_micros())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
