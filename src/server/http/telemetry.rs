//! The log: one line per request. Jobs write a line of their own when their work ends.
//!
//! A line names the route's template, never the address itself, so that it contains no job id, file name or query value.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Body as _;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::body::{self, Companion};
use super::problem::AnsweredCode;
use crate::error::{Code, Error, Result};

/// The environment variable with the log level, such as `info`, `warn` or `off`.
pub(super) const VARIABLE: &str = "SAFELIGHT_LOG";

/// Sends the log to standard error. Only this crate's lines are written: at their most detailed levels, its libraries could log
/// addresses.
pub(in crate::server) fn init() -> Result<()> {
    let level = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var(VARIABLE)
        .try_from_env()
        .or_else(|error| if std::env::var_os(VARIABLE).is_none() { Ok(EnvFilter::new("info")) } else { Err(error) })
        .map_err(|_| Error::new(Code::BadArgument, format!("{VARIABLE} must be error, warn, info, debug or off")))?;
    let ours = filter_fn(|metadata| metadata.target().starts_with(env!("CARGO_CRATE_NAME")));
    // A program that already logs keeps its own logger.
    let _ = tracing_subscriber::registry()
        .with(level)
        .with(ours)
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()))
        .try_init();
    Ok(())
}

/// Logs each request when its answer has been sent, or when the client has gone.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let received = Arc::new(AtomicU64::new(0));
    let mut line = Line {
        method: known(request.method()),
        route: request.extensions().get::<MatchedPath>().map_or_else(|| "page".into(), |path| path.as_str().into()),
        status: None,
        code: "ok",
        received: Arc::clone(&received),
        sent: 0,
        left: None,
        start: Instant::now(),
    };
    let request = request.map(|body| body::with(body, Received(received)));
    let response = next.run(request).await;
    line.status = Some(response.status().as_u16());
    line.code = response.extensions().get().map_or("ok", |AnsweredCode(code)| code.as_str());
    let announced =
        response.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    response.map(|body| {
        // The answer to HEAD is sent without its body.
        line.left = if line.method == "HEAD" { Some(0) } else { body.size_hint().exact().or(announced) };
        body::with(body, line)
    })
}

/// One request's line, written when it is dropped.
struct Line {
    method: &'static str,
    route: String,
    /// `None` if the client left before the answer.
    status: Option<u16>,
    code: &'static str,
    received: Arc<AtomicU64>,
    sent: u64,
    /// The number of bytes of the answer that have not been sent; `None` while that is unknown.
    left: Option<u64>,
    start: Instant,
}

impl Line {
    fn code(&self) -> &'static str {
        match (self.status, self.left) {
            (None, _) => "client_gone",
            // The client left or stopped receiving, or the server ended.
            (_, Some(1..)) => "cut_short",
            _ => self.code,
        }
    }
}

/// Counts the bytes of a request.
struct Received(Arc<AtomicU64>);

impl Companion for Received {
    fn passed(&mut self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Companion for Line {
    fn passed(&mut self, bytes: u64) {
        self.sent += bytes;
        self.left = self.left.map(|left| left.saturating_sub(bytes));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        tracing::info!(
            method = self.method,
            route = self.route,
            status = self.status,
            code = self.code(),
            received = self.received.load(Ordering::Relaxed),
            sent = self.sent,
            ms = milliseconds(self.start.elapsed()),
            "request"
        );
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Unknown methods could be anything, so they are not repeated.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
