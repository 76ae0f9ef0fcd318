//! The HTTP server: filters encrypted images, keeps jobs, and serves the page.
//!
//! It is built and tested without the feature `client`, so nothing here can name a secret key.
//!
//! | address | what it does |
//! |---|---|
//! | `GET /v1` | what the server can do and its limits |
//! | `POST /v1/filters/{name}` | filters the image in the body; with `Prefer: respond-async` as a job |
//! | `GET /v1/jobs/{id}` | where a job stands |
//! | `GET /v1/jobs/{id}/events` | the same as server-sent events, up to the job's end |
//! | `GET /v1/jobs/{id}/result` | the job's result |
//! | `DELETE /v1/jobs/{id}` | cancels and deletes the job |
//! | `POST /v1/models` | makes a model of the labelled pictures in the body, or takes in a model file |
//! | `GET`, `DELETE /v1/models/{id}` | what a model is; forgets it |
//! | `GET /v1/models/{id}/file` | the model's file |
//! | `POST /v1/classifiers/{id}` | says what the picture in the body shows |
//! | `POST /v1/keys` | begins an upload of evaluation keys |
//! | `PATCH`, `HEAD /v1/keys/{id}` | takes the next piece; says how many bytes are there |
//! | `GET`, `DELETE /v1/keys/{id}` | what keys there are; deletes them |
//! | `GET /v1/health`, `GET /v1/openapi.json` | whether the server is up; the interface described for programs |
//! | everything else | the page |
//! | the vault's host, all addresses | the vault |
//!
//! # The way of a request
//! ```text
//! connection ─► routes ─► filters ─► gate ─► upload ─► work (a worker thread) ─► spool ─► answer
//!                            └─ job form: upload ─► spool ─► jobs ─► gate ─► work ─► spool ─► job_routes ─► answer
//! ```
//! Uploads and results never pile up in memory: pieces of an upload go through a short channel to the worker, which
//! holds a band of rows or one picture, and results lie in unnamed temporary files. An answer starts when everything has been checked.
//!
//! # The end
//! When told to stop, the server refuses new work (`shutting_down`), finishes what runs and waits, and gives clients
//! [`Config::drain`] to fetch the results of their jobs. Then it closes.

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::error::{Code, Error, Result};

mod capability;
mod config;
mod connection;
mod filters;
mod gate;
mod job_routes;
mod jobs;
mod key_routes;
mod keys;
mod model_routes;
mod models;
mod openapi;
mod page;
mod problem;
mod rings;
mod routes;
mod spool;
mod telemetry;
mod upload;
mod vault;
mod work;

pub use config::{Config, Limits};

/// How often a stopping server looks whether it is done.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// What all requests share.
struct App {
    settings: config::Settings,
    gate: Arc<gate::Gate>,
    jobs: Arc<jobs::Jobs>,
    models: Arc<models::Models>,
    keys: Arc<keys::Keys>,
    vault: Option<vault::Vault>,
}

/// Serves until the process is told to stop (Ctrl-C or SIGTERM), and finishes running work then. A second signal stops
/// at once.
///
/// Prints `safelight: listening on http://ADDRESS` on standard output when it is ready, and logs to standard error as
/// the environment variable `SAFELIGHT_LOG` says (default `info`).
///
/// # Errors
/// `bad_argument` if the configuration makes no sense, `io` if the address cannot be listened on, `cancelled` if a
/// second signal cut work short.
pub fn run(config: Config) -> Result<()> {
    telemetry::init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = serve(config, announce, async {
            // An error means that nobody will tell any more, which is an end as well.
            let _ = stopped.await;
        });
        let signalled = async {
            signals.next().await;
            tracing::info!("stopping; running work is finished first, a second signal stops at once");
            let _ = stop.send(());
            signals.next().await;
        };
        tokio::select! {
            outcome = server => outcome,
            () = signalled => Err(Error::new(Code::Cancelled, "stopped by a second signal; running work was cut short")),
        }
    });
    // Worker threads that were cut short are not waited for.
    runtime.shutdown_background();
    outcome
}

fn announce(address: SocketAddr) {
    let mut out = std::io::stdout().lock();
    // Nobody may be listening there, which is no reason not to serve.
    let _ = writeln!(out, "safelight: listening on http://{address}").and_then(|()| out.flush());
}

/// Serves until `shutdown` is ready, then finishes running work and returns. `ready` is called with the address when
/// connections are accepted. Must run in a Tokio runtime; dropping the future closes everything at once.
///
/// # Errors
/// `bad_argument` if the configuration makes no sense, `io` if the address cannot be listened on.
pub async fn serve(config: Config, ready: impl FnOnce(SocketAddr), shutdown: impl Future<Output = ()>) -> Result<()> {
    let settings = config.check()?;
    let limits = settings.limits;
    let drain = settings.drain;
    let models =
        models::Models::new(settings.models.as_deref(), limits.models, limits.model_bytes, limits.keep_models)?;
    let rules = keys::Rules {
        most: limits.keys,
        most_bytes: limits.key_bytes,
        keep: limits.keep_keys,
        rest: limits.keep_uploads,
    };
    let keys = Arc::new(keys::Keys::new(settings.keys.as_deref(), &settings.spool, rules)?);
    keys.watch_all();
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        Error::new(Code::Io, format!("cannot listen on {}: {error}; choose another address", settings.listen))
    })?;
    let address = listener.local_addr()?;
    let vault = settings.vault.as_ref().map(|vault| vault::Vault::new(vault, address)).transpose()?;
    let app = Arc::new(App {
        vault,
        gate: Arc::new(gate::Gate::new(limits.running, limits.waiting)),
        jobs: Arc::new(jobs::Jobs::new(limits.jobs, limits.stored_bytes, limits.keep_results)),
        models: Arc::new(models),
        keys,
        settings,
    });
    let router = routes::router(&app)?;
    let (close, closed) = oneshot::channel::<()>();
    let closed = async {
        let _ = closed.await;
    };
    let doors = connection::serve(listener, router, limits.connections, limits.stall, closed, drain);
    let doors = AbortOnDropHandle::new(tokio::spawn(doors));
    tracing::info!(%address, "listening");
    ready(address);
    shutdown.await;

    app.gate.close();
    while !app.gate.is_empty() {
        sleep(DRAIN_STEP).await;
    }
    let until = Instant::now() + drain;
    while !app.jobs.all_settled() && Instant::now() < until {
        sleep(DRAIN_STEP).await;
    }
    let _ = close.send(());
    let _ = doors.await;
    tracing::info!("stopped");
    Ok(())
}

/// The signals that ask a server to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn new() -> Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
