//! The HTTP server: filters encrypted images, classifies pictures, and serves the page.
//!
//! It builds without the feature `client`, so nothing here can name a secret key.
//!
//! | address | purpose |
//! |---|---|
//! | `GET /v1` | describes the server's functions and limits |
//! | `POST /v1/filters/{name}` | filters the image in the body |
//! | `GET /v1/jobs/{id}` | a job's state and progress |
//! | `GET /v1/jobs/{id}/events` | the same as server-sent events, until the job ends |
//! | `GET /v1/jobs/{id}/result` | the job's result |
//! | `DELETE /v1/jobs/{id}` | cancels and deletes the job |
//! | `POST /v1/models` | trains a model on the labelled pictures in the body, or loads a model file |
//! | `GET`, `DELETE /v1/models/{id}` | describes a model; deletes it |
//! | `GET /v1/models/{id}/file` | the model's file |
//! | `POST /v1/classifiers/{id}` | classifies the picture in the body |
//! | `POST /v1/keys` | starts an upload of evaluation keys |
//! | `PATCH`, `HEAD /v1/keys/{id}` | receives the next piece; reports how many bytes have arrived |
//! | `GET`, `DELETE /v1/keys/{id}` | describes keys; deletes them |
//! | `GET /v1/health`, `GET /v1/openapi.json` | whether the server is up; a description of the interface |
//! | everything else | the page |
//! | the vault's host, all addresses | the vault |
//!
//! Filtering, training, loading a model and classifying have a job form: with `Prefer: respond-async`, the answer is the address
//! of a job.
//!
//! # The rooms
//! ```text
//! http     connections, checks, addresses: requests become tasks, outcomes become answers
//! app      the state that all requests share
//! queue    uploads, places and turns; tasks and what they do; jobs
//! store    files, models and keys, each on a shelf until it expires
//! shares   what each client takes of the limits
//! client   a client, as the limits see it
//! config   the operator's settings
//! ```
//! Imports only point down this list, and only `http` knows the protocol. `tests/rooms.rs` checks it.
//!
//! # The path of a request
//! ```text
//! connection ─► client ─► guard ─► routes ─► submit ─► upload (heads) ─► spool ─► queue ─► task ─► spool ─► answer
//!   (seats)                                  a slot                         a place, a turn
//! ```
//! A request for a foreign host, or from a web page of an origin that is not allowed, ends at the
//! [guard](Config::allow_origins). While an upload arrives, it only takes a slot: it is checked from its first bytes and
//! written to the spool. Once complete, the work takes a place in the queue, and clients take turns. A task, which is data, says
//! what the work does. A request for a job is answered at that point; a direct request is answered with the result.
//!
//! Uploads and results never pile up in memory: both are kept in unnamed temporary files, and the work holds a band of rows or
//! one picture. An answer starts after everything has been checked.
//!
//! Every resource is limited twice: for all clients together ([`Limits`], code `too_busy`) and for each network address
//! ([`ClientLimits`], code `quota_exceeded`). Announced data that has not arrived does not count.
//!
//! # Shutdown
//! On a signal to stop, the server refuses new work (`shutting_down`; `GET /v1/health` answers 503), finishes running and
//! waiting work, and gives clients time to fetch the results of their jobs. All of this takes at most [`Config::drain`].
//! Shortly before, requests that are not done are answered with `shutting_down`, and the rest is cut off.

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use self::app::App;
use self::http::{connection, routes, telemetry};
use self::queue::work::joined;
use self::store::models::Models;
use crate::error::{Code, Error, Result};
#[cfg(unix)]
use crate::signals;

mod app;
mod client;
mod config;
mod http;
mod queue;
mod shares;
mod store;

pub use config::{ClientLimits, Config, Limits, ProxyHeader};

/// How long before the end of [`Config::drain`] unfinished requests get an error; at most a quarter of that time.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves until a signal to stop (Ctrl-C or SIGTERM), then finishes running work within [`Config::drain`]. A second signal
/// stops at once. SIGHUP reloads the operator's models.
///
/// Prints `safelight: listening on http://ADDRESS` to standard output when it is ready, and logs to standard error at the level
/// of the environment variable `SAFELIGHT_LOG` (default `info`).
///
/// # Errors
/// `bad_argument` if the configuration is invalid, `io` if it cannot listen on the address, `cancelled` if a second signal cut
/// work short.
pub fn run(config: Config) -> Result<()> {
    telemetry::init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (reload, reloads) = mpsc::channel(1);
        // An error means that no signal can arrive any more, which also ends the server.
        let server = serve_with(config, announce, async { drop(stopped.await) }, reloads);
        let signalled = async {
            while signals.next().await == Signal::Reload {
                // If one message is already waiting, it is enough.
                let _ = reload.try_send(());
            }
            tracing::info!("stopping after running work is finished; a second signal stops at once");
            let _ = stop.send(());
            while signals.next().await == Signal::Reload {}
        };
        tokio::select! {
            outcome = server => outcome,
            () = signalled => Err(Error::new(Code::Cancelled, "stopped by a second signal; running work was cut off")),
        }
    });
    // Do not wait for worker threads that were cut short.
    runtime.shutdown_background();
    outcome
}

fn announce(address: SocketAddr) {
    let mut out = std::io::stdout().lock();
    // Standard output may be closed, which must not prevent serving.
    let _ = writeln!(out, "safelight: listening on http://{address}").and_then(|()| out.flush());
}

/// Serves until `shutdown` is ready, then finishes running work within [`Config::drain`] and returns. `ready` is called with
/// the address once connections are accepted. Must run in a Tokio runtime; dropping the future closes everything at once.
///
/// # Errors
/// `bad_argument` if the configuration is invalid, `io` if it cannot listen on the address.
pub async fn serve(config: Config, ready: impl FnOnce(SocketAddr), shutdown: impl Future<Output = ()>) -> Result<()> {
    serve_with(config, ready, shutdown, mpsc::channel(1).1).await
}

/// As [`serve`]; each message of `reloads` reloads the operator's models.
async fn serve_with(
    config: Config,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
    reloads: mpsc::Receiver<()>,
) -> Result<()> {
    let settings = config.check()?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        Error::new(Code::Io, format!("cannot listen on {}: {error}; choose another address", settings.listen))
    })?;
    let address = listener.local_addr()?;
    let app = Arc::new(App::new(settings)?);
    let router = routes::router(&app, address)?;
    let (close, closed) = oneshot::channel::<Instant>();
    let doors = {
        let app = Arc::clone(&app);
        async move {
            let closed = async { closed.await.unwrap_or_else(|_| Instant::now()) };
            connection::serve(listener, router, &app.settings.limits, &app.settings.proxies, closed).await
        }
    };
    let doors = AbortOnDropHandle::new(tokio::spawn(doors));
    let _reloading = AbortOnDropHandle::new(tokio::spawn(reload(Arc::clone(&app.store.models), reloads)));
    tracing::info!(%address, "listening");
    ready(address);
    shutdown.await;

    let drain = app.settings.drain;
    let end = Instant::now() + drain;
    app.drain(end, LAST_WORDS.min(drain / 4)).await;
    let (uploads, work) = app.admission.inside();
    let unfetched = app.jobs.unfetched();
    // Answer waiting and running requests with `shutting_down`.
    app.end.cancel();
    let _ = close.send(end);
    let connections = doors.await.unwrap_or_default();
    if uploads > 0 || work > 0 || connections > 0 {
        let message = "stopped at the end of the drain time; the rest was cut off";
        tracing::warn!(uploads, work, connections, unfetched, "{message}");
    } else if unfetched > 0 {
        tracing::warn!(unfetched, "stopped at the end of the drain time; unfetched results are lost");
    } else {
        tracing::info!("stopped");
    }
    Ok(())
}

/// Reloads the operator's models on every message. If any of them cannot be read, all stay as they were.
async fn reload(models: Arc<Models>, mut reloads: mpsc::Receiver<()>) {
    while reloads.recv().await.is_some() {
        let models = Arc::clone(&models);
        match joined(tokio::task::spawn_blocking(move || models.reload()).await) {
            Ok(count) => tracing::info!(models = count, "reloaded the operator's models"),
            Err(error) => {
                tracing::error!(reason = error.message(), "could not reload the operator's models; the old ones stay");
            }
        }
    }
}

/// The action that a signal requests.
#[derive(PartialEq, Eq)]
enum Signal {
    Stop,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal"))]
    Reload,
}

/// The signals that the server listens to.
struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Signals that were ignored at the start stay ignored, as for programs that a script runs in the background.
        let unless_ignored =
            |kind: SignalKind| (!signals::is_ignored(kind.as_raw_value())).then(|| signal(kind)).transpose();
        Ok(Self {
            terminate: unless_ignored(SignalKind::terminate())?,
            interrupt: unless_ignored(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Signal {
        async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => _ = signal.recv().await,
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = heard(&mut self.terminate) => Signal::Stop,
            () = heard(&mut self.interrupt) => Signal::Stop,
            _ = self.hangup.recv() => Signal::Reload,
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn new() -> Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Stop
    }
}
