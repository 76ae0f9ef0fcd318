//! Work on a worker thread, under supervision.

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{QueueSlot, WorkSlot};
use crate::error::{Code, Error, Result};
use crate::watch::Watch;

/// Finished steps and total steps.
pub(in crate::server) type Progress = (u64, u64);

/// Called by the work between its steps: decides whether to go on, and records the progress.
pub(in crate::server) struct Supervision {
    pub(in crate::server) cancel: CancellationToken,
    pub(in crate::server) deadline: Instant,
    pub(in crate::server) progress: Option<watch::Sender<Progress>>,
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

/// The error for work or an upload that takes too long.
pub(in crate::server) fn time_limit() -> Error {
    Error::new(Code::TimeLimit, "this took longer than the server allows; use a smaller image or a faster connection")
}

/// The error for a bug.
pub(in crate::server) fn internal() -> Error {
    Error::new(Code::Internal, "the server failed to handle this request; please report it")
}

/// A worker's panic as an error.
pub(in crate::server) fn joined<T>(outcome: Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    outcome.unwrap_or_else(|_| Err(internal()))
}

/// Runs work on a worker thread. What it holds is released when the work has ended, even if no one waits for it any more.
pub(in crate::server) async fn run<T, H>(holds: H, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    H: Holds,
{
    let worker = tokio::task::spawn_blocking(move || {
        let outcome = work();
        drop(holds);
        outcome
    });
    joined(worker.await)
}

/// A right to run.
pub(in crate::server) trait Holds: Send + 'static {}
impl Holds for WorkSlot {}
impl Holds for (WorkSlot, QueueSlot) {}
