//! Work on a worker thread, under watch: first the whole upload, then a turn, then the work.

use std::io::{BufReader, BufWriter, Read};

use axum::body::Body;
use axum::http::HeaderMap;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::App;
use super::admission::{UploadSlot, WorkSlot};
use super::client::Client;
use super::problem::joined;
use super::spool::{SMALL, Spool, Stored};
use super::upload::{Check, Checked, Rules, receive, time_limit};
use crate::error::{Code, Error, Result};
use crate::schemes::paillier::Filter;
use crate::schemes::paillier::stream;
use crate::watch::Watch;

/// The buffer for small reads and writes of the spool, in bytes.
const BUFFER: usize = 64 << 10;

/// Finished rows and total rows.
pub(super) type Progress = (u64, u64);

/// Called by the pipeline between rows: decides whether to go on, and records the progress.
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

/// Filters the images from the reader. On an error, everything written is dropped.
pub(super) fn filter(
    input: &mut (dyn Read + Send),
    spool: Spool,
    filter: &Filter,
    limits: &stream::Limits,
    watch: &dyn Watch,
) -> Result<Stored> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut output = BufWriter::with_capacity(BUFFER, spool);
    stream::run_filter(&mut input, &mut output, filter, limits, watch)?;
    output.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
}

/// A request with a body to work on.
pub(super) struct Upload<C> {
    pub(super) client: Client,
    pub(super) body: Body,
    pub(super) rules: Rules,
    pub(super) check: C,
}

impl<C: Check> Upload<C> {
    /// An upload of at most `most` bytes. `check` is created for the announced length, if any.
    ///
    /// # Errors
    /// [`Code::TooLarge`] if more was announced.
    pub(super) fn new(
        app: &App,
        client: Client,
        (headers, body): (&HeaderMap, Body),
        most: u64,
        check: impl FnOnce(Option<u64>) -> C,
    ) -> Result<Self> {
        let rules = Rules::new(headers, most, &app.settings.limits)?;
        Ok(Self { client, body, rules, check: check(rules.announced) })
    }

    /// Receives all of it. It keeps its slot until the work has a place in the queue, or is refused one.
    pub(super) async fn receive(self, app: &App) -> Result<(Stored, UploadSlot)> {
        let Self { client, body, rules, check } = self;
        let slot = app.admission.upload(client)?;
        let start = Instant::now();
        let sink = Checked { check, spool: app.store.spool(client, SMALL)? };
        let sink = receive(body, rules, sink).await?;
        app.admission.uploaded(start.elapsed());
        let stored = joined(tokio::task::spawn_blocking(move || sink.finish()).await)?;
        if stored.length() == 0 {
            let message = "the body is empty; send the bytes of the file, as in: curl --data-binary @photo.slt URL";
            return Err(Error::new(Code::Truncated, message));
        }
        Ok((stored, slot))
    }

    /// Receives all of it, waits for its turn and works on it. When the client leaves, this future is dropped, and the work
    /// ends at its next check.
    ///
    /// # Errors
    /// [`Code::ShuttingDown`] if the server stops first; those of receiving and of the work.
    pub(super) async fn work<T: Send + 'static>(
        self,
        app: &App,
        work: impl FnOnce(&Stored, &Supervision) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        before_the_end(app, self.work_undisturbed(app, work)).await
    }

    async fn work_undisturbed<T: Send + 'static>(
        self,
        app: &App,
        work: impl FnOnce(&Stored, &Supervision) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let client = self.client;
        let (stored, slot) = self.receive(app).await?;
        let place = app.admission.enter(client)?;
        drop(slot);
        let turn = app.admission.turn(&place).await?;
        let supervision = Supervision {
            cancel: app.end.child_token(),
            deadline: Instant::now() + app.settings.limits.time,
            progress: None,
        };
        let client = supervision.cancel.clone().drop_guard();
        // The place belongs to the work: if the client leaves, both end when the work does.
        let outcome = run((turn, place), move || work(&stored, &supervision)).await;
        client.disarm();
        outcome
    }
}

/// The outcome of a request, unless the server stops first; then the request is dropped, as if its client had left.
///
/// # Errors
/// [`Code::ShuttingDown`], and those of the request.
pub(super) async fn before_the_end<T>(app: &App, request: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        outcome = request => match outcome {
            Err(error) if error.kind() == Code::Cancelled && app.end.is_cancelled() => Err(app.admission.shutting_down()),
            outcome => outcome,
        },
        () = app.end.cancelled() => Err(app.admission.shutting_down()),
    }
}

/// Runs work on a worker thread. What it holds is released when the work has ended, even if no one waits for it any more.
pub(super) async fn run<T, H>(holds: H, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T>
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
pub(super) trait Holds: Send + 'static {}
impl Holds for WorkSlot {}
impl Holds for (WorkSlot, super::admission::QueueSlot) {}
