//! `/v1/keys`: evaluation keys for encrypted vectors, uploaded in pieces.
//!
//! Keys take gigabytes, so an interrupted upload can be resumed, with the header fields of draft-ietf-httpbis-resumable-upload:
//! `POST` with `Upload-Length` starts it, `PATCH` with `Upload-Offset` sends the next piece, and `HEAD` reports how many bytes
//! have arrived. An invalid piece ends the upload.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::address;
use super::problem::{Problem, after_upload};
use super::upload::{Rules, Sink, check_content, receive};
use crate::error::{Code, Error, Result};
use crate::server::app::App;
use crate::server::client::Client;
use crate::server::queue::work::joined;
use crate::server::store::capability::Id;
use crate::server::store::keys::description;
use crate::server::store::keys::{KeySetState, Writer};

/// The number of bytes received.
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The total number of bytes.
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// Starts an upload.
pub(super) async fn create(State(app): State<Arc<App>>, client: Client, request: Request) -> Result<Response, Problem> {
    check_content(request.headers(), false)?;
    let length = number(request.headers(), &LENGTH)?;
    if length == 0 {
        return Err(Error::new(Code::BadArgument, "a set of keys cannot be empty; announce its length").into());
    }
    app.admission.check_open()?;
    let keys = Arc::clone(&app.store.keys);
    // On a worker thread, because it creates a file.
    let begun = tokio::task::spawn_blocking(move || keys.begin(client, length)).await;
    let (id, upload) = joined(begun)?;
    let location = address("keys", &id)?;
    let json = Json(description::describe(&id, &KeySetState::Upload(upload)));
    Ok((StatusCode::CREATED, [(header::LOCATION, location), (OFFSET, HeaderValue::from(0))], json).into_response())
}

/// Takes the next piece of an upload.
pub(super) async fn append(State(app): State<Arc<App>>, client: Client, id: Id, request: Request) -> Response {
    let outcome = answer_append(&app, client, &id, request).await;
    let misplaced = outcome.as_ref().is_err_and(|error| error.kind() == Code::WrongOffset);
    let mut response = after_upload(outcome);
    if misplaced && let Ok(held) = app.store.keys.get(&id) {
        response.headers_mut().insert(OFFSET, description::describe(&id, &held).offset.into());
    }
    response
}

async fn answer_append(app: &Arc<App>, client: Client, id: &Id, request: Request) -> Result<Response> {
    let offset = number(request.headers(), &OFFSET)?;
    check_content(request.headers(), false)?;
    let _slot = app.admission.upload_alone(client)?;
    let (taken_over, writer) = app.store.keys.writer(id, offset).await?;
    let rules = Rules::new(request.headers(), writer.rest(), &app.settings.limits)?;
    let writer = tokio::select! {
        received = receive(request.into_body(), rules, writer) => received?,
        () = app.end.cancelled() => return Err(app.admission.shutting_down()),
        () = taken_over.cancelled() => {
            return Err(Error::new(Code::Cancelled, "another request has resumed this upload"));
        }
    };
    let json = description::describe(id, &writer.held());
    Ok(([(OFFSET, HeaderValue::from(json.offset))], Json(json)).into_response())
}

/// The number of bytes received, to resume from. A piece that is still being sent is ended, since its connection has broken.
pub(super) async fn offset(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let (offset, length) = app.store.keys.offset(&id).await?;
    Ok(([(OFFSET, HeaderValue::from(offset)), (LENGTH, HeaderValue::from(length))], ()).into_response())
}

/// Describes keys or their upload.
pub(super) async fn describe(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let (keys, name) = (Arc::clone(&app.store.keys), id.clone());
    // On a worker thread, because it reads the file.
    let held = joined(tokio::task::spawn_blocking(move || keys.look(&name)).await)?;
    Ok(Json(description::describe(&id, &held)).into_response())
}

/// Deletes keys, or aborts their upload.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.store.keys.delete(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Sink for Writer {
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.write(piece)
    }
}

/// Reads a header field that contains a number, which structured fields (RFC 9651) write in the same way.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Error::new(Code::BadArgument, format!("the request needs the header field {name} with a number of bytes"))
    })
}
