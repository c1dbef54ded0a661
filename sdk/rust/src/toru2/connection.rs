//! The socket that carries a conversation, and the handlers that answer.

use super::conversation::{Conversation, Event, Terms};
use super::link::Link;
use super::messages::Head;
use super::{Breach, frames};
use crate::body::{Body, Content, Writer};
use crate::http::{Request, Response};
use crate::server::Busy;
use crate::server::Server;
use crate::{PluginError, PluginResult, ToruPlugin, Views, log};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

const CREDIT: u32 = 256 << 10;
const CONNECTION_CREDIT: u32 = 1 << 20;
const REQUESTS: u32 = 100;
const MOST_REQUESTS: u32 = 10_000;
/// A core that doesn't read its goodbye is cut off.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Until the core closes the connection.
pub(crate) async fn serve<P: ToruPlugin>(stream: UnixStream, server: Arc<Server<P>>) {
    let requests = P::options().max_concurrent.unwrap_or(REQUESTS).clamp(1, MOST_REQUESTS);
    let terms = Terms { credit: CREDIT, connection_credit: CONNECTION_CREDIT, requests };
    let link = Arc::new(Link::new(Conversation::new(terms)));
    let _lost = Lost { link: &link, views: &server.views };
    let (reading, writing) = stream.into_split();
    let mut writing = std::pin::pin!(write(writing, &link));
    let ended = tokio::select! {
        // What is answered while it reads, it then writes; and what it reads is bounded by credit.
        biased;
        ended = read(reading, &link, &server) => ended,
        // Nobody reads any more, so nobody wants answers.
        _ = &mut writing => Ended::Gone,
    };
    match ended {
        Ended::Gone => return,
        Ended::Over => {}
        Ended::Breach(breach) => {
            log::warning(format!("the core broke a rule: {breach}"));
            link.lock().break_off(&breach);
        }
    }
    let _ = tokio::time::timeout(CLOSED_WITHIN, writing).await;
}

/// However a connection ends: its requests are over, and nothing is pushed on it any more.
struct Lost<'a> {
    link: &'a Arc<Link>,
    views: &'a Views,
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        self.views.forget(self.link);
        self.link.lock().end();
    }
}

enum Ended {
    /// By the core, or with the core.
    Gone,
    /// By a goodbye that is still to be written.
    Over,
    Breach(Breach),
}

async fn read<P: ToruPlugin>(mut socket: OwnedReadHalf, link: &Arc<Link>, server: &Arc<Server<P>>) -> Ended {
    let mut received = BytesMut::new();
    let mut stopping = std::pin::pin!(server.stopping.wait());
    let mut has_left = false;
    loop {
        received.reserve(frames::LARGEST);
        let count = tokio::select! {
            count = socket.read_buf(&mut received) => count,
            () = &mut stopping, if !has_left => {
                has_left = true;
                link.lock().leave("the plugin stops");
                continue;
            }
        };
        if !matches!(count, Ok(1..)) {
            return Ended::Gone;
        }
        loop {
            let event = link.lock().receive(&mut received);
            match event {
                Ok(Event::Incomplete) => break,
                Ok(Event::Nothing) => {}
                Ok(Event::Begin { request_id, head }) => begin(link, server, request_id, head).await,
                Ok(Event::Greeted) => {
                    server.views.remember(link);
                    if has_left {
                        link.lock().leave("the plugin stops"); // before hello, nothing could be said
                    }
                }
                Ok(Event::Over) => return Ended::Over,
                Err(breach) => return Ended::Breach(breach),
            }
        }
    }
}

async fn write(mut socket: OwnedWriteHalf, link: &Link) -> io::Result<()> {
    while let Some(mut out) = poll_fn(|cx| link.lock().poll_out(cx)).await {
        socket.write_all_buf(&mut out).await?;
    }
    Ok(())
}

async fn begin<P: ToruPlugin>(link: &Arc<Link>, server: &Arc<Server<P>>, id: u32, head: Head) {
    let body = if head.has_body { Body::parts(Arc::clone(link), id) } else { Body::from("") };
    let request = Request { method: head.method, path: head.path, headers: head.headers, body };
    // Made here, so that the plugin is busy from now on.
    let answering = Answering { link: Arc::clone(link), id, _busy: server.activity.begin() };
    let server = Arc::clone(server);
    let mut work = Box::pin(async move {
        tokio::select! {
            biased;
            answered = answering.answer(&server, request) => match answered {
                Ok(()) | Err((_, PluginError::Gone)) => {}
                Err((what, error)) => answering.give_up(&what, &error.to_string()),
            },
            () = answering.link.over(id) => {}
        }
    });
    // Most answers are there at once. A task for each would cost more than they do, and write later.
    let first = poll_fn(|cx| Poll::Ready(catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))))).await;
    if matches!(first, Ok(Poll::Pending)) {
        tokio::spawn(work);
    }
}

/// One request that is being answered.
struct Answering {
    link: Arc<Link>,
    id: u32,
    _busy: Busy,
}

impl Answering {
    async fn answer<P: ToruPlugin>(&self, server: &Server<P>, request: Request) -> Result<(), (String, PluginError)> {
        let (method, path) = (request.method.clone(), request.path.clone());
        let answered = async {
            let response = server.plugin().await.handle_stream(request).await?;
            self.respond(response.settle(&method)?, &method).await
        };
        answered.await.map_err(|error| (format!("{method} {path}"), error))
    }

    async fn respond(&self, answer: Response, method: &str) -> PluginResult<()> {
        let (link, id) = (&self.link, self.id);
        let has_body = match &answer.content {
            Content::Whole(content) => !content.is_empty(),
            Content::Parts(_) => method != "HEAD",
        };
        link.lock().answer(id, answer.status, &answer.headers, has_body)?;
        match answer.content {
            Content::Whole(_) if !has_body => Ok(()),
            Content::Whole(content) => link.send(id, content, true).await,
            Content::Parts(produce) => {
                produce(Writer::parts(Arc::clone(link), id)).await?;
                link.send(id, Bytes::new(), true).await
            }
        }
    }

    fn give_up(&self, what: &str, reason: &str) {
        log::error(format!("{what}: {reason}"));
        self.link.lock().give_up(self.id, reason);
    }
}

impl Drop for Answering {
    /// A handler that panicked has not answered; after an answer there is nothing left to give up.
    fn drop(&mut self) {
        self.link.lock().give_up(self.id, "its handler panicked");
    }
}
