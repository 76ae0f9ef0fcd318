//! One piece of work on a worker thread: the filter from a reader into a spool, under watch.

use std::io::{BufReader, BufWriter, Read};

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::gate::Turn;
use super::spool::{Spool, Stored};
use super::upload::time_limit;
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
