//! Write plugins for Toru in Rust.
//!
//! A plugin is a type that implements [`ToruPlugin`], and a `main` of one line. [`run`] does the rest: it prints the
//! metadata when it is asked to, inherits the socket from systemd, says when it is ready, keeps the watchdog quiet,
//! goes to sleep when nobody asks for anything, and ends in good order.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use toru_plugin_api::{HttpRequest, HttpResponse, PluginMetadata, PluginResult, ToruPlugin, async_trait, run};
//!
//! struct Hello;
//!
//! #[async_trait]
//! impl ToruPlugin for Hello {
//!     fn metadata() -> PluginMetadata {
//!         PluginMetadata::new("hello", "Hello", "1.0.0", "/hello")
//!     }
//!
//!     async fn handle_http(&self, request: HttpRequest) -> PluginResult<HttpResponse> {
//!         Ok(HttpResponse::text(200, format!("You asked for {}.\n", request.path)))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     run(Hello)
//! }
//! ```
//!
//! There are two ways to answer. [`ToruPlugin::handle_http`] is for text that is read and written as a whole, as it was
//! in version 1 of this crate. [`ToruPlugin::handle_stream`] gets a [`Request`] and gives a [`Response`]: any bytes, in
//! parts as they come, and headers that are repeated.
//!
//! Between the core and the plugin runs the protocol toru/2 where systemd hands over the socket, and toru/1 where an
//! older core expects the plugin to bind `TORU_PLUGIN_SOCKET` itself. A plugin doesn't notice which.
//!
//! A plugin runs on one thread: what blocks it blocks every request, and the watchdog notices. Work that blocks belongs
//! into `tokio::task::spawn_blocking`. For another runtime than that of [`run`], there is [`serve`].

mod body;
mod context;
mod error;
mod headers;
mod http;
mod kv;
pub mod log;
mod metadata;
mod plugin;
mod server;
mod systemd;
mod toru1;
mod toru2;
mod views;

pub use async_trait::async_trait;
pub use body::{Body, Writer};
pub use bytes::Bytes;
pub use context::{PluginConfig, PluginContext, PluginKvStore, Stopping};
pub use error::{PluginError, PluginResult};
pub use headers::Headers;
pub use http::{HttpRequest, HttpResponse, Request, Response};
pub use kv::{Entries, Entry, Kv};
pub use metadata::{Limits, PluginMetadata, PluginOptions, Sandbox, Start};
pub use plugin::{KvOp, ToruPlugin};
pub use server::{run, serve};
pub use views::Views;

/// Its examples are compiled, and run where they can be.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/sdk-rust.md")]
struct Reference;
