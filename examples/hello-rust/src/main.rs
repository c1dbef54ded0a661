//! A plugin in Rust: it greets, counts how often, and says what the time is, every second.

use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use toru_plugin_api::{
    PluginContext, PluginMetadata, PluginOptions, PluginResult, Request, Response, ToruPlugin, async_trait, log, run,
};

#[derive(Default)]
struct Hello {
    greeted: AtomicU64,
    context: Option<PluginContext>,
}

#[async_trait]
impl ToruPlugin for Hello {
    fn metadata() -> PluginMetadata {
        PluginMetadata {
            author: Some("The Toru authors".into()),
            icon: "🦀".into(),
            ..PluginMetadata::new("hello-rust", "Hello from Rust", env!("CARGO_PKG_VERSION"), "/hello-rust")
        }
    }

    fn options() -> PluginOptions {
        PluginOptions {
            description: Some("It greets, counts how often, and says what the time is, every second.".into()),
            watchdog: Some(Duration::from_secs(30)),
            ..PluginOptions::default()
        }
    }

    async fn init(&mut self, context: PluginContext) -> PluginResult<()> {
        log::info(format!("serving instance {}", context.instance_id));
        self.context = Some(context);
        Ok(())
    }

    async fn handle_stream(&self, request: Request) -> PluginResult<Response> {
        match request.path_alone() {
            "/" | "/hello" => {
                let greeted = self.greeted.fetch_add(1, Ordering::Relaxed) + 1;
                Response::json(200, &json!({"message": "Hello from Rust!", "greeted": greeted}))
            }
            "/about" => {
                let instance_id = self.context.as_ref().map(|context| &context.instance_id);
                Response::json(200, &json!({"instance_id": instance_id, "pid": std::process::id()}))
            }
            "/clock" => Ok(self.clock()),
            "/bundle.js" => Ok(Response::bytes(200, include_str!("../bundle.js"))
                .with_header("content-type", "text/javascript; charset=utf-8")),
            path => Ok(Response::text(404, format!("There is nothing at {path}.\n"))),
        }
    }

    async fn shutdown(&self) {
        log::info("goodbye");
    }
}

impl Hello {
    /// The seconds since 1970, as server-sent events, until the client leaves or the plugin ends.
    fn clock(&self) -> Response {
        let stopping = self.context.as_ref().map(|context| context.stopping.clone());
        let ticks = Response::stream(200, |mut out| async move {
            while !stopping.as_ref().is_some_and(toru_plugin_api::Stopping::is_set) {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                out.send(format!("data: {}\n\n", now.as_secs())).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        });
        ticks.with_header("content-type", "text/event-stream")
    }
}

fn main() -> ExitCode {
    run(Hello::default())
}

#[cfg(test)]
mod tests {
    use super::Hello;
    use toru_plugin_api::{Headers, Request, ToruPlugin};

    fn get(path: &str) -> Request {
        Request { method: "GET".into(), path: path.into(), headers: Headers::new(), body: "".into() }
    }

    #[tokio::test]
    async fn it_counts_whom_it_greets() {
        let hello = Hello::default();
        for path in ["/", "/hello", "/hello?again"] {
            assert_eq!(hello.handle_stream(get(path)).await.unwrap().status, 200);
        }
        assert_eq!(hello.greeted.into_inner(), 3);
    }

    #[tokio::test]
    async fn what_is_not_there_is_404() {
        assert_eq!(Hello::default().handle_stream(get("/nowhere")).await.unwrap().status, 404);
    }
}
