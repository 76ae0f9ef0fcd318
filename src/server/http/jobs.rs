//! `/v1/jobs/{id}`: a job's state, events, result and deletion.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};

use super::answer::whole_or_part;
use super::problem::{self, Problem};
use super::range;
use crate::api::{JobState, JobStatus};
use crate::error::Result;
use crate::server::app::App;
use crate::server::queue::jobs::{Job, State as Stage};
use crate::server::queue::work::Progress;
use crate::server::store::capability::Id;

/// Shortest time between two progress events.
const PACE: Duration = Duration::from_millis(200);

/// Describes a job for its client.
pub(super) fn describe(stage: &Stage, (done, total): Progress) -> JobStatus {
    let (state, error) = match stage {
        Stage::Waiting => (JobState::Waiting, None),
        Stage::Running => (JobState::Running, None),
        Stage::Done => (JobState::Done, None),
        Stage::Failed(error) => (JobState::Failed, Some(problem::describe(error))),
    };
    JobStatus { state, done, total, error }
}

/// The job's state.
pub(super) async fn status(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let job = app.jobs.get(&id)?;
    let state = job.state();
    if matches!(state, Stage::Failed(_)) {
        job.settle();
    }
    Ok(Json(describe(&state, job.progress())).into_response())
}

/// The job's progress as server-sent events, until it ends.
pub(super) async fn events(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let job = app.jobs.get(&id)?;
    // Some proxies buffer answers without this header field.
    let headers = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    Ok((headers, Sse::new(story(job)).keep_alive(KeepAlive::default())).into_response())
}

/// One step of a job's events.
enum Step {
    /// Report the current state.
    Now,
    /// Report the state once it has changed.
    After(Stage, Progress),
    /// Report how the job ended.
    Ended(Stage, Progress),
    Over,
}

fn story(job: Arc<Job>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((job, Step::Now), |(job, step)| async move {
        let event = match step {
            Step::Over => return None,
            Step::Ended(state, progress) => {
                let (name, data) = match &state {
                    Stage::Failed(error) => {
                        job.settle();
                        ("failed", serde_json::to_string(&problem::describe(error)))
                    }
                    _ => ("done", serde_json::to_string(&describe(&state, progress))),
                };
                let event = Event::default().event(name).data(data.unwrap_or_default());
                return Some((Ok(event), (job, Step::Over)));
            }
            Step::After(state, progress) => {
                tokio::time::sleep(PACE).await;
                job.news(&state, progress).await;
                progress_event(&job)
            }
            Step::Now => progress_event(&job),
        };
        let (event, state, progress) = event;
        let next = if state.is_final() { Step::Ended(state, progress) } else { Step::After(state, progress) };
        Some((Ok(event), (job, next)))
    })
}

fn progress_event(job: &Job) -> (Event, Stage, Progress) {
    let (state, progress) = (job.state(), job.progress());
    let data = serde_json::to_string(&describe(&state, progress)).unwrap_or_default();
    (Event::default().event("progress").data(data), state, progress)
}

/// The job's result, or the requested part of it.
pub(super) async fn result(State(app): State<Arc<App>>, id: Id, headers: HeaderMap) -> Result<Response, Problem> {
    let job = app.jobs.get(&id)?;
    let outcome = match job.result() {
        Ok(outcome) => outcome,
        Err(error) => {
            if job.state().is_final() {
                job.settle();
            }
            return Err(error.into());
        }
    };
    let (tag, length) = (outcome.body.tag(), outcome.body.length());
    if range::is_known(&headers, tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag.to_owned())]).into_response());
    }
    let mut response = match range::wanted(&headers, length, tag) {
        Ok(range) => whole_or_part(&outcome, range, job, |job| job.settle())?,
        Err(error) => {
            let mut response = Problem::from(error).into_response();
            if let Ok(value) = format!("bytes */{length}").try_into() {
                response.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            response
        }
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(tag) = tag.try_into() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Cancels and deletes the job.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.jobs.delete(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
