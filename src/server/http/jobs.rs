//! `/v1/jobs/{id}`: a job's state, events, result and deletion.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use serde::Serialize;

use super::App;
use super::capability::{Id, text};
use super::jobs::{self, Job};
use super::problem::{Details, Problem};
use super::range;
use super::spool::Stored;
use super::work::Progress;
use crate::error::Result;
use crate::wire;

/// Shortest time between two progress events.
const PACE: Duration = Duration::from_millis(200);

/// A job's state, as JSON.
#[derive(Serialize)]
pub(super) struct StatusJson {
    state: &'static str,
    done: u64,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Details>,
}

impl StatusJson {
    pub(super) fn new(state: &jobs::State, (done, total): Progress) -> Self {
        let (state, error) = match state {
            jobs::State::Waiting => ("waiting", None),
            jobs::State::Running => ("running", None),
            jobs::State::Done => ("done", None),
            jobs::State::Failed(error) => ("failed", Some(Details::new(error))),
        };
        Self { state, done, total, error }
    }
}

/// An encrypted image, or a range of its bytes, as an answer. For `holder` and `at_end` see [`Stored::body`].
pub(super) fn image<H: Send + 'static>(
    stored: &Arc<Stored>,
    range: Option<Range<u64>>,
    holder: H,
    at_end: fn(&H),
) -> Response {
    let whole = 0..stored.length();
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let part = range.clone().unwrap_or(whole);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(wire::MEDIA_TYPE)),
        (header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start)),
    ];
    let mut response = (status, headers, Arc::clone(stored).body(part, holder, at_end)).into_response();
    if let Some(range) = range
        && let Ok(value) = format!("bytes {}-{}/{}", range.start, range.end - 1, stored.length()).try_into()
    {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

fn find(app: &App, id: Id) -> Result<Arc<Job>> {
    app.jobs.get(&text(id))
}

/// The job's state.
pub(super) async fn status(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let job = find(&app, id)?;
    let state = job.state();
    if matches!(state, jobs::State::Failed(_)) {
        job.settle();
    }
    Ok(Json(StatusJson::new(&state, job.progress())).into_response())
}

/// The job's progress as server-sent events, until it ends.
pub(super) async fn events(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let job = find(&app, id)?;
    // Some proxies buffer answers unless told not to.
    let headers = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    Ok((headers, Sse::new(story(job)).keep_alive(KeepAlive::default())).into_response())
}

/// One step of a job's events.
enum Step {
    /// Report the current state.
    Now,
    /// Report the state once it has changed.
    After(jobs::State, Progress),
    /// Report how the job ended.
    Ended(jobs::State, Progress),
    Over,
}

fn story(job: Arc<Job>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((job, Step::Now), |(job, step)| async move {
        let event = match step {
            Step::Over => return None,
            Step::Ended(state, progress) => {
                let (name, data) = match &state {
                    jobs::State::Failed(error) => {
                        job.settle();
                        ("failed", serde_json::to_string(&Details::new(error)))
                    }
                    _ => ("done", serde_json::to_string(&StatusJson::new(&state, progress))),
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

fn progress_event(job: &Job) -> (Event, jobs::State, Progress) {
    let (state, progress) = (job.state(), job.progress());
    let data = serde_json::to_string(&StatusJson::new(&state, progress)).unwrap_or_default();
    (Event::default().event("progress").data(data), state, progress)
}

/// The job's result, or the requested part of it.
pub(super) async fn result(State(app): State<Arc<App>>, id: Id, headers: HeaderMap) -> Result<Response, Problem> {
    let job = find(&app, id)?;
    let stored = match job.result() {
        Ok(stored) => stored,
        Err(error) => {
            if job.state().is_final() {
                job.settle();
            }
            return Err(error.into());
        }
    };
    if range::is_known(&headers, stored.tag()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, stored.tag().to_owned())]).into_response());
    }
    let length = stored.length();
    let mut response = match range::wanted(&headers, length, stored.tag()) {
        Ok(range) => image(&stored, range, job, |job| job.settle()),
        Err(error) => {
            let mut response = Problem::from(error).into_response();
            if let Ok(value) = format!("bytes */{length}").try_into() {
                response.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            response
        }
    };
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(tag) = stored.tag().try_into() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Cancels and deletes the job.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.jobs.delete(&text(id))?;
    Ok(StatusCode::NO_CONTENT)
}
