//! The vectors of Toru, from the plugin's side.

use super::{Asked, Said, http_answer, kv_answer, parse, timestamp};
use crate::KvOp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/toru1.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes_of(case: &Value) -> Vec<u8> {
    let digit = |it: u8| char::from(it).to_digit(16).unwrap();
    let hex = case["hex"].as_str().unwrap().as_bytes();
    hex.chunks(2).map(|it| u8::try_from(digit(it[0]) << 4 | digit(it[1])).unwrap()).collect()
}

fn asked(case: &Value) -> (String, Asked) {
    let bytes = bytes_of(case);
    let Ok(Said::Asked { request_id, asked }) = parse(&bytes[4..]) else { panic!("{case}") };
    (request_id, asked)
}

#[tokio::test]
async fn every_request_means_what_the_vectors_say() {
    let vectors = vectors();
    for case in vectors["requests"].as_array().unwrap() {
        let (request_id, Asked::Http(mut request)) = asked(case) else { panic!("{case}") };
        let said = &case["request"];
        assert_eq!(request_id, "R");
        assert_eq!((said["method"].as_str(), said["path"].as_str()), (Some(&*request.method), Some(&*request.path)));
        let body = request.body.whole(1000).await.unwrap().unwrap();
        let expected = bytes_of(&json!({"hex": said["body"]}));
        assert_eq!(body, expected, "{}", case["name"]);
        let headers = request.headers.iter().collect::<HashMap<_, _>>();
        let message = case["message"]["payload"]["payload"]["headers"].as_object().unwrap();
        assert_eq!(json!(headers), json!(message));
    }
}

#[test]
fn every_kv_message_means_what_the_vectors_say() {
    for case in vectors()["kv_requests"].as_array().unwrap() {
        let (request_id, Asked::Kv(op)) = asked(case) else { panic!("{case}") };
        assert_eq!(request_id, "K");
        let said = &case["asked"];
        let key = said["key"].as_str().unwrap().to_owned();
        let expected = match said["action"].as_str().unwrap() {
            "get" => KvOp::Get { key },
            "set" => KvOp::Set { key, value: said["value"].as_str().unwrap().to_owned() },
            _ => KvOp::Delete { key },
        };
        assert_eq!(op, expected);
    }
}

#[test]
fn a_message_that_is_none_is_an_error_and_one_of_another_type_is_not() {
    for text in
        [&b"no"[..], b"[]", b"{}", br#"{"type":"http","payload":{}}"#, br#"{"type":"kv","payload":{"request_id":"K"}}"#]
    {
        assert!(parse(text).is_err(), "{}", String::from_utf8_lossy(text));
    }
    assert!(matches!(parse(br#"{"type":"later","payload":{}}"#), Ok(Said::Unknown)));
    assert!(matches!(parse(br#"{"type":"lifecycle","payload":{"action":"ping"}}"#), Ok(Said::Unknown)));
    assert!(matches!(parse(br#"{"type":"lifecycle","payload":{"action":"shutdown"}}"#), Ok(Said::Shutdown)));
}

/// The vectors' own frames are the second witness: what the core reads from plugins in Rust.
#[test]
fn answers_have_the_shape_that_the_vectors_have_from_rust() {
    let vectors = vectors();
    let named = |list: &str, name: &str| {
        let cases = vectors[list].as_array().unwrap();
        let case = cases.iter().find(|case| case["name"] == name).unwrap();
        serde_json::from_slice::<Value>(&bytes_of(case)[4..]).unwrap()
    };
    let headers = HashMap::from([("content-type".to_owned(), "text/plain".to_owned())]);
    let keys = |message: &Value| message.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let said: Value = serde_json::from_str(&http_answer(SystemTime::now(), "R", 200, &headers, b"hello")).unwrap();
    let theirs = named("answers", "A: a JSON text in the body");
    assert_eq!((keys(&said), keys(&said["payload"])), (keys(&theirs), keys(&theirs["payload"])));
    let inner = |message: &Value| {
        serde_json::from_str::<Value>(message["payload"]["payload"]["body"].as_str().unwrap()).unwrap()
    };
    assert_eq!(inner(&said), inner(&theirs));
    assert_eq!(said["payload"]["payload"]["method"], "RESPONSE");
    let bytes: Value =
        serde_json::from_str(&http_answer(SystemTime::now(), "R", 200, &headers, b"\0\xff\xfe")).unwrap();
    assert_eq!(inner(&bytes)["body_base64"], "AP/+");
    let said: Value = serde_json::from_str(&kv_answer(SystemTime::now(), "K", Some("v"))).unwrap();
    let theirs = named("kv_answers", "C: from Rust");
    assert_eq!(said["payload"], theirs["payload"]);
}

#[test]
fn a_timestamp_is_that_of_the_calendar() {
    let at = |seconds: u64, micros: u64| {
        timestamp(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros))
    };
    assert_eq!(at(0, 0), "1970-01-01T00:00:00.000000Z");
    assert_eq!(at(951_782_400, 0), "2000-02-29T00:00:00.000000Z");
    assert_eq!(at(1_767_225_599, 5), "2025-12-31T23:59:59.000005Z");
    assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000000Z");
}
