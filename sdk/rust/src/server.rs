//! From the start of a process to its end.

use crate::context::{PluginContext, Stopping};
use crate::metadata::manifest;
use crate::{PluginResult, ToruPlugin, Views, log, systemd, toru1, toru2};
use std::env;
use std::os::unix::net::UnixListener as StdListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{RwLock, RwLockReadGuard, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// systemd kills who takes five seconds for both.
const TIME_TO_ANSWER: Duration = Duration::from_secs(3);
const TIME_TO_SHUT_DOWN: Duration = Duration::from_secs(1);

/// All that `main` has to do: prints the metadata if it is asked to, else serves until it is told to end.
///
/// What goes wrong is in the log and in the status: systemd starts the plugin again.
///
/// # Panics
///
/// Within a runtime of tokio: there, [`serve`] is what you want.
pub fn run<P: ToruPlugin>(plugin: P) -> ExitCode {
    let served =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
            let served = runtime.block_on(serve(plugin));
            runtime.shutdown_background(); // what blocks a thread of the plugin's must not keep it from ending
            served
        });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error(error);
            ExitCode::FAILURE
        }
    }
}

/// As [`run`], within a runtime of your own.
///
/// # Errors
///
/// Where the plugin's `init` fails, or there is no socket to serve on.
pub async fn serve<P: ToruPlugin>(plugin: P) -> PluginResult<()> {
    if env::args().nth(1).as_deref() == Some("--metadata") {
        println!("{}", manifest(&P::metadata(), &P::options()));
        return Ok(());
    }
    keep_the_watchdog_quiet();
    if let Some(socket) = systemd::inherited_socket()? {
        return serve_toru2(plugin, socket).await;
    }
    match env::var_os("TORU_PLUGIN_SOCKET") {
        Some(path) => serve_toru1(plugin, path.into()).await,
        None => Err("there is no socket to serve on. Toru starts this program; by hand: \
                     systemd-socket-activate --listen=/tmp/plugin.sock PROGRAM, or set TORU_PLUGIN_SOCKET"
            .into()),
    }
}

/// What all connections share.
pub(crate) struct Server<P> {
    plugin: RwLock<P>,
    pub(crate) activity: Arc<Activity>,
    pub(crate) stopping: Stopping,
    pub(crate) views: Views,
}

impl<P: ToruPlugin> Server<P> {
    fn new(plugin: P, views: Views, stopping: Stopping) -> Arc<Self> {
        Arc::new(Self { plugin: RwLock::new(plugin), activity: Activity::new(), stopping, views })
    }

    pub(crate) async fn plugin(&self) -> RwLockReadGuard<'_, P> {
        self.plugin.read().await
    }

    /// For itself alone.
    pub(crate) fn changing(&self) -> &RwLock<P> {
        &self.plugin
    }
}

async fn serve_toru2<P: ToruPlugin>(mut plugin: P, socket: StdListener) -> PluginResult<()> {
    let listener = UnixListener::from_std(socket)?;
    let (stop, stopping) = Stopping::new();
    let views = Views::default();
    let instance_id = env::var("TORU_INSTANCE_ID").unwrap_or_default();
    plugin.init(PluginContext::of_this_process(instance_id, views.clone(), stopping.clone())).await?;
    let server = Server::new(plugin, views, stopping);
    let mut connections = JoinSet::new();
    let mut told = std::pin::pin!(told_to_end()?);
    let mut idle = std::pin::pin!(server.activity.idle_for(P::options().idle_timeout));
    systemd::notify("READY=1");
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(toru2::connection::serve(stream, Arc::clone(&server)))),
                Err(error) => rest(&error).await,
            },
            Some(_) = connections.join_next() => {}
            () = &mut told => break,
            () = &mut idle => break,
        }
    }
    // Whoever connects from now on waits in the socket, which systemd goes on holding, for the next process.
    drop(listener);
    // The core closes each connection when its last answer has come.
    let closed = async |connections: &mut JoinSet<()>| while connections.join_next().await.is_some() {};
    end(&server, &stop, connections, closed).await;
    Ok(())
}

async fn serve_toru1<P: ToruPlugin>(plugin: P, path: PathBuf) -> PluginResult<()> {
    let (stop, stopping) = Stopping::new();
    let server = Server::new(plugin, Views::default(), stopping);
    let listener = toru1::bind(&path)?;
    let mut told = std::pin::pin!(told_to_end()?);
    let (says, mut said) = tokio::sync::mpsc::channel(1);
    let mut connections = JoinSet::new();
    systemd::notify("READY=1");
    let ended = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(toru1::serve(stream, Arc::clone(&server), says.clone()))),
                Err(error) => rest(&error).await,
            },
            Some(_) = connections.join_next() => {}
            Some(ended) = said.recv() => break ended,
            () = &mut told => break Ok(()),
        }
    };
    drop(listener);
    let _ = std::fs::remove_file(path);
    end(&server, &stop, connections, async |_: &mut JoinSet<()>| server.activity.quiet().await).await;
    ended
}

/// Lets what is under way come to its end, but not for ever.
async fn end<P: ToruPlugin>(
    server: &Server<P>,
    stop: &watch::Sender<bool>,
    mut connections: JoinSet<()>,
    answered: impl AsyncFnOnce(&mut JoinSet<()>),
) {
    systemd::notify("STOPPING=1");
    stop.send_replace(true);
    if timeout(TIME_TO_ANSWER, answered(&mut connections)).await.is_err() && server.activity.count() > 0 {
        log::warning(format!("{} requests were cut, to end in time", server.activity.count()));
    }
    connections.abort_all();
    let shut_down = async {
        server.activity.quiet().await;
        server.plugin().await.shutdown().await;
    };
    if timeout(TIME_TO_SHUT_DOWN, shut_down).await.is_err() {
        log::warning("the plugin took too long to shut down");
    }
}

/// SIGTERM from systemd, Ctrl-C from a terminal.
fn told_to_end() -> PluginResult<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    })
}

/// Out of file descriptors: trying again at once would only burn time.
async fn rest(error: &std::io::Error) {
    log::error(format!("a connection could not be accepted: {error}"));
    sleep(Duration::from_millis(100)).await;
}

/// Where the work is done, so that it stops when the work is stuck.
fn keep_the_watchdog_quiet() {
    if let Some(time) = systemd::watchdog() {
        tokio::spawn(async move {
            loop {
                systemd::notify("WATCHDOG=1");
                sleep(time / 3).await;
            }
        });
    }
}

/// How many requests are under way, and since when there is none.
pub(crate) struct Activity {
    count: AtomicUsize,
    rested_at: Mutex<Instant>,
    rested: tokio::sync::Notify,
}

/// As long as it is there, a request is under way.
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            rested_at: Mutex::new(Instant::now()),
            rested: tokio::sync::Notify::new(),
        })
    }

    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.count.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(self))
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns when none has been under way for so long; None: never.
    async fn idle_for(&self, time: Option<Duration>) {
        let Some(time) = time else { return std::future::pending().await };
        loop {
            let rested_at = *self.rested_at.lock().unwrap_or_else(PoisonError::into_inner);
            let left = if self.count() == 0 { time.saturating_sub(rested_at.elapsed()) } else { time };
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// Returns when none is under way.
    async fn quiet(&self) {
        loop {
            let rested = self.rested.notified();
            if self.count() == 0 {
                return;
            }
            rested.await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.0.rested_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            self.0.rested.notify_waiters();
        }
    }
}
