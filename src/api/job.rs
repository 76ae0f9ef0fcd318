//! Jobs: `GET /v1/jobs/{id}`.

use serde::{Deserialize, Serialize};

use super::Problem;

/// How far a job is.
#[derive(Debug, Deserialize, Serialize)]
pub struct JobStatus {
    /// Its state.
    pub state: JobState,
    /// How much of the work is done, of `total`; both are 0 if the server does not know.
    #[serde(default)]
    pub done: u64,
    /// The total.
    #[serde(default)]
    pub total: u64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits for its turn.
    Waiting,
    /// It is being worked on.
    Running,
    /// Its result can be fetched.
    Done,
    /// It has failed.
    Failed,
    /// Another state on the way to one of these.
    #[serde(other, skip_serializing)]
    Other,
}
