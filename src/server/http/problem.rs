//! Errors as HTTP answers: the only place that maps codes to status numbers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api;
use crate::error::{Code, Error, Result};

/// The media type of RFC 9457.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error on its way to the client.
#[derive(Debug)]
pub(super) struct Problem(Error);

/// The error code of an answer, for the log.
#[derive(Clone, Copy)]
pub(super) struct AnsweredCode(pub(super) Code);

/// The answer to a request with a body. After an error, the upload may not have been read to its end, so the connection cannot
/// be reused.
pub(super) fn after_upload(outcome: Result<Response>) -> Response {
    outcome.unwrap_or_else(|error| {
        let mut response = Problem::from(error).into_response();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    })
}

/// The error for an unknown address.
pub(super) async fn not_found() -> Problem {
    Error::new(Code::NotFound, "there is nothing at this address; /v1/openapi.json lists the addresses").into()
}

/// The error for a known address with a wrong method.
pub(super) async fn method_not_allowed() -> Problem {
    Error::new(
        Code::MethodNotAllowed,
        "this address does not support this method; the header Allow lists those it does",
    )
    .into()
}

/// The HTTP status of a code.
pub(super) fn status(code: Code) -> StatusCode {
    match code {
        Code::ForeignOrigin => StatusCode::FORBIDDEN,
        Code::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
        Code::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        Code::BadArgument
        | Code::BadFilter
        | Code::BadHeader
        | Code::Damaged
        | Code::DamagedImage
        | Code::TrailingData
        | Code::Truncated => StatusCode::BAD_REQUEST,
        Code::JobNotFound | Code::KeysNotFound | Code::ModelNotFound | Code::NotFound | Code::UnknownFilter => {
            StatusCode::NOT_FOUND
        }
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Stalled => StatusCode::REQUEST_TIMEOUT,
        Code::Cancelled | Code::FileExists | Code::JobNotFinished | Code::WrongOffset => StatusCode::CONFLICT,
        Code::ImageTooLarge | Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::NotSafelight
        | Code::UnsupportedContent
        | Code::UnsupportedImage
        | Code::UnsupportedVersion
        | Code::WrongKind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::BadModulus
        | Code::BadSecretKey
        | Code::WrongPassphrase
        | Code::TooCostly
        | Code::CiphertextNotUnit
        | Code::CiphertextOutOfRange
        | Code::ForeignKey
        | Code::HaloTooSmall
        | Code::ImagesDiffer
        | Code::PlaintextOutOfRange
        | Code::SlotOverflow
        | Code::LevelExhausted
        | Code::MissingKey
        | Code::ResidueOutOfRange
        | Code::UnknownParameters
        | Code::VectorsDiffer
        | Code::WrongParameters => StatusCode::UNPROCESSABLE_ENTITY,
        Code::ShuttingDown | Code::TimeLimit | Code::TooBusy => StatusCode::SERVICE_UNAVAILABLE,
        Code::BadAnswer
        | Code::BadArithmetic
        | Code::Internal
        | Code::Io
        | Code::KeysDamaged
        | Code::NoRandomness
        | Code::NotVerifiable
        | Code::Unreachable
        | Code::WrongResult => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Describes an error for clients.
pub(super) fn describe(error: &Error) -> api::Problem {
    let status = status(error.kind());
    // The server's own errors may name its folders, which clients must not see.
    let detail = match error.kind() {
        Code::Io => "the server could not write its working files; try again later or tell its operator".into(),
        _ => error.message().to_owned(),
    };
    api::Problem {
        r#type: "about:blank".into(),
        title: status.canonical_reason().unwrap_or("Error").into(),
        status: status.as_u16(),
        detail,
        code: error.code().into(),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        if error.kind() == Code::Io {
            tracing::error!(reason = error.message(), "working files failed");
        }
        let body = serde_json::to_vec(&describe(&error)).unwrap_or_default();
        let mut response = (status(error.kind()), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = error.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if error.kind() == Code::UnsupportedContent {
            // The codings that are accepted (RFC 9110, section 12.5.3).
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        response.extensions_mut().insert(AnsweredCode(error.kind()));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status_with_a_name() {
        for code in Code::ALL {
            let status = status(*code);
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            assert!(status.canonical_reason().is_some(), "{code:?}");
        }
    }

    #[test]
    fn the_json_has_the_fields_of_the_standard_and_the_code() {
        let error = Error::new(Code::HaloTooSmall, "the image carries a border of 1 pixel");
        let json = serde_json::to_value(describe(&error)).expect("plain JSON");
        assert_eq!(
            json,
            serde_json::json!({
                "type": "about:blank",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "the image carries a border of 1 pixel",
                "code": "halo_too_small",
            })
        );
    }

    #[test]
    fn the_servers_own_folders_stay_its_own() {
        let error = Error::new(Code::Io, "No space left on device at path /var/tmp/x");
        let json = serde_json::to_string(&describe(&error)).expect("plain JSON");
        assert!(!json.contains("/var"));
    }
}
