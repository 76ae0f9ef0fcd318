//! `POST /v1/filters/{name}`: the direct form and the job form.
//!
//! In the direct form the rows are filtered while they arrive, and the answer starts when the whole upload has been
//! checked: a fault at its very end still gets a clean error, and a client that reads nothing while it sends cannot
//! block the server. In the job form (`Prefer: respond-async`) the upload is stored, and the work starts when it is the
//! job's turn.

use std::io::{self, BufWriter};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use super::config::Limits;
use super::gate::Place;
use super::job_routes::{StatusJson, image};
use super::problem::after_upload;
use super::spool::{IN_MEMORY, Spool};
use super::upload::{Rules, bridge, check_announced};
use super::work;
use super::{App, capability, jobs};
use crate::error::{Code, Error, Result};
use crate::paillier::Filter;

pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");
pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Filters the image in the body.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    after_upload(answer(&app, name, request).await)
}

async fn answer(app: &Arc<App>, name: Result<Path<String>, PathRejection>, request: Request) -> Result<Response> {
    let filter = parse(name, request.uri())?;
    check_announced(request.headers(), longest_body(app, &filter))?;
    let place = app.gate.enter()?;
    if prefers_async(request.headers()) {
        as_job(app, filter, request.into_body(), place).await
    } else {
        direct(app, filter, request.into_body(), place).await
    }
}

/// The limit is for one image; a filter of two takes two.
fn longest_body(app: &App, filter: &Filter) -> u64 {
    app.settings.limits.image.max_bytes.saturating_mul(filter.inputs() as u64)
}

fn parse(name: Result<Path<String>, PathRejection>, uri: &Uri) -> Result<Filter> {
    let Path(name) = name.map_err(|_| Error::new(Code::UnknownFilter, "the filter's name is not text"))?;
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

async fn direct(app: &Arc<App>, filter: Filter, body: Body, place: Place) -> Result<Response> {
    let limits = app.settings.limits.image;
    let spool = Spool::new(&app.settings.spool, IN_MEMORY, None);
    let most = longest_body(app, &filter);
    let stored = work::on_upload(app, &place, body, most, move |mut reader, supervision| {
        work::filter(&mut reader, spool, &filter, &limits, supervision)
    });
    let stored = stored.await?;
    // The place is free again when the answer has been taken, which bounds the answers in waiting.
    Ok(image(&Arc::new(stored), place, |_| ()))
}

async fn as_job(app: &Arc<App>, filter: Filter, body: Body, place: Place) -> Result<Response> {
    app.jobs.check_room()?;
    let limits = app.settings.limits;
    let rules = Rules {
        most: longest_body(app, &filter),
        stall: limits.stall,
        deadline: Instant::now() + Limits::LONGEST_TRANSFER,
    };
    let (upload, mut reader) = bridge(body, rules);
    let mut spool = BufWriter::with_capacity(1 << 16, Spool::new(&app.settings.spool, 0, Some(app.jobs.quota())));
    let copy = tokio::task::spawn_blocking(move || {
        io::copy(&mut reader, &mut spool)?;
        spool.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    });
    let (uploaded, copied) = tokio::join!(upload, copy);
    uploaded?;
    let stored = work::joined(copied)?;
    let house = Arc::clone(app);
    let id = app.jobs.start(&app.gate, place, limits.time, move |watch| {
        let spool = Spool::new(&house.settings.spool, 0, Some(house.jobs.quota()));
        work::filter(&mut stored.reader(), spool, &filter, &limits.image, watch)
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
