//! Work on an upload, for every address that takes one: the direct form and the job form.
//!
//! In both forms, the upload is checked while it arrives, and stored; once complete, the work waits for its turn. In the direct
//! form, the answer is the result, and starts after everything has been checked. In the job form (`Prefer: respond-async`), it
//! is the address of a job.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::answer::{self, address};
use super::jobs::describe;
use super::upload::{Check, Checked, Rules, receive};
use crate::error::{Code, Error, Result};
use crate::server::app::App;
use crate::server::client::Client;
use crate::server::queue::admission::UploadSlot;
use crate::server::queue::jobs::State;
use crate::server::queue::task::{self, Outcome, Task};
use crate::server::queue::work::{Supervision, joined, run};
use crate::server::store::spool::{IN_MEMORY, SMALL, Stored};

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Receives the body of a request, at most `most` bytes, and carries out a task on it. `check` makes the check of the body from
/// its announced length, if there is one.
pub(super) async fn submit<C: Check>(
    app: &Arc<App>,
    client: Client,
    task: Task,
    request: Request,
    most: u64,
    check: impl FnOnce(Option<u64>) -> C,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let rules = Rules::new(&parts.headers, most, &app.settings.limits)?;
    let upload = Upload { client, body, rules, check: check(rules.announced) };
    if prefers_async(&parts.headers) {
        app.jobs.check_room(client)?;
        let (input, slot) = app.before_the_end(upload.receive(app)).await?;
        return start_job(app, client, task, input, slot);
    }
    let work = async {
        let (input, slot) = upload.receive(app).await?;
        work(app, client, task, input, slot).await
    };
    answer::direct(app.before_the_end(work).await?)
}

/// Whether the client asked for the job form (RFC 7240).
fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|preference| preference.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("respond-async"))
}

/// A request with a body to work on.
struct Upload<C> {
    client: Client,
    body: Body,
    rules: Rules,
    check: C,
}

impl<C: Check> Upload<C> {
    /// Receives the whole body. The upload keeps its slot until the work has a place in the queue, or is refused one.
    async fn receive(self, app: &App) -> Result<(Stored, UploadSlot)> {
        let Self { client, body, rules, check } = self;
        let slot = app.admission.upload(client)?;
        let start = Instant::now();
        let sink = Checked { check, spool: app.store.spools.spool(client, SMALL)? };
        let sink = receive(body, rules, sink).await?;
        app.admission.uploaded(start.elapsed());
        let stored = joined(tokio::task::spawn_blocking(move || sink.finish()).await)?;
        if stored.length() == 0 {
            let message = "the body is empty; send the bytes of the file, as in: curl --data-binary @photo.slt URL";
            return Err(Error::new(Code::Truncated, message));
        }
        Ok((stored, slot))
    }
}

/// Waits for a turn and works. When the client leaves, this future is dropped, and the work ends at its next check.
async fn work(app: &App, client: Client, task: Task, input: Stored, slot: UploadSlot) -> Result<Outcome> {
    let place = app.admission.enter(client)?;
    drop(slot);
    let turn = app.admission.turn(&place).await?;
    let supervision = Supervision {
        cancel: app.end.child_token(),
        deadline: Instant::now() + app.settings.limits.time,
        progress: None,
    };
    let present = supervision.cancel.clone().drop_guard();
    let store = Arc::clone(&app.store);
    // The work holds the turn and the place: if the client leaves, both are released when the work ends.
    let outcome = run((turn, place), move || {
        let output = store.spools.spool(client, IN_MEMORY)?;
        task::run(&store, &task, client, &input, output, &supervision)
    });
    let outcome = outcome.await;
    present.disarm();
    outcome
}

fn start_job(app: &Arc<App>, client: Client, task: Task, input: Stored, slot: UploadSlot) -> Result<Response> {
    let place = app.admission.enter(client)?;
    drop(slot);
    let store = Arc::clone(&app.store);
    let id = app.jobs.start(&app.admission, client, place, move |watch| {
        let output = store.spools.spool(client, SMALL)?;
        task::run(&store, &task, client, &input, output, watch)
    })?;
    let headers =
        [(header::LOCATION, address("jobs", &id)?), (PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"))];
    let status = describe(&State::Waiting, (0, 0));
    Ok((StatusCode::ACCEPTED, headers, Json(status)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        let prefers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PREFER, HeaderValue::from_static(value));
            }
            prefers_async(&headers)
        };
        assert!(prefers(&["respond-async"]));
        assert!(prefers(&["return=minimal, Respond-Async; foo=\"bar\""]));
        assert!(prefers(&["wait=10", "respond-async"]));
        assert!(!prefers(&[]));
        assert!(!prefers(&["respond-asynchronously", "return=respond-async"]));
    }
}
