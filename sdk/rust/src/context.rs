use crate::{Kv, PluginResult, Views};
use async_trait::async_trait;
use std::collections::HashMap;
use std::env;
use std::path::Path;
use tokio::sync::watch;

/// What a plugin is given at the start.
#[non_exhaustive]
pub struct PluginContext {
    /// A UUID that stays the same for this installation of Toru.
    pub instance_id: String,
    /// How it was started.
    pub config: PluginConfig,
    /// Its storage, by texts.
    pub kv: Box<dyn PluginKvStore>,
    /// Its storage, with all that it can do.
    pub storage: Kv,
    /// The views of it that are open in browsers.
    pub views: Views,
    /// Says when the plugin should end.
    pub stopping: Stopping,
}

impl PluginContext {
    /// For tests of a plugin: with this storage, no views, and no end.
    #[must_use]
    pub fn new(instance_id: impl Into<String>, kv: Box<dyn PluginKvStore>) -> Self {
        Self {
            instance_id: instance_id.into(),
            config: PluginConfig::default(),
            kv,
            storage: Kv::from_environment(),
            views: Views::default(),
            stopping: Stopping::never(),
        }
    }

    pub(crate) fn of_this_process(instance_id: String, views: Views, stopping: Stopping) -> Self {
        Self {
            config: PluginConfig { env: env::vars().collect() },
            views,
            stopping,
            ..Self::new(instance_id, Box::new(Kv::from_environment()))
        }
    }

    /// A secret that the operator has given to the plugin's unit (`LoadCredential=`).
    ///
    /// # Errors
    ///
    /// Where there is none of this name.
    pub fn credential(&self, name: &str) -> PluginResult<Vec<u8>> {
        let directory = env::var_os("CREDENTIALS_DIRECTORY").ok_or("this process has no credentials")?;
        Ok(std::fs::read(Path::new(&directory).join(name))?)
    }
}

/// How a plugin was started.
#[derive(Debug, Clone, Default)]
pub struct PluginConfig {
    /// The environment: `STATE_DIRECTORY` and the like.
    pub env: HashMap<String, String>,
}

/// A plugin's storage, by texts: what [`PluginContext::kv`] can do, and what a test can put in its place.
#[async_trait]
pub trait PluginKvStore: Send + Sync {
    /// The value of a key, if any. One that is not a text is given as JSON.
    async fn get(&self, key: &str) -> PluginResult<Option<String>>;

    /// Another value for a key.
    async fn set(&self, key: &str, value: &str) -> PluginResult<()>;

    /// A key without a value.
    async fn delete(&self, key: &str) -> PluginResult<()>;
}

/// Says when the plugin should end: because systemd wants it to, or because it was idle.
///
/// Requests under way are answered before it does; answers that would go on for ever should end by themselves then, or
/// they are cut three seconds later.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (stop, stopping) = watch::channel(false);
        (stop, Self(stopping))
    }

    fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Whether it should end.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it should end.
    pub async fn wait(&self) {
        if self.0.clone().wait_for(|is_set| *is_set).await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
    }
}
