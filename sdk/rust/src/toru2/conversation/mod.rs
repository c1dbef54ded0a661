//! A connection of toru/2 without the connection: which frame may come, what follows from it, and who waits for what.

mod answering;

use super::Breach;
use super::frames::{self, Frame};
use super::messages::{self, Head, Hello, MOST_CREDIT, Said};
use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;
use std::collections::{HashMap, VecDeque};
use std::task::{Context, Poll, Waker};

/// Whoever writes a body waits while so much is on its way to the socket.
const OUT_AT_MOST: usize = 256 << 10;

/// What a plugin takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Bytes of one body that may be under way.
    pub(crate) credit: u32,
    /// Of all bodies together. It is given back as bytes come, for each body is held up by its own credit.
    pub(crate) connection_credit: u32,
    /// Requests at once.
    pub(crate) requests: u32,
}

/// What follows from a frame.
#[derive(Debug)]
pub(crate) enum Event {
    /// The frame isn't all there yet.
    Incomplete,
    /// Nothing that anybody has to see to.
    Nothing,
    /// Handle this request.
    Begin { request_id: u32, head: Head },
    /// The core speaks toru/2, and is there for pushes.
    Greeted,
    /// No version in common: close, when all is written.
    Over,
}

pub(crate) struct Conversation {
    terms: Terms,
    out: BytesMut,
    writer: Option<Waker>,
    is_greeted: bool,
    is_leaving: bool,
    /// Nothing more is said.
    is_over: bool,
    /// The highest request id that came.
    highest_id: u32,
    /// The highest that was begun.
    last_id: u32,
    streams: HashMap<u32, Stream>,
    /// For each body that is sent, at first.
    first_credit: u32,
    /// For all bodies that are sent.
    credit: u32,
    /// What the core may still send on the connection.
    their_credit: u32,
}

/// One request and its answer. It is gone when the answer has ended.
#[derive(Default)]
struct Stream {
    parts: VecDeque<Bytes>,
    is_whole: bool,
    /// What the core may still send of this body.
    their_credit: u32,
    /// What was read and not yet given back.
    owed: u32,
    credit: u32,
    /// Whoever reads, writes, and looks whether it is over.
    reader: Option<Waker>,
    sender: Option<Waker>,
    watcher: Option<Waker>,
}

impl Stream {
    fn wake_all(self) {
        [self.reader, self.sender, self.watcher].into_iter().flatten().for_each(Waker::wake);
    }
}

impl Conversation {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            out: BytesMut::new(),
            writer: None,
            is_greeted: false,
            is_leaving: false,
            is_over: false,
            highest_id: 0,
            last_id: 0,
            streams: HashMap::new(),
            first_credit: 0,
            credit: 0,
            their_credit: terms.connection_credit,
        }
    }

    // What comes.

    /// Takes the next frame of what was received.
    pub(crate) fn receive(&mut self, received: &mut BytesMut) -> Result<Event, Breach> {
        let Some(frame) = frames::next(received)? else { return Ok(Event::Incomplete) };
        let event = match frame {
            Frame::Message(text) => self.on_message(messages::parse(&text)?)?,
            Frame::Data { request_id, content, is_last } => {
                self.on_data(request_id, content, is_last)?;
                Event::Nothing
            }
        };
        self.wake_writer();
        Ok(event)
    }

    fn on_message(&mut self, said: Said) -> Result<Event, Breach> {
        match said {
            Said::Hello(hello) => return self.on_hello(&hello),
            Said::Goodbye => self.is_leaving = true,
            _ if !self.is_greeted => return Err(Breach("a message before hello".into())),
            Said::Request { request_id, head } => return self.on_request(request_id, head),
            Said::Credit { request_id, bytes } => self.on_credit(request_id, bytes)?,
            Said::Cancel { request_id } => {
                self.check_was(request_id)?;
                self.forget(request_id);
            }
            Said::Unknown => {}
        }
        Ok(Event::Nothing)
    }

    fn on_hello(&mut self, hello: &Hello) -> Result<Event, Breach> {
        if self.is_greeted {
            return Err(Breach("a second hello".into()));
        }
        if !hello.speaks_ours() {
            messages::put_goodbye(&mut self.out, "version", None, "this plugin speaks version 2");
            self.end();
            return Ok(Event::Over);
        }
        self.is_greeted = true;
        self.first_credit = hello.credit;
        self.credit = hello.connection_credit;
        let Terms { credit, connection_credit, requests } = self.terms;
        messages::put_hello(&mut self.out, credit, connection_credit, requests);
        Ok(Event::Greeted)
    }

    fn on_request(&mut self, request_id: u32, head: Head) -> Result<Event, Breach> {
        if request_id <= self.highest_id {
            return Err(Breach(format!("the request {request_id} after {}", self.highest_id)));
        }
        if self.streams.len() >= self.terms.requests as usize {
            return Err(Breach(format!("more than {} requests at once", self.terms.requests)));
        }
        self.highest_id = request_id;
        if self.is_leaving {
            return Ok(Event::Nothing); // the goodbye is on its way, and says that it was not begun
        }
        self.last_id = request_id;
        let stream = Stream {
            is_whole: !head.has_body,
            their_credit: self.terms.credit,
            credit: self.first_credit,
            ..Stream::default()
        };
        self.streams.insert(request_id, stream);
        Ok(Event::Begin { request_id, head })
    }

    fn on_data(&mut self, request_id: u32, content: Bytes, is_last: bool) -> Result<(), Breach> {
        if !self.is_greeted {
            return Err(Breach("data before hello".into()));
        }
        self.check_was(request_id)?;
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let Some(left) = self.their_credit.checked_sub(length) else {
            return Err(Breach("more data on the connection than there was credit".into()));
        };
        self.their_credit = left;
        if left <= self.terms.connection_credit / 2 {
            messages::put_credit(&mut self.out, None, self.terms.connection_credit - left);
            self.their_credit = self.terms.connection_credit;
        }
        let Some(stream) = self.streams.get_mut(&request_id) else { return Ok(()) };
        if stream.is_whole {
            return Err(Breach(format!("data for the body of the request {request_id}, which has ended")));
        }
        let Some(left) = stream.their_credit.checked_sub(length) else {
            return Err(Breach(format!("more data for the request {request_id} than there was credit")));
        };
        stream.their_credit = left;
        stream.is_whole = is_last;
        if !content.is_empty() {
            stream.parts.push_back(content);
        }
        wake(&mut stream.reader);
        Ok(())
    }

    fn on_credit(&mut self, request_id: Option<u32>, bytes: u32) -> Result<(), Breach> {
        let more = |credit: u32| {
            let sum = credit.checked_add(bytes).filter(|&sum| sum <= MOST_CREDIT);
            sum.ok_or_else(|| Breach("more credit than may be outstanding".into()))
        };
        match request_id {
            None => {
                self.credit = more(self.credit)?;
                self.wake_senders();
            }
            Some(request_id) => {
                self.check_was(request_id)?;
                if let Some(stream) = self.streams.get_mut(&request_id) {
                    stream.credit = more(stream.credit)?;
                    wake(&mut stream.sender);
                }
            }
        }
        Ok(())
    }

    fn check_was(&self, request_id: u32) -> Result<(), Breach> {
        if (1..=self.highest_id).contains(&request_id) {
            return Ok(());
        }
        Err(Breach(format!("something about the request {request_id}, which never was")))
    }

    // What the connection and the plugin do.

    /// An event for the open views; false where this connection can't take it.
    pub(crate) fn push(&mut self, name: &str, data: &RawValue) -> bool {
        if !self.is_greeted || self.is_leaving || self.is_over || self.out.len() >= OUT_AT_MOST {
            return false;
        }
        let fits = messages::put_push(&mut self.out, name, data).is_ok();
        self.wake_writer();
        fits
    }

    /// No request that comes from now on is begun; those that came are answered.
    pub(crate) fn leave(&mut self, reason: &str) {
        if self.is_greeted && !self.is_leaving && !self.is_over {
            messages::put_goodbye(&mut self.out, "stopping", Some(self.last_id), reason);
            self.wake_writer();
        }
        self.is_leaving = self.is_leaving || self.is_greeted;
    }

    /// Says which rule was broken, and nothing more.
    pub(crate) fn break_off(&mut self, breach: &Breach) {
        messages::put_goodbye(&mut self.out, "protocol", None, &breach.0);
        self.end();
    }

    /// Whatever was under way is over.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
        std::mem::take(&mut self.streams).into_values().for_each(Stream::wake_all);
        self.wake_writer();
    }

    /// What is to be written; None after the last.
    pub(crate) fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<Option<BytesMut>> {
        if self.out.is_empty() {
            if self.is_over {
                return Poll::Ready(None);
            }
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let was_full = self.out.len() >= OUT_AT_MOST;
        let out = self.out.split();
        if was_full {
            self.wake_senders();
        }
        Poll::Ready(Some(out))
    }

    fn forget(&mut self, id: u32) {
        if let Some(stream) = self.streams.remove(&id) {
            stream.wake_all();
        }
    }

    fn wake_writer(&mut self) {
        if !self.out.is_empty() || self.is_over {
            wake(&mut self.writer);
        }
    }

    fn wake_senders(&mut self) {
        self.streams.values_mut().for_each(|stream| wake(&mut stream.sender));
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
