//! What the vectors of Toru can't say: when credit is given, and what becomes of what is over.

use super::{Conversation, Event, Terms};
use crate::toru2::Breach;
use crate::toru2::frames::{self, Frame};
use crate::toru2::messages;
use crate::{Headers, PluginError};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use std::task::{Context, Poll, Waker};

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |so_far, byte| so_far + &format!("{byte:02x}"))
}

/// As the vectors say what frames mean.
pub(super) fn meaning(frame: Frame) -> Result<Value, Breach> {
    Ok(match frame {
        Frame::Message(text) => {
            messages::check_is_object(&text)?;
            json!({"message": serde_json::from_slice::<Value>(&text).map_err(|it| Breach(it.to_string()))?})
        }
        Frame::Data { request_id, content, is_last } => {
            json!({"data": {"request_id": request_id, "hex": hex(&content), "last": is_last}})
        }
    })
}

/// A plugin's side of one connection.
pub(super) struct Plugin {
    pub(super) conversation: Conversation,
    received: BytesMut,
    sent: BytesMut,
}

pub(super) fn poll<T>(poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(it) => Some(it),
        Poll::Pending => None,
    }
}

impl Plugin {
    pub(super) fn new(credit: u32, connection_credit: u32, requests: u32) -> Self {
        let conversation = Conversation::new(Terms { credit, connection_credit, requests });
        Self { conversation, received: BytesMut::new(), sent: BytesMut::new() }
    }

    fn greeted(credit: u32, connection_credit: u32) -> Self {
        let mut plugin = Self::new(credit, connection_credit, 4);
        plugin
            .hear(&json!({"type": "lifecycle", "payload": {
                "action": "hello", "versions": [2], "credit": 10, "connection_credit": 25,
            }}))
            .unwrap();
        plugin.said();
        plugin
    }

    /// What follows from all of these bytes.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Breach> {
        self.received.extend_from_slice(bytes);
        let mut events = Vec::new();
        loop {
            match self.conversation.receive(&mut self.received)? {
                Event::Incomplete => return Ok(events),
                Event::Nothing => {}
                event => events.push(event),
            }
        }
    }

    fn hear(&mut self, message: &Value) -> Result<Vec<Event>, Breach> {
        let mut bytes = BytesMut::new();
        frames::put_message(&mut bytes, message).unwrap();
        self.receive(&bytes)
    }

    fn hear_data(&mut self, id: u32, content: &[u8], is_last: bool) -> Result<Vec<Event>, Breach> {
        let mut bytes = BytesMut::new();
        frames::put_data(&mut bytes, id, content, is_last);
        self.receive(&bytes)
    }

    fn ask(&mut self, id: u32, has_body: bool) -> Result<Vec<Event>, Breach> {
        let payload = json!({"method": "POST", "path": "/", "headers": {}, "body": has_body});
        self.hear(&json!({"type": "http", "request_id": id, "payload": payload}))
    }

    /// The next frame that it has sent.
    pub(super) fn next(&mut self) -> Option<Value> {
        if let Some(Some(out)) = poll(|cx| self.conversation.poll_out(cx)) {
            self.sent.unsplit(out);
        }
        frames::next(&mut self.sent).unwrap().map(|frame| meaning(frame).unwrap())
    }

    pub(super) fn said(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }

    fn part(&mut self, id: u32) -> Option<Result<Option<Bytes>, PluginError>> {
        poll(|cx| self.conversation.poll_part(id, cx))
    }

    /// What is left of it, and whether all of it is on its way.
    fn send(&mut self, id: u32, content: &'static [u8], is_last: bool) -> (usize, Option<Result<(), PluginError>>) {
        let mut content = Bytes::from_static(content);
        let sent = poll(|cx| self.conversation.poll_send(id, &mut content, is_last, cx));
        (content.len(), sent)
    }

    fn answer(&mut self, id: u32, has_body: bool) -> Result<(), PluginError> {
        self.conversation.answer(id, 200, &Headers::new(), has_body)
    }
}

type Rule = (&'static str, fn(&mut Plugin) -> Result<Vec<Event>, Breach>);

#[test]
fn a_rule_that_the_core_breaks_is_found() {
    let mut plugin = Plugin::new(10, 25, 4);
    assert!(plugin.ask(1, false).is_err(), "a request before hello");
    let mut plugin = Plugin::new(10, 25, 4);
    assert!(plugin.hear_data(1, b"a", true).is_err(), "data before hello");

    let rules: [Rule; 12] = [
        ("a second hello", |it| {
            it.hear(&json!({"type": "lifecycle", "payload": {"action": "hello", "versions": [2]}}))
        }),
        ("a request id again", |it| it.ask(2, false)),
        ("more requests than agreed on", |it| (3..=6).try_fold(Vec::new(), |_, id| it.ask(id, false))),
        ("data for a request that never was", |it| it.hear_data(9, b"a", false)),
        ("data for a body that was not announced", |it| it.hear_data(2, b"a", false)),
        ("data for a body that has ended", |it| {
            it.hear_data(1, b"a", true)?;
            it.hear_data(1, b"a", true)
        }),
        ("more of a body than there was credit", |it| it.hear_data(1, b"12345678901", false)),
        ("credit of nothing", |it| it.hear(&json!({"type": "credit", "request_id": 1, "payload": {"bytes": 0}}))),
        ("credit of a half", |it| it.hear(&json!({"type": "credit", "request_id": null, "payload": {"bytes": 1.5}}))),
        ("more credit than may be", |it| {
            it.hear(&json!({"type": "credit", "request_id": null, "payload": {"bytes": 0x7fff_ffff_u32}}))
        }),
        ("a cancel of nothing", |it| it.hear(&json!({"type": "cancel", "payload": {}}))),
        ("an array", |it| it.hear(&json!(["cancel", 1, {}]))),
    ];
    for (name, break_it) in rules {
        let mut plugin = Plugin::greeted(10, 25);
        plugin.ask(1, true).unwrap();
        plugin.ask(2, false).unwrap();
        let breach = break_it(&mut plugin).expect_err(name);
        plugin.conversation.break_off(&breach);
        assert_eq!(plugin.said()[0]["message"]["payload"]["code"], "protocol", "{name}");
        assert_eq!(poll(|cx| plugin.conversation.poll_out(cx).map(|it| it.is_none())), Some(true), "nothing more");
        assert!(poll(|cx| plugin.conversation.poll_over(1, cx)).is_some());
    }
}

#[test]
fn credit_of_a_body_is_given_as_the_plugin_reads_and_that_of_the_connection_as_it_comes() {
    let mut plugin = Plugin::greeted(10, 25);
    plugin.ask(1, true).unwrap();
    plugin.hear_data(1, b"12345", false).unwrap();
    plugin.hear_data(1, b"67890", false).unwrap();
    assert_eq!(plugin.said(), Vec::<Value>::new());
    assert_eq!(plugin.part(1).unwrap().unwrap().unwrap(), "12345");
    let credit =
        |id: Value, bytes: u32| json!({"message": {"type": "credit", "request_id": id, "payload": {"bytes": bytes}}});
    assert_eq!(plugin.said(), [credit(1.into(), 5)]);
    plugin.hear_data(1, b"abc", false).unwrap();
    assert_eq!(plugin.said(), [credit(Value::Null, 13)]);
    assert!(plugin.hear_data(1, b"abc", false).is_err(), "it has read 5 of 13 bytes");
}

#[test]
fn an_answer_waits_for_credit_and_an_end_without_bytes_does_not() {
    let mut plugin = Plugin::greeted(10, 25);
    for id in 1..=3 {
        plugin.ask(id, false).unwrap();
        plugin.answer(id, true).unwrap();
    }
    assert!(matches!(plugin.send(1, b"123456789012", true), (2, None)), "credit of its own");
    assert!(matches!(plugin.send(2, b"123456789012", true), (2, None)));
    assert!(matches!(plugin.send(3, b"123456789", true), (4, None)), "credit of the connection");
    plugin.said();
    assert!(matches!(plugin.send(3, b"", true), (0, Some(Ok(())))));
    assert_eq!(plugin.said(), [json!({"data": {"request_id": 3, "hex": "", "last": true}})]);
    plugin.hear(&json!({"type": "credit", "request_id": 1, "payload": {"bytes": 2}})).unwrap();
    assert!(matches!(plugin.send(1, b"34", true), (2, None)));
    plugin.hear(&json!({"type": "credit", "request_id": null, "payload": {"bytes": 2}})).unwrap();
    assert!(matches!(plugin.send(1, b"34", true), (0, Some(Ok(())))));
}

#[test]
fn a_request_that_is_over_is_over_for_whoever_works_at_it() {
    let mut plugin = Plugin::greeted(10, 25);
    plugin.ask(1, true).unwrap();
    plugin.hear_data(1, b"12345", false).unwrap();
    assert!(poll(|cx| plugin.conversation.poll_over(1, cx)).is_none());
    plugin.hear(&json!({"type": "cancel", "request_id": 1, "payload": {"reason": "gone"}})).unwrap();
    assert!(poll(|cx| plugin.conversation.poll_over(1, cx)).is_some());
    assert!(matches!(plugin.part(1), Some(Err(PluginError::Gone))), "not the end of its body");
    assert!(matches!(plugin.answer(1, false), Err(PluginError::Gone)));
    assert!(matches!(plugin.send(1, b"a", true).1, Some(Err(PluginError::Gone))));
    plugin.conversation.give_up(1, "late");
    assert_eq!(plugin.said(), Vec::<Value>::new());
    plugin.hear_data(1, b"12345", false).unwrap();
}

#[test]
fn after_goodbye_nothing_begins_and_what_was_begun_is_answered() {
    let mut plugin = Plugin::greeted(10, 25);
    plugin.ask(3, false).unwrap();
    plugin.conversation.leave("SIGTERM");
    plugin.conversation.leave("again");
    assert!(plugin.ask(4, true).unwrap().is_empty());
    plugin.hear_data(4, b"12345", true).unwrap();
    plugin.answer(3, false).unwrap();
    let said = plugin.said();
    assert_eq!(said[0]["message"]["payload"]["last_request_id"], 3);
    assert_eq!(said[1]["message"]["type"], "http");
    assert_eq!(said.len(), 2);
}

#[test]
fn a_core_of_another_version_hears_so() {
    let mut plugin = Plugin::new(10, 25, 4);
    let hello = json!({"type": "lifecycle", "payload": {"action": "hello", "versions": [1, 3]}});
    assert!(matches!(plugin.hear(&hello).unwrap()[..], [Event::Over]));
    assert_eq!(plugin.said()[0]["message"]["payload"]["code"], "version");
}

#[test]
fn a_head_that_fits_into_no_message_is_an_error_and_the_connection_goes_on() {
    let mut plugin = Plugin::greeted(10, 25);
    plugin.ask(1, false).unwrap();
    let headers: Headers = [("x", "y".repeat(70_000))].into_iter().collect();
    assert!(plugin.conversation.answer(1, 200, &headers, false).is_err());
    plugin.conversation.give_up(1, &"→".repeat(70_000));
    assert_eq!(plugin.said()[0]["message"]["type"], "cancel");
}
