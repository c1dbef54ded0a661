//! What whoever answers a request does with the conversation: reads the one body, writes the other.

use super::{Conversation, OUT_AT_MOST};
use crate::toru2::frames::{self, LARGEST_PART};
use crate::toru2::messages;
use crate::{Headers, PluginError};
use bytes::{Buf, Bytes};
use std::task::{Context, Poll};

impl Conversation {
    /// The next part of a request's body; None after the last.
    pub(crate) fn poll_part(&mut self, id: u32, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, PluginError>> {
        let Some(stream) = self.streams.get_mut(&id) else { return Poll::Ready(Err(PluginError::Gone)) };
        let Some(part) = stream.parts.pop_front() else {
            if stream.is_whole {
                return Poll::Ready(Ok(None));
            }
            stream.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        stream.owed += u32::try_from(part.len()).unwrap_or_default();
        if stream.owed >= self.terms.credit.div_ceil(2) && !stream.is_whole {
            messages::put_credit(&mut self.out, Some(id), stream.owed);
            stream.their_credit += std::mem::take(&mut stream.owed);
            self.wake_writer();
        }
        Poll::Ready(Ok(Some(part)))
    }

    /// The head of the answer; without a body, that is the answer.
    pub(crate) fn answer(
        &mut self,
        id: u32,
        status: u16,
        headers: &Headers,
        has_body: bool,
    ) -> Result<(), PluginError> {
        if !self.streams.contains_key(&id) {
            return Err(PluginError::Gone);
        }
        messages::put_head(&mut self.out, id, status, headers, has_body)
            .map_err(|_| PluginError::from("the answer's head does not fit into a message"))?;
        if !has_body {
            self.forget(id);
        }
        self.wake_writer();
        Ok(())
    }

    /// A part of the answer's body, taken from `content` as far as there is credit. `is_last`: what is in it ends the
    /// answer.
    pub(crate) fn poll_send(
        &mut self,
        id: u32,
        content: &mut Bytes,
        is_last: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), PluginError>> {
        loop {
            let Some(stream) = self.streams.get_mut(&id) else { return Poll::Ready(Err(PluginError::Gone)) };
            if content.is_empty() && !is_last {
                return Poll::Ready(Ok(()));
            }
            let room = (stream.credit.min(self.credit) as usize).min(LARGEST_PART).min(content.len());
            if self.out.len() >= OUT_AT_MOST || (room == 0 && !content.is_empty()) {
                stream.sender = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let used = u32::try_from(room).unwrap_or_default();
            stream.credit -= used;
            self.credit -= used;
            let ends = is_last && room == content.len();
            frames::put_data(&mut self.out, id, &content[..room], ends);
            content.advance(room);
            self.wake_writer();
            if ends {
                self.forget(id);
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// There will be no answer, or no more of it.
    pub(crate) fn give_up(&mut self, id: u32, reason: &str) {
        if self.streams.contains_key(&id) {
            messages::put_cancel(&mut self.out, id, reason);
            self.forget(id);
            self.wake_writer();
        }
    }

    /// Ready when nobody wants the answer any more, or has all of it.
    pub(crate) fn poll_over(&mut self, id: u32, cx: &mut Context<'_>) -> Poll<()> {
        match self.streams.get_mut(&id) {
            None => Poll::Ready(()),
            Some(stream) => {
                stream.watcher = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
