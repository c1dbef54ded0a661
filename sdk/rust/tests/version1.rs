//! A plugin as authors wrote them for version 1: only its `main` has changed.

use std::collections::HashMap;
use std::process::ExitCode;
use toru_plugin_api::{
    HttpRequest, HttpResponse, KvOp, PluginContext, PluginError, PluginKvStore, PluginMetadata, PluginResult,
    ToruPlugin,
};

struct Visits {
    ctx: Option<PluginContext>,
    settings: HashMap<String, String>,
}

#[async_trait::async_trait]
impl ToruPlugin for Visits {
    fn metadata() -> PluginMetadata {
        PluginMetadata {
            id: "visits".to_string(),
            name: "Visits".to_string(),
            version: "0.1.0".to_string(),
            author: Some("Ada".to_string()),
            icon: "👣".to_string(),
            route: "/visits".to_string(),
        }
    }

    async fn init(&mut self, ctx: PluginContext) -> Result<(), PluginError> {
        self.ctx = Some(ctx);
        Ok(())
    }

    async fn handle_http(&self, req: HttpRequest) -> Result<HttpResponse, PluginError> {
        let ctx = self.ctx.as_ref().ok_or_else(|| PluginError::Protocol("no init".to_string()))?;
        if req.path != "/" {
            return Ok(HttpResponse { status: 404, headers: HashMap::new(), body: Some("Not found".to_string()) });
        }
        let visits = ctx.kv.get("visits").await?.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) + 1;
        ctx.kv.set("visits", &visits.to_string()).await?;
        let body = serde_json::to_string(&serde_json::json!({"visits": visits, "instance": ctx.instance_id}))?;
        let headers = HashMap::from([("Content-Type".to_string(), "application/json".to_string())]);
        Ok(HttpResponse { status: 200, headers, body: Some(body) })
    }

    async fn handle_kv(&mut self, op: KvOp) -> Result<Option<String>, PluginError> {
        match op {
            KvOp::Get { key } => Ok(self.settings.get(&key).cloned()),
            KvOp::Set { key, value } => Ok(self.settings.insert(key, value)),
            KvOp::Delete { key } => Ok(self.settings.remove(&key)),
        }
    }
}

/// What `main` is now.
#[allow(dead_code)]
fn main() -> ExitCode {
    toru_plugin_api::run(Visits { ctx: None, settings: HashMap::new() })
}

/// As authors put it in the storage's place in their tests.
#[derive(Default)]
struct InMemory(std::sync::Mutex<HashMap<String, String>>);

#[async_trait::async_trait]
impl PluginKvStore for InMemory {
    async fn get(&self, key: &str) -> PluginResult<Option<String>> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn set(&self, key: &str, value: &str) -> PluginResult<()> {
        self.0.lock().unwrap().insert(key.to_string(), value.to_string());
        Ok(())
    }

    async fn delete(&self, key: &str) -> PluginResult<()> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}

#[tokio::test]
async fn a_plugin_of_version_1_works_as_it_is() {
    let mut plugin = Visits { ctx: None, settings: HashMap::new() };
    let root = || HttpRequest { path: "/".to_string(), ..HttpRequest::default() };
    assert!(matches!(plugin.handle_http(root()).await, Err(PluginError::Protocol(_))));
    plugin.init(PluginContext::new("an-instance", Box::new(InMemory::default()))).await.unwrap();
    for visits in 1..=2 {
        let said: serde_json::Value =
            serde_json::from_str(&plugin.handle_http(root()).await.unwrap().body.unwrap()).unwrap();
        assert_eq!(said, serde_json::json!({"visits": visits, "instance": "an-instance"}));
    }
    let elsewhere = HttpRequest { path: "/nowhere".to_string(), ..HttpRequest::default() };
    assert_eq!(plugin.handle_http(elsewhere).await.unwrap().status, 404);
    plugin.handle_kv(KvOp::Set { key: "a".to_string(), value: "b".to_string() }).await.unwrap();
    assert_eq!(plugin.handle_kv(KvOp::Get { key: "a".to_string() }).await.unwrap(), Some("b".to_string()));
}
