//! Work on a worker thread, under watch: what an upload is for, and the filter from a reader into a spool.

use std::io::{BufReader, BufWriter, Read};

use axum::body::Body;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::App;
use super::gate::{Place, Turn};
use super::spool::{Spool, Stored};
use super::upload::{Rules, UploadReader, bridge, time_limit};
use crate::error::{Code, Error, Result};
use crate::paillier::Filter;
use crate::pipeline;
use crate::watch::Watch;

/// How often small reads and writes are gathered before they reach the spool.
const BUFFER: usize = 64 << 10;

/// Rows done and rows in all.
pub(super) type Progress = (u64, u64);

/// Asked by the pipeline between rows: whether to go on, and told how far it is.
pub(super) struct Supervision {
    pub(super) cancel: CancellationToken,
    pub(super) deadline: Instant,
    pub(super) progress: Option<watch::Sender<Progress>>,
}

impl Watch for Supervision {
    fn progress(&self, done: u64, total: u64) {
        if let Some(progress) = &self.progress {
            progress.send_replace((done, total));
        }
    }

    fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            Err(Error::new(Code::Cancelled, "the work was cancelled"))
        } else if Instant::now() >= self.deadline {
            Err(time_limit())
        } else {
            Ok(())
        }
    }
}

/// Filters the images that the reader gives. On an error whatever was written is gone.
pub(super) fn filter(
    input: &mut (dyn Read + Send),
    spool: Spool,
    filter: &Filter,
    limits: &pipeline::Limits,
    watch: &dyn Watch,
) -> Result<Stored> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut output = BufWriter::with_capacity(BUFFER, spool);
    pipeline::run_filter(&mut input, &mut output, filter, limits, watch)?;
    output.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
}

/// Waits for its turn and works on an upload of at most `most` bytes while it arrives. When the client goes away this future
/// is dropped, and the work ends at its next look at its supervision.
pub(super) async fn on_upload<T: Send + 'static>(
    app: &App,
    place: &Place,
    body: Body,
    most: u64,
    work: impl FnOnce(UploadReader, &Supervision) -> Result<T> + Send + 'static,
) -> Result<T> {
    let turn = app.gate.turn(place).await?;
    let limits = app.settings.limits;
    let supervision =
        Supervision { cancel: CancellationToken::new(), deadline: Instant::now() + limits.time, progress: None };
    let client = supervision.cancel.clone().drop_guard();
    let rules = Rules { most, stall: limits.stall, deadline: supervision.deadline };
    let (upload, reader) = bridge(body, rules);
    let (uploaded, outcome) = tokio::join!(upload, run(turn, move || work(reader, &supervision)));
    uploaded?;
    client.disarm();
    outcome
}

/// Runs work on a worker thread. The turn is given on when the work has ended, even if nobody waits for it any more.
pub(super) async fn run<T: Send + 'static>(turn: Turn, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let worker = tokio::task::spawn_blocking(move || {
        let outcome = work();
        drop(turn);
        outcome
    });
    joined(worker.await)
}

/// A worker's panic as an error.
pub(super) fn joined<T>(outcome: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    outcome.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the server failed at this request; please report it")))
}
