//! `POST /v1/filters/{name}`: the direct form and the job form.
//!
//! In both forms, the headers of the images are checked while they arrive, and the upload is stored; once complete, the work
//! waits for its turn. In the direct form, the answer is the result, and starts after everything has been checked. In the job
//! form (`Prefer: respond-async`), it is the address of a job.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::client::Client;
use super::heads::Images;
use super::job_routes::{StatusJson, image};
use super::problem::after_upload;
use super::spool::{IN_MEMORY, SMALL};
use super::upload::check_content;
use super::work::{self, Upload};
use super::{App, capability, jobs};
use crate::error::{Code, Error, Result};
use crate::schemes::paillier::Filter;

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Filters the image in the body.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    client: Client,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    after_upload(answer(&app, client, name, request).await)
}

async fn answer(
    app: &Arc<App>,
    client: Client,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response> {
    let filter = parse(name, request.uri())?;
    check_content(request.headers(), false)?;
    let as_job = prefers_async(request.headers());
    let (parts, body) = request.into_parts();
    let check = |_| Images::new(filter.clone(), app.settings.limits.image);
    let upload = Upload::new(app, client, (&parts.headers, body), longest_body(app, &filter), check)?;
    if as_job { start_job(app, filter, upload).await } else { direct(app, filter, upload).await }
}

/// The limit is for one image; a filter of two takes two.
fn longest_body(app: &App, filter: &Filter) -> u64 {
    app.settings.limits.image.max_bytes.saturating_mul(filter.inputs() as u64)
}

fn parse(name: Result<Path<String>, PathRejection>, uri: &Uri) -> Result<Filter> {
    let Path(name) = name.map_err(|_| Error::new(Code::UnknownFilter, "the filter's name is not UTF-8"))?;
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Error::new(Code::BadArgument, "the query must be of the form name=value&name=value"))?;
    Filter::parse(&name, &parameters)
}

/// Whether the client asked for the job form (RFC 7240).
fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|preference| preference.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("respond-async"))
}

async fn direct(app: &Arc<App>, filter: Filter, upload: Upload<Images>) -> Result<Response> {
    let limits = app.settings.limits.image;
    let spool = app.store.spool(upload.client, IN_MEMORY)?;
    let stored =
        upload.work(app, move |uploaded, watch| work::filter(&mut uploaded.reader(), spool, &filter, &limits, watch));
    let stored = Arc::new(stored.await?);
    Ok(image(&stored, None, (), |()| ()))
}

async fn start_job(app: &Arc<App>, filter: Filter, upload: Upload<Images>) -> Result<Response> {
    let client = upload.client;
    app.jobs.check_room(client)?;
    let limits = app.settings.limits;
    let (uploaded, slot) = work::before_the_end(app, upload.receive(app)).await?;
    let place = app.admission.enter(client)?;
    drop(slot);
    let store = Arc::clone(&app.store);
    let id = app.jobs.start(&app.admission, client, place, limits.time, move |watch| {
        let spool = store.spool(client, SMALL)?;
        work::filter(&mut uploaded.reader(), spool, &filter, &limits.image, watch)
    })?;
    let headers = [
        (header::LOCATION, capability::address("jobs", &id)?),
        (PREFERENCE_APPLIED, HeaderValue::from_static("respond-async")),
    ];
    let status = StatusJson::new(&jobs::State::Waiting, (0, 0));
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
