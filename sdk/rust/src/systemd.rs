//! What systemd gives a process, and wants to hear from it: `sd_listen_fds(3)`, `sd_notify(3)`,
//! `sd_watchdog_enabled(3)`.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::time::Duration;

/// The socket that this process inherits, if any.
pub(crate) fn inherited_socket() -> io::Result<Option<UnixListener>> {
    let Some(inherited) = listenfd::ListenFd::from_env().take_unix_listener(0)? else { return Ok(None) };
    // A copy is closed in programs that the plugin runs; the descriptor that was inherited would not be.
    let listener = inherited.try_clone()?;
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}

/// Tells systemd, where it listens.
pub(crate) fn notify(state: &str) {
    if let Err(error) = try_notify(state) {
        crate::log::warning(format!("systemd could not be told {state}: {error}"));
    }
}

fn try_notify(state: &str) -> io::Result<()> {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let address = match path.to_str().and_then(|path| path.strip_prefix('@')) {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(&path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

/// systemd starts this process again when it hears nothing for so long.
pub(crate) fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|&usec| is_meant && usec > 0).map(Duration::from_micros)
}
