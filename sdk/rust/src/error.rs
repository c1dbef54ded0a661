use std::error::Error;
use std::fmt;
use std::io;

/// What a plugin's functions return.
pub type PluginResult<T> = Result<T, PluginError>;

/// Why something could not be done.
///
/// A handler that returns one leaves its request without an answer: the client gets a 502, or its connection is cut
/// where the answer had begun, and the plugin's log gets a line. `?` makes one of the errors of `std::io` and
/// `serde_json`; of others, [`PluginError::other`] does.
#[derive(Debug)]
#[non_exhaustive]
pub enum PluginError {
    /// Something was said that the protocol doesn't allow.
    Protocol(String),
    /// A socket or a file failed.
    Io(io::Error),
    /// Something was no JSON, or not the JSON it should have been.
    Json(serde_json::Error),
    /// The storage said no, and why.
    Kv {
        /// The HTTP status: 413 where a limit was passed.
        status: u16,
        /// What the core says about it.
        detail: String,
    },
    /// Nobody wants the answer any more: the client has left, or its time is up.
    Gone,
    /// Anything else.
    Other(Box<dyn Error + Send + Sync>),
}

impl PluginError {
    /// Any error, or a text.
    pub fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(reason) => write!(out, "protocol: {reason}"),
            Self::Io(error) => error.fmt(out),
            Self::Json(error) => error.fmt(out),
            Self::Kv { status, detail } => write!(out, "storage: {detail} ({status})"),
            Self::Gone => out.write_str("nobody wants the answer any more"),
            Self::Other(error) => error.fmt(out),
        }
    }
}

impl Error for PluginError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            Self::Json(error) => error.source(),
            Self::Other(error) => error.source(),
            Self::Protocol(_) | Self::Kv { .. } | Self::Gone => None,
        }
    }
}

impl From<io::Error> for PluginError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for PluginError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<String> for PluginError {
    fn from(reason: String) -> Self {
        Self::other(reason)
    }
}

impl From<&str> for PluginError {
    fn from(reason: &str) -> Self {
        Self::other(reason)
    }
}
