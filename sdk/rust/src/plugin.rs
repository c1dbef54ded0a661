use crate::http::{HttpRequest, HttpResponse, Request, Response};
use crate::{PluginContext, PluginMetadata, PluginOptions, PluginResult};
use async_trait::async_trait;

/// A plugin. Only [`metadata`](ToruPlugin::metadata) has to be there.
///
/// Requests are handled at once, as many as there are: what a handler changes needs a `Mutex` or an atomic.
#[async_trait]
pub trait ToruPlugin: Send + Sync + 'static {
    /// Who it is.
    fn metadata() -> PluginMetadata;

    /// How it wants to be run.
    #[must_use]
    fn options() -> PluginOptions {
        PluginOptions::default()
    }

    /// The first thing that happens in a process, before any request. What takes time or can fail belongs here: with
    /// `--metadata` it isn't called. An error ends the process, which is started again later.
    async fn init(&mut self, ctx: PluginContext) -> PluginResult<()> {
        let _ = ctx;
        Ok(())
    }

    /// Answers a request whose body is text, by text.
    async fn handle_http(&self, req: HttpRequest) -> PluginResult<HttpResponse> {
        Ok(HttpResponse::text(404, format!("There is nothing at {}.\n", req.path)))
    }

    /// Answers any request in any way. Where it isn't written, the request's body is read (16 MiB at most, else the
    /// client gets a 413) and given to [`handle_http`](ToruPlugin::handle_http).
    async fn handle_stream(&self, request: Request) -> PluginResult<Response> {
        match request.into_whole().await? {
            Some(request) => Ok(self.handle_http(request).await?.into()),
            None => Ok(Response::text(413, "The request's body is too large.\n")),
        }
    }

    /// Answers what a core asks for by a kv message of toru/1. Toru never does: a plugin's storage is
    /// [`PluginContext::storage`].
    async fn handle_kv(&mut self, op: KvOp) -> PluginResult<Option<String>> {
        let _ = op;
        Ok(None)
    }

    /// The last thing that happens in a process, when all requests have been answered. Four seconds are left for both.
    async fn shutdown(&self) {}
}

/// What a kv message of toru/1 asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KvOp {
    /// The value of a key.
    Get {
        /// Which.
        key: String,
    },
    /// Another value for a key.
    Set {
        /// Which.
        key: String,
        /// What it is from now on.
        value: String,
    },
    /// A key without a value.
    Delete {
        /// Which.
        key: String,
    },
}
