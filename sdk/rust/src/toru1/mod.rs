//! The protocol toru/1, for cores that know no other: docs/protocol.md of Toru.

mod messages;

use crate::body::{Content, Writer};
use crate::context::PluginContext;
use crate::http::{Response, WHOLE_AT_MOST};
use crate::server::Server;
use crate::{PluginError, PluginResult, ToruPlugin, log};
use bytes::{Buf, Bytes, BytesMut};
use messages::{Asked, Said};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

const LARGEST: usize = 16 << 20;

pub(crate) fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(path),
    }
}

/// Until the core closes the connection. `ended` hears when the process should end, and how.
pub(crate) async fn serve<P: ToruPlugin>(
    socket: UnixStream,
    server: Arc<Server<P>>,
    ended: mpsc::Sender<PluginResult<()>>,
) {
    let mut connection = Connection { socket, received: BytesMut::new() };
    loop {
        let heard = match connection.next().await {
            Ok(Some(text)) => messages::parse(&text).map_err(PluginError::Protocol),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let answered = match heard {
            Ok(Said::Init { instance_id }) => {
                if let Err(error) = init(&server, instance_id).await {
                    let _ = ended.send(Err(error)).await;
                }
                Ok(())
            }
            Ok(Said::Shutdown) => {
                let _ = ended.send(Ok(())).await;
                Ok(())
            }
            Ok(Said::Unknown) => Ok(()),
            Ok(Said::Asked { request_id, asked }) => connection.answer(&server, &request_id, asked).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(()) => {}
            Err(PluginError::Gone) => return,
            Err(error) => {
                // toru/1 has no other way to say that there is no answer than to close.
                log::error(error);
                return;
            }
        }
    }
}

async fn init<P: ToruPlugin>(server: &Server<P>, instance_id: String) -> PluginResult<()> {
    let context = PluginContext::of_this_process(instance_id, server.views.clone(), server.stopping.clone());
    server.changing().write().await.init(context).await
}

struct Connection {
    socket: UnixStream,
    received: BytesMut,
}

impl Connection {
    /// The next message; None where the core has closed.
    async fn next(&mut self) -> PluginResult<Option<Bytes>> {
        loop {
            if let Some(length) = self.received.first_chunk().map(|head| u32::from_be_bytes(*head) as usize) {
                if !(1..=LARGEST).contains(&length) {
                    return Err(PluginError::Protocol(format!("a message of {length} bytes")));
                }
                if self.received.len() >= 4 + length {
                    self.received.advance(4);
                    return Ok(Some(self.received.split_to(length).freeze()));
                }
            }
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn answer<P: ToruPlugin>(&mut self, server: &Server<P>, request_id: &str, asked: Asked) -> PluginResult<()> {
        let _busy = server.activity.begin();
        let text = tokio::select! {
            text = answered(server, request_id, asked) => text?,
            () = closed(&mut self.socket, &mut self.received) => return Err(PluginError::Gone),
        };
        if text.len() > LARGEST {
            return Err("the answer does not fit into a message of toru/1".into());
        }
        // In one piece: there are cores that read no other way.
        let mut message = u32::try_from(text.len()).unwrap_or_default().to_be_bytes().to_vec();
        message.extend_from_slice(text.as_bytes());
        Ok(self.socket.write_all(&message).await?)
    }
}

async fn answered<P: ToruPlugin>(server: &Server<P>, request_id: &str, asked: Asked) -> PluginResult<String> {
    match asked {
        Asked::Http(request) => {
            let method = request.method.clone();
            let answer = server.plugin().await.handle_stream(request).await?;
            let (status, headers, content) = whole(answer.settle(&method)?).await?;
            Ok(messages::http_answer(SystemTime::now(), request_id, status, &headers.joined(), &content))
        }
        Asked::Kv(op) => {
            let value = server.changing().write().await.handle_kv(op).await?;
            Ok(messages::kv_answer(SystemTime::now(), request_id, value.as_deref()))
        }
    }
}

/// Returns when the core has closed, and keeps what comes before.
async fn closed(socket: &mut UnixStream, received: &mut BytesMut) {
    while received.len() <= LARGEST {
        if !matches!(socket.read_buf(received).await, Ok(1..)) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

async fn whole(answer: Response) -> PluginResult<(u16, crate::Headers, Bytes)> {
    let content = match answer.content {
        Content::Whole(content) => content,
        Content::Parts(produce) => {
            let (writer, written) = Writer::whole(WHOLE_AT_MOST);
            produce(writer).await?;
            let mut written = written.lock().map_err(|_| PluginError::Gone)?;
            std::mem::take(&mut *written).into()
        }
    };
    Ok((answer.status, answer.headers, content))
}
