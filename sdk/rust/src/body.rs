use crate::toru2::link::Link;
use crate::{PluginError, PluginResult};
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// A request's body, on its way.
pub struct Body(Source);

enum Source {
    Whole(Option<Bytes>),
    Parts(Arc<Link>, u32),
}

impl Body {
    pub(crate) fn parts(link: Arc<Link>, request_id: u32) -> Self {
        Self(Source::Parts(link, request_id))
    }

    /// The next part; None after the last. A body is sent as fast as it is read, so a slow reader holds up its sender
    /// and nobody else.
    ///
    /// # Errors
    ///
    /// [`PluginError::Gone`] where nobody wants the answer any more.
    pub async fn next(&mut self) -> PluginResult<Option<Bytes>> {
        match &mut self.0 {
            Source::Whole(content) => Ok(content.take().filter(|content| !content.is_empty())),
            Source::Parts(link, request_id) => link.part(*request_id).await,
        }
    }

    /// All that is still to come; None where that is more than `at_most`.
    ///
    /// # Errors
    ///
    /// As [`next`](Body::next).
    pub async fn whole(&mut self, at_most: usize) -> PluginResult<Option<Bytes>> {
        let Some(first) = self.next().await? else { return Ok(Some(Bytes::new())) };
        if first.len() > at_most {
            return Ok(None);
        }
        let Some(mut part) = self.next().await? else { return Ok(Some(first)) };
        let mut content = Vec::from(first);
        loop {
            if content.len() + part.len() > at_most {
                return Ok(None);
            }
            content.extend_from_slice(&part);
            match self.next().await? {
                Some(next) => part = next,
                None => return Ok(Some(content.into())),
            }
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(content: T) -> Self {
        Self(Source::Whole(Some(content.into())))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Body")
    }
}

/// Takes the parts of an answer's body.
pub struct Writer(Sink);

enum Sink {
    Parts(Arc<Link>, u32),
    Whole { so_far: Arc<Mutex<Vec<u8>>>, at_most: usize },
}

impl Writer {
    pub(crate) fn parts(link: Arc<Link>, request_id: u32) -> Self {
        Self(Sink::Parts(link, request_id))
    }

    /// Keeps what is written, and where to find it.
    pub(crate) fn whole(at_most: usize) -> (Self, Arc<Mutex<Vec<u8>>>) {
        let so_far = Arc::default();
        (Self(Sink::Whole { so_far: Arc::clone(&so_far), at_most }), so_far)
    }

    /// Another part. Returns when it is on its way, which takes as long as the client takes to read.
    ///
    /// # Errors
    ///
    /// [`PluginError::Gone`] where nobody wants the answer any more.
    pub async fn send(&mut self, part: impl Into<Bytes>) -> PluginResult<()> {
        let part = part.into();
        match &self.0 {
            Sink::Parts(link, request_id) => link.send(*request_id, part, false).await,
            Sink::Whole { so_far, at_most } => {
                let mut so_far = so_far.lock().map_err(|_| PluginError::Gone)?;
                if so_far.len() + part.len() > *at_most {
                    return Err(format!("the answer has more than {at_most} bytes, which toru/1 can't say").into());
                }
                so_far.extend_from_slice(&part);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Writer")
    }
}

type Producing = Pin<Box<dyn Future<Output = PluginResult<()>> + Send>>;

/// An answer's body.
pub(crate) enum Content {
    Whole(Bytes),
    Parts(Box<dyn FnOnce(Writer) -> Producing + Send>),
}

impl fmt::Debug for Content {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(content) => write!(out, "{} bytes", content.len()),
            Self::Parts(_) => out.write_str("a stream"),
        }
    }
}
