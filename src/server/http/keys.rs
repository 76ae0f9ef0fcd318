//! `/v1/keys`: evaluation keys for encrypted vectors, uploaded in pieces.
//!
//! Keys take gigabytes, so an interrupted upload can be resumed, with the header fields of draft-ietf-httpbis-resumable-upload:
//! `POST` with `Upload-Length` starts it, `PATCH` with `Upload-Offset` sends the next piece, and `HEAD` reports how many bytes
//! have arrived. An invalid piece ends the upload.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::capability::{self, Id, text};
use super::client::Client;
use super::keys::KeySetState;
use super::problem::{Problem, after_upload, joined};
use super::upload::{Rules, check_content, receive};
use crate::error::{Code, Error, Result};
use crate::network::Need;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::{CONJUGATION, rotation};
use crate::schemes::ckks::wire::{Entry, Purpose, SetHead};

/// The number of bytes received.
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// The total number of bytes.
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// Keys or their upload, as JSON.
#[derive(Serialize)]
struct KeysJson {
    id: String,
    /// `uploading`, `ready` or `damaged`.
    state: &'static str,
    bytes: u64,
    /// The number of bytes received.
    offset: u64,
    #[serde(flatten)]
    set: Option<SetJson>,
}

/// Facts about keys that are ready.
#[derive(Serialize)]
struct SetJson {
    parameters: &'static str,
    /// The fingerprint of the key pair.
    key: String,
    expires_seconds: u64,
    keys: Vec<KeyJson>,
}

/// One key.
#[derive(Serialize)]
pub(super) struct KeyJson {
    /// `products`, `rotation`, `conjugation`, `automorphism` or `bootstrapping`.
    purpose: &'static str,
    /// For a rotation: the number of steps to the left.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// For other automorphisms: the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<u64>,
    level: usize,
}

impl KeysJson {
    fn new(id: &str, held: &KeySetState) -> Self {
        let id = id.to_owned();
        match held {
            KeySetState::Upload(upload) => {
                Self { id, state: "uploading", bytes: upload.length, offset: upload.offset(), set: None }
            }
            KeySetState::Damaged(_) => Self { id, state: "damaged", bytes: 0, offset: 0, set: None },
            KeySetState::Set(set) => {
                let bytes = set.keys.bytes();
                let left = set.expires.duration_since(SystemTime::now()).unwrap_or_default();
                let set = SetJson::new(set.keys.head(), left.as_secs());
                Self { id, state: "ready", bytes, offset: bytes, set: Some(set) }
            }
        }
    }
}

impl SetJson {
    fn new(head: &SetHead, expires_seconds: u64) -> Self {
        let steps = steps(head.parameters());
        Self {
            parameters: head.parameters().name,
            key: head.key().to_string(),
            expires_seconds,
            keys: head.entries().iter().map(|entry| KeyJson::new(entry, &steps)).collect(),
        }
    }
}

impl KeyJson {
    /// A key that a network needs.
    pub(super) fn of_need(need: Need) -> Self {
        match need {
            Need::Products { level } => Self { purpose: "products", steps: None, element: None, level },
            Need::Rotation { steps, level } => {
                Self { purpose: "rotation", steps: usize::try_from(steps).ok(), element: None, level }
            }
        }
    }

    fn new(entry: &Entry, steps: &HashMap<u64, usize>) -> Self {
        let (purpose, steps, element) = match entry.purpose {
            Purpose::Relinearise => ("products", None, None),
            Purpose::ToSparse | Purpose::FromSparse => ("bootstrapping", None, None),
            Purpose::Galois(CONJUGATION) => ("conjugation", None, None),
            Purpose::Galois(element) => match steps.get(&element) {
                Some(&steps) => ("rotation", Some(steps), None),
                None => ("automorphism", None, Some(element)),
            },
        };
        Self { purpose, steps, element, level: entry.level }
    }
}

/// The steps of each rotation by its element.
fn steps(parameters: &Parameters) -> HashMap<u64, usize> {
    let (degree, one) = (parameters.degree() as u64, rotation(parameters.degree(), 1));
    let elements = std::iter::successors(Some(1), |element| Some(element * one % (2 * degree)));
    elements.zip(0..parameters.slots()).collect()
}

/// Starts an upload.
pub(super) async fn create(State(app): State<Arc<App>>, client: Client, request: Request) -> Result<Response, Problem> {
    check_content(request.headers(), false)?;
    let length = number(request.headers(), &LENGTH)?;
    if length == 0 {
        return Err(Error::new(Code::BadArgument, "a set of keys cannot be empty; announce its length").into());
    }
    app.admission.check_open()?;
    let keys = Arc::clone(&app.keys);
    // It makes a file.
    let begun = tokio::task::spawn_blocking(move || keys.begin(client, length)).await;
    let (id, upload) = joined(begun)?;
    let location = capability::address("keys", &id)?;
    let json = Json(KeysJson::new(&id, &KeySetState::Upload(upload)));
    Ok((StatusCode::CREATED, [(header::LOCATION, location), (OFFSET, HeaderValue::from(0))], json).into_response())
}

/// Takes the next piece of an upload.
pub(super) async fn append(State(app): State<Arc<App>>, client: Client, id: Id, request: Request) -> Response {
    let id = text(id);
    let outcome = answer_append(&app, client, &id, request).await;
    let misplaced = outcome.as_ref().is_err_and(|error| error.kind() == Code::WrongOffset);
    let mut response = after_upload(outcome);
    if misplaced && let Ok(held) = app.keys.get(&id) {
        response.headers_mut().insert(OFFSET, KeysJson::new(&id, &held).offset.into());
    }
    response
}

async fn answer_append(app: &Arc<App>, client: Client, id: &str, request: Request) -> Result<Response> {
    let offset = number(request.headers(), &OFFSET)?;
    check_content(request.headers(), false)?;
    let _slot = app.admission.upload_alone(client)?;
    let (taken_over, writer) = app.keys.writer(id, offset).await?;
    let rules = Rules::new(request.headers(), writer.rest(), &app.settings.limits)?;
    let writer = tokio::select! {
        received = receive(request.into_body(), rules, writer) => received?,
        () = app.end.cancelled() => return Err(app.admission.shutting_down()),
        () = taken_over.cancelled() => {
            return Err(Error::new(Code::Cancelled, "another request has resumed this upload"));
        }
    };
    let json = KeysJson::new(id, &writer.held());
    Ok(([(OFFSET, HeaderValue::from(json.offset))], Json(json)).into_response())
}

/// The number of bytes received, to resume from. A piece that is still being sent is ended, since its connection has broken.
pub(super) async fn offset(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let (offset, length) = app.keys.offset(&text(id)).await?;
    Ok(([(OFFSET, HeaderValue::from(offset)), (LENGTH, HeaderValue::from(length))], ()).into_response())
}

/// Describes keys or their upload.
pub(super) async fn describe(State(app): State<Arc<App>>, id: Id) -> Result<Response, Problem> {
    let id = text(id);
    let (keys, name) = (Arc::clone(&app.keys), id.clone());
    // It looks at the file.
    let held = joined(tokio::task::spawn_blocking(move || keys.look(&name)).await)?;
    Ok(Json(KeysJson::new(&id, &held)).into_response())
}

/// Deletes keys, or aborts their upload.
pub(super) async fn delete(State(app): State<Arc<App>>, id: Id) -> Result<StatusCode, Problem> {
    app.keys.delete(&text(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A header field that is a number, or an item of structured fields (RFC 9651) that is one.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let digits = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Error::new(Code::BadArgument, format!("the request needs the header field {name} with a number of bytes"))
    })
}
