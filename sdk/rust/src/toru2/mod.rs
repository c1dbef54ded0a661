//! The protocol toru/2 from the plugin's side: docs/protocol.md of Toru.
//!
//! `frames` are the bytes, `messages` what they say, `conversation` is which of them may come when and what follows: no
//! sockets so far. `link` is a conversation that handlers wait for, `connection` the socket that carries it.

pub(crate) mod connection;
pub(crate) mod conversation;
mod frames;
pub(crate) mod link;
mod messages;

use std::fmt;

/// The other side broke a rule. The text says which.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Breach(pub(crate) String);

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
