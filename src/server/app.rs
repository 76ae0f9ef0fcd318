//! The state shared by all requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::config::Settings;
use super::queue::admission::Admission;
use super::queue::jobs::Jobs;
use super::store::Store;
use crate::error::{Code, Result};

/// How often a stopping server checks whether it is done.
const DRAIN_STEP: Duration = Duration::from_millis(20);

pub(super) struct App {
    pub(super) settings: Settings,
    pub(super) admission: Arc<Admission>,
    pub(super) store: Arc<Store>,
    pub(super) jobs: Jobs,
    /// Cancelled when the time to stop is over: all work ends.
    pub(super) end: CancellationToken,
}

impl App {
    /// Must run in the runtime.
    pub(super) fn new(settings: Settings) -> Result<Self> {
        let end = CancellationToken::new();
        Ok(Self {
            admission: Arc::new(Admission::new(&settings.limits)),
            store: Arc::new(Store::new(&settings)?),
            jobs: Jobs::new(&settings.limits, end.clone()),
            settings,
            end,
        })
    }

    /// The outcome of a request, unless the server stops first; then the request is dropped, as if its client had left.
    ///
    /// # Errors
    /// [`Code::ShuttingDown`], and those of the request.
    pub(super) async fn before_the_end<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            outcome = request => match outcome {
                Err(error) if error.kind() == Code::Cancelled && self.end.is_cancelled() => {
                    Err(self.admission.shutting_down())
                }
                outcome => outcome,
            },
            () = self.end.cancelled() => Err(self.admission.shutting_down()),
        }
    }

    /// Refuses new work. Waits until no work is left and all results are fetched, but stops waiting when only `before`
    /// is left until `end`.
    pub(super) async fn drain(&self, end: Instant, before: Duration) {
        self.admission.close(end);
        while Instant::now() + before < end && (self.admission.inside() != (0, 0) || !self.jobs.all_settled()) {
            sleep(DRAIN_STEP).await;
        }
    }
}
