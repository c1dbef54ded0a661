use serde::{Serialize, Serializer};
use std::time::Duration;

/// Who a plugin is, as it says with `--metadata`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PluginMetadata {
    /// Letters, digits and hyphens. Units and directories are named after it.
    pub id: String,
    /// For people.
    pub name: String,
    /// Its own.
    pub version: String,
    /// Who made it.
    pub author: Option<String>,
    /// An emoji.
    pub icon: String,
    /// `/` and one segment: where its paths begin.
    pub route: String,
}

impl PluginMetadata {
    /// Without an author, and with 🧩 for an icon.
    #[must_use]
    pub fn new(id: &str, name: &str, version: &str, route: &str) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            version: version.into(),
            author: None,
            icon: "🧩".into(),
            route: route.into(),
        }
    }
}

/// How a plugin wants to be run. Everything has a default; nothing goes beyond what the operator allows.
///
/// ```
/// use std::time::Duration;
/// use toru_plugin_api::{PluginOptions, Start};
///
/// let options = PluginOptions {
///     start: Start::OnDemand,
///     idle_timeout: Some(Duration::from_secs(300)),
///     ..PluginOptions::default()
/// };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PluginOptions {
    /// What it does, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Begins with `https://` or `http://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// When it runs.
    pub start: Start,
    /// It sleeps when nothing was asked for so long; the next request wakes it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub idle_timeout: Option<Duration>,
    /// systemd starts it again when it was stuck for so long.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub watchdog: Option<Duration>,
    /// The time in which an answer has to begin.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub timeout: Option<Duration>,
    /// Bytes that the body of a request may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body: Option<u64>,
    /// Requests that it gets at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// What it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What it may reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// When a plugin runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From when it is enabled on.
    #[default]
    Eager,
    /// From the first request on.
    OnDemand,
}

/// What a plugin may use at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Such as `64M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// Of one processor, such as `50%`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
}

/// What a plugin may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// No network but its own socket.
    Strict,
    /// What every plugin gets.
    Default,
    /// The host; only where the operator grants it.
    Trusted,
}

// serde hands over a reference.
#[allow(clippy::ref_option)]
fn seconds<S: Serializer>(duration: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(whole) if whole.subsec_nanos() == 0 => out.serialize_u64(whole.as_secs()),
        Some(duration) => out.serialize_f64(duration.as_secs_f64()),
        None => out.serialize_none(),
    }
}

/// All that `--metadata` says.
pub(crate) fn manifest(metadata: &PluginMetadata, options: &PluginOptions) -> String {
    #[derive(Serialize)]
    struct Manifest<'a> {
        #[serde(flatten)]
        metadata: &'a PluginMetadata,
        protocol: &'static str,
        #[serde(flatten)]
        options: &'a PluginOptions,
    }
    let manifest = Manifest { metadata, protocol: "toru/2", options };
    serde_json::to_string_pretty(&manifest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Limits, PluginMetadata, PluginOptions, Sandbox, Start, manifest};
    use serde_json::{Value, json};
    use std::time::Duration;

    fn said(options: &PluginOptions) -> Value {
        serde_json::from_str(&manifest(&PluginMetadata::new("a", "A", "1", "/a"), options)).unwrap()
    }

    #[test]
    fn what_is_not_said_is_left_to_toru() {
        let expected = json!({
            "id": "a", "name": "A", "version": "1", "author": null, "icon": "🧩", "route": "/a",
            "protocol": "toru/2", "start": "eager",
        });
        assert_eq!(said(&PluginOptions::default()), expected);
    }

    #[test]
    fn options_are_said_as_the_manifest_has_them() {
        let options = PluginOptions {
            description: Some("d".into()),
            homepage: Some("https://example.org/".into()),
            start: Start::OnDemand,
            idle_timeout: Some(Duration::from_millis(300)),
            watchdog: Some(Duration::from_secs(30)),
            timeout: Some(Duration::from_secs(10)),
            max_body: Some(1 << 20),
            max_concurrent: Some(16),
            limits: Some(Limits { memory: Some("64M".into()), tasks: Some(16), cpu: None }),
            sandbox: Some(Sandbox::Strict),
        };
        let expected = json!({
            "id": "a", "name": "A", "version": "1", "author": null, "icon": "🧩", "route": "/a",
            "protocol": "toru/2", "description": "d", "homepage": "https://example.org/", "start": "on-demand",
            "idle_timeout": 0.3, "watchdog": 30, "timeout": 10, "max_body": 1 << 20, "max_concurrent": 16,
            "limits": {"memory": "64M", "tasks": 16}, "sandbox": "strict",
        });
        assert_eq!(said(&options), expected);
    }
}
