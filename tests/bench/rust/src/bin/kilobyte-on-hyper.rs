//! 1 kB by hyper alone, on the socket that systemd hands over.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::os::unix::net::UnixDatagram;
use std::{env, io};
use tokio::net::UnixListener;

static KILOBYTE: [u8; 1000] = [b'x'; 1000];

async fn answer(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(&KILOBYTE)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let inherited = listenfd::ListenFd::from_env().take_unix_listener(0)?;
    let inherited = inherited.ok_or_else(|| io::Error::other("there is no socket"))?;
    inherited.set_nonblocking(true)?;
    let listener = UnixListener::from_std(inherited)?;
    if let Some(path) = env::var_os("NOTIFY_SOCKET") {
        UnixDatagram::unbound()?.send_to(b"READY=1", path)?;
    }
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service_fn(answer)));
    }
}
