//! 1 kB by the SDK.

use std::process::ExitCode;
use toru_plugin_api::{PluginMetadata, PluginResult, Request, Response, ToruPlugin, async_trait, run};

static KILOBYTE: [u8; 1000] = [b'x'; 1000];

struct Kilobyte;

#[async_trait]
impl ToruPlugin for Kilobyte {
    fn metadata() -> PluginMetadata {
        PluginMetadata::new("kilobyte", "Kilobyte", "1.0", "/kilobyte")
    }

    async fn handle_stream(&self, _request: Request) -> PluginResult<Response> {
        Ok(Response::bytes(200, &KILOBYTE[..]).with_header("content-type", "text/plain"))
    }
}

fn main() -> ExitCode {
    run(Kilobyte)
}
