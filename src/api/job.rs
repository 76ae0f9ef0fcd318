//! Jobs: `GET /v1/jobs/{id}`.

use serde::Deserialize;

use super::Problem;

/// The state of a job.
#[derive(Debug, Deserialize)]
pub struct JobStatus {
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    /// How much of the work is done, of `total`; both are 0 if the server does not know.
    #[serde(default)]
    pub done: u64,
    /// The total.
    #[serde(default)]
    pub total: u64,
    /// Why it failed.
    pub error: Option<Problem>,
}
