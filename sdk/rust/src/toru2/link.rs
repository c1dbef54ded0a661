//! A conversation that handlers share, and wait for.

use super::conversation::Conversation;
use crate::{PluginError, PluginResult};
use bytes::Bytes;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) struct Link(Mutex<Conversation>);

impl Link {
    pub(crate) fn new(conversation: Conversation) -> Self {
        Self(Mutex::new(conversation))
    }

    /// Nothing waits or panics while it holds this.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Conversation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn part(&self, id: u32) -> PluginResult<Option<Bytes>> {
        poll_fn(|cx| self.lock().poll_part(id, cx)).await
    }

    pub(crate) async fn send(&self, id: u32, mut content: Bytes, is_last: bool) -> Result<(), PluginError> {
        poll_fn(|cx| self.lock().poll_send(id, &mut content, is_last, cx)).await
    }

    pub(crate) async fn over(&self, id: u32) {
        poll_fn(|cx| self.lock().poll_over(id, cx)).await;
    }
}
