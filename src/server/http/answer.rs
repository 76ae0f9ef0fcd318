//! Results of work as answers.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::Instant;

use crate::error::{Code, Error, Result};
use crate::server::config::Limits;
use crate::server::queue::task::Outcome;
use crate::server::store::capability::Id;

/// The address of the resource with this id.
pub(super) fn address(folder: &str, id: &Id) -> Result<HeaderValue> {
    HeaderValue::try_from(format!("/v1/{folder}/{}", id.as_str()))
        .map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// The result of a request that waited for it.
pub(super) fn direct(outcome: Outcome) -> Result<Response> {
    let outcome = Arc::new(outcome);
    let mut response = whole_or_part(&outcome, None, (), |()| ())?;
    if outcome.created.is_some() {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

/// The result of work, or a range of its bytes. `holder` is kept until the last of these bytes is on its way or the
/// client is gone. `at_end` is called when the last byte of the whole result is on its way.
pub(super) fn whole_or_part<H: Send + 'static>(
    outcome: &Arc<Outcome>,
    range: Option<Range<u64>>,
    holder: H,
    at_end: fn(&H),
) -> Result<Response> {
    let length = outcome.body.length();
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let part = range.clone().unwrap_or(0..length);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(outcome.media_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start)),
    ];
    let mut response = (status, headers, body(Arc::clone(outcome), part, holder, at_end)).into_response();
    let mut add = |name: HeaderName, value| response.headers_mut().insert(name, value);
    if let Some(range) = range
        && let Ok(value) = format!("bytes {}-{}/{length}", range.start, range.end - 1).try_into()
    {
        add(header::CONTENT_RANGE, value);
    }
    if let Some(model) = &outcome.created {
        add(header::LOCATION, address("models", model.id())?);
        // Even a client that reads only the header has the id now.
        model.hand_over();
    }
    Ok(response)
}

fn body<H: Send + 'static>(outcome: Arc<Outcome>, range: Range<u64>, holder: H, at_end: fn(&H)) -> Body {
    let start = (outcome, holder, range.start);
    let deadline = Instant::now() + Limits::LONGEST_TRANSFER;
    Body::from_stream(stream::try_unfold(start, move |(outcome, holder, at)| async move {
        if at >= range.end {
            return Ok::<_, io::Error>(None);
        }
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let chunk = outcome.body.chunk(at, range.end).await?;
        let next = at + chunk.len() as u64;
        if next >= outcome.body.length() {
            at_end(&holder);
        }
        Ok(Some((chunk, (outcome, holder, next))))
    }))
}
