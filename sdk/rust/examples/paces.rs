//! A plugin that goes through its paces, for the tests of this SDK. It is named after its file, and what it is to be
//! run like follows from the name.

use std::collections::HashMap;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::Barrier;
use toru_plugin_api::{
    Bytes, HttpRequest, HttpResponse, KvOp, PluginContext, PluginMetadata, PluginOptions, PluginResult, Request,
    Response, Start, ToruPlugin, async_trait, log, run,
};

struct Paces {
    context: OnceLock<PluginContext>,
    kept: HashMap<String, String>,
    together: Barrier,
}

/// `restless` for restless.binary.
fn name() -> String {
    let program = env::args().next().unwrap_or_default();
    Path::new(&program).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

#[async_trait]
impl ToruPlugin for Paces {
    fn metadata() -> PluginMetadata {
        let name = name();
        PluginMetadata::new(&name, &format!("The {name}"), "1.0", &format!("/{name}"))
    }

    fn options() -> PluginOptions {
        let quick = Duration::from_millis(300);
        match name().as_str() {
            "sleepy" => PluginOptions { start: Start::OnDemand, idle_timeout: Some(quick), ..PluginOptions::default() },
            "watched" => PluginOptions { watchdog: Some(Duration::from_secs(4)), ..PluginOptions::default() },
            _ => PluginOptions::default(),
        }
    }

    async fn init(&mut self, ctx: PluginContext) -> PluginResult<()> {
        if name() == "broken" {
            return Err("this plugin never starts".into());
        }
        log::info(format!("init {}", ctx.instance_id));
        let _ = self.context.set(ctx);
        Ok(())
    }

    async fn handle_http(&self, req: HttpRequest) -> PluginResult<HttpResponse> {
        let user = req.headers.get("x-toru-user");
        let said = serde_json::json!({
            "pid": std::process::id(), "method": req.method, "path": req.path, "user": user, "body": req.body,
            "bytes": req.body_bytes.map(|it| it.to_vec()),
        });
        HttpResponse::json(201, &said)
    }

    async fn handle_kv(&mut self, op: KvOp) -> PluginResult<Option<String>> {
        Ok(match op {
            KvOp::Get { key } => self.kept.get(&key).cloned(),
            KvOp::Set { key, value } => {
                self.kept.insert(key, value);
                None
            }
            KvOp::Delete { key } => self.kept.remove(&key),
        })
    }

    async fn handle_stream(&self, mut request: Request) -> PluginResult<Response> {
        let query = request.query().to_owned();
        let number = || query.parse::<u32>().map_err(|_| "the query is no number");
        match request.path_alone() {
            "/echo" => Ok(Response::stream(200, |mut out| async move {
                while let Some(part) = request.body.next().await? {
                    out.send(part).await?;
                }
                Ok(())
            })),
            "/count" => {
                let mut length = 0;
                while let Some(part) = request.body.next().await? {
                    length += part.len();
                }
                Ok(Response::text(200, length.to_string()))
            }
            "/bytes" => {
                let mut left = number()? as usize;
                Ok(Response::stream(200, move |mut out| async move {
                    let part: Bytes = (0..=255).cycle().take(65_536).collect::<Vec<u8>>().into();
                    while left > 0 {
                        let length = left.min(part.len());
                        out.send(part.slice(..length)).await?;
                        left -= length;
                    }
                    Ok(())
                }))
            }
            "/slow" => {
                log::info(format!("slow {query}"));
                tokio::time::sleep(Duration::from_millis(number()?.into())).await;
                Response::json(200, &serde_json::json!({"pid": std::process::id()}))
            }
            "/together" => {
                self.together.wait().await;
                Ok(Response::empty(204))
            }
            "/drip" => Ok(Response::stream(200, |mut out| async move {
                let _told = Told("the drip is over");
                loop {
                    out.send("drip\n").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })),
            "/until-the-end" => {
                let stopping = self.context()?.stopping.clone();
                Ok(Response::stream(200, |mut out| async move {
                    out.send("now\n").await?;
                    stopping.wait().await;
                    out.send("the end\n").await
                }))
            }
            "/early" => Ok(Response::text(403, "no")),
            "/cookies" => {
                let mut answer = Response::empty(200);
                answer.headers.append("set-cookie", "a=1");
                answer.headers.append("set-cookie", "b=2");
                Ok(answer)
            }
            "/fail" => Err("this went wrong".into()),
            "/fail-late" => Ok(Response::stream(200, |mut out| async move {
                out.send("a part").await?;
                Err("this went wrong".into())
            })),
            "/panic" => panic!("this handler panics"),
            "/crash" => std::process::abort(),
            "/hang" => loop {
                // The only thread there is: nothing else runs any more.
                std::thread::sleep(Duration::from_secs(1));
            },
            "/push" => {
                for number in 0..number()? {
                    self.context()?.views.push("tick", &serde_json::json!({"number": number}))?;
                }
                Ok(Response::empty(204))
            }
            "/storage" => self.use_storage().await,
            _ => match request_as_text(request).await? {
                Some(request) => Ok(self.handle_http(request).await?.into()),
                None => Ok(Response::empty(413)),
            },
        }
    }

    async fn shutdown(&self) {
        log::info("goodbye");
    }
}

impl Paces {
    fn context(&self) -> PluginResult<&PluginContext> {
        Ok(self.context.get().ok_or("no init came")?)
    }

    /// Whatever storage can do, and what it said.
    async fn use_storage(&self) -> PluginResult<Response> {
        let context = self.context()?;
        let (kv, storage) = (&context.kv, &context.storage);
        kv.set("text", "hello").await?;
        storage.set("number", &7).await?;
        storage.set_for("a/b", &[1, 2], Duration::from_secs(60)).await?;
        let seen = serde_json::json!({
            "text": kv.get("text").await?, "number": storage.get::<u32>("number").await?, "as text": kv.get("number").await?,
            "keys": storage.list("", None).await?.entries.into_iter().map(|it| it.key).collect::<Vec<_>>(),
            "temporary": storage.list("a/", None).await?.entries.first().is_some_and(|it| it.expires_at.is_some()),
            "wrong type": storage.get::<u32>("text").await.is_err(),
            "too large": storage.set("large", &"x".repeat(2 << 20)).await.map_err(|it| it.to_string()).err(),
        });
        kv.delete("text").await?;
        let after = serde_json::json!({"seen": seen, "after delete": kv.get("text").await?});
        Response::json(200, &after)
    }
}

/// As the SDK itself does where a plugin has no `handle_stream`.
async fn request_as_text(mut request: Request) -> PluginResult<Option<HttpRequest>> {
    let Some(content) = request.body.whole(1 << 20).await? else { return Ok(None) };
    let (body, body_bytes) = match String::from_utf8(content.to_vec()) {
        Ok(text) => (Some(text), None),
        Err(_) => (None, Some(content)),
    };
    let headers = request.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Some(HttpRequest { method: request.method, path: request.path, headers, body, body_bytes }))
}

/// Logs that it was dropped.
struct Told(&'static str);

impl Drop for Told {
    fn drop(&mut self) {
        log::info(self.0);
    }
}

fn main() -> ExitCode {
    run(Paces { context: OnceLock::new(), kept: HashMap::new(), together: Barrier::new(20) })
}
