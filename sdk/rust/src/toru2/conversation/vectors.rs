//! The vectors of Toru, which every implementation is held to, from the plugin's side.

use super::tests::{Plugin, hex, meaning, poll};
use crate::Headers;
use crate::toru2::Breach;
use crate::toru2::frames;
use bytes::{Bytes, BytesMut};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |it: u8| char::from(it).to_digit(16).unwrap();
    text.as_bytes().chunks(2).map(|it| u8::try_from(digit(it[0]) << 4 | digit(it[1])).unwrap()).collect()
}

fn bytes_of(case: &Value) -> Vec<u8> {
    let mut bytes = unhex(case["hex"].as_str().unwrap());
    if let Some(tail) = case.get("tail") {
        let times = usize::try_from(tail["times"].as_u64().unwrap()).unwrap();
        bytes.extend(unhex(tail["hex"].as_str().unwrap()).repeat(times));
    }
    bytes
}

fn read(bytes: &[u8], step: usize) -> Result<Vec<Value>, Breach> {
    let (mut received, mut read) = (BytesMut::new(), Vec::new());
    for part in bytes.chunks(step) {
        received.extend_from_slice(part);
        while let Some(frame) = frames::next(&mut received)? {
            read.push(meaning(frame)?);
        }
    }
    Ok(read)
}

/// A long body is given by what it ends with, so often.
fn written_out(frame: &Value) -> Value {
    let mut frame = frame.clone();
    if let Some(data) = frame.get_mut("data") {
        data["hex"] = hex(&bytes_of(data)).into();
        data.as_object_mut().unwrap().remove("tail");
    }
    frame
}

#[test]
fn every_frame_means_what_the_vectors_say_however_it_comes() {
    for case in vectors("toru2-frames")["valid"].as_array().unwrap() {
        let bytes = bytes_of(case);
        for step in [bytes.len(), 1] {
            let read = read(&bytes, step).unwrap();
            let expected: Vec<Value> = case["frames"].as_array().unwrap().iter().map(written_out).collect();
            assert_eq!(read, expected, "{}", case["name"]);
        }
    }
}

#[test]
fn bytes_that_mean_nothing_are_a_breach() {
    for case in vectors("toru2-frames")["broken"].as_array().unwrap() {
        let bytes = bytes_of(case);
        for step in [bytes.len(), 1] {
            assert!(read(&bytes, step).is_err(), "{}", case["name"]);
        }
    }
}

impl Plugin {
    /// Does what must have led to this frame of the plugin's. False where this SDK would never send it.
    fn act(&mut self, means: &Value) -> bool {
        if let Some(data) = means.get("data") {
            let id = u32::try_from(data["request_id"].as_u64().unwrap()).unwrap();
            let mut content = Bytes::from(unhex(data["hex"].as_str().unwrap()));
            let is_last = data["last"] == true;
            let sent = poll(|cx| self.conversation.poll_send(id, &mut content, is_last, cx));
            return matches!(sent, Some(Ok(())));
        }
        let Some(message) = means.get("message") else { return false };
        let id = message["request_id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let payload = &message["payload"];
        match (message["type"].as_str().unwrap_or_default(), id) {
            ("http", Some(id)) => {
                let Ok(headers) = serde_json::from_value::<Headers>(payload["headers"].clone()) else { return false };
                let (Some(status), Some(body)) = (payload["status"].as_u64(), payload["body"].as_bool()) else {
                    return false;
                };
                let status = u16::try_from(status).unwrap();
                self.conversation.answer(id, status, &headers, body).is_ok()
            }
            ("cancel", Some(id)) => {
                self.conversation.give_up(id, payload["reason"].as_str().unwrap_or_default());
                true
            }
            ("lifecycle", None) if payload["code"] == "stopping" => {
                self.conversation.leave(payload["reason"].as_str().unwrap_or_default());
                true
            }
            ("push", None) => {
                let data = serde_json::value::to_raw_value(&payload["data"]).unwrap();
                payload["name"].as_str().is_some_and(|name| self.conversation.push(name, &data))
            }
            _ => false,
        }
    }
}

/// Each conversation is held up to where its plugin does what this SDK never does: it breaks a rule, works on at what
/// is over, or gives credit where another plugin would. How many are held to their end is checked, so that none is
/// passed over unseen.
#[test]
fn a_connection_goes_as_the_vectors_say() {
    let mut held = Vec::new();
    for case in vectors("toru2-conversations")["conversations"].as_array().unwrap() {
        let steps = case["steps"].as_array().unwrap();
        let hello = &steps.get(1).unwrap()["means"]["message"]["payload"];
        let number =
            |name: &str, default: u32| hello[name].as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or(default);
        let terms = (number("credit", 65_536), number("connection_credit", 1_048_576), number("requests", 100));
        let mut plugin = Plugin::new(terms.0, terms.1, terms.2);
        if steps.iter().all(|step| follow(&mut plugin, step)) {
            assert_eq!(plugin.said(), Vec::<Value>::new(), "{}", case["name"]);
            held.push(case["name"].as_str().unwrap().to_owned());
        }
    }
    for name in [
        "a request and its answer",
        "a body in parts, both ways",
        "two requests at once, answered in the other order, with their frames mixed",
        "the end of the answer is the end of the request",
        "the plugin gives a request up within its answer",
        "the answer begins before the request has ended",
        "a push between other frames",
        "goodbye with nothing under way",
    ] {
        assert!(held.iter().any(|it| it == name), "{name} is not held to its end: {held:#?}");
    }
    assert!(held.len() >= 20, "{}: {held:#?}", held.len());
}

fn follow(plugin: &mut Plugin, step: &Value) -> bool {
    if step["from"] == "core" {
        plugin.receive(&unhex(step["hex"].as_str().unwrap())).unwrap();
        return true;
    }
    let mut said = plugin.next();
    if said.is_none() {
        if !plugin.act(&step["means"]) {
            return false;
        }
        said = plugin.next();
    }
    said.as_ref() == Some(&step["means"])
}
