//! What a conversation asks its driver to exchange.

use std::ops::Range;

use crate::address::without_user;
use crate::api::Problem;
use crate::error::{Code, Error, Result};
use crate::json;

/// The longest answer that is kept in memory unless the request says otherwise, in bytes.
const SHORT: u64 = 1 << 16;

/// An HTTP request. The driver sends nothing that is not in it, apart from what HTTP itself requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The path below the server's address, such as `v1/filters/mean?radius=1`.
    pub path: String,
    /// Names and values of header fields.
    pub headers: Vec<(&'static str, String)>,
    /// What it carries.
    pub body: Body,
    /// Where the answer's body goes.
    pub keep: Keep,
    /// Nothing depends on the answer: the driver waits for it briefly or not at all, and ignores failures.
    pub farewell: bool,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// These bytes of the conversation's input.
    Input(Range<u64>),
    /// `multipart/form-data`: the conversation's inputs, each in a part with its label.
    Form(Vec<String>),
}

/// Where the body of a successful answer (status 200 or 201) goes, and its greatest length in bytes. The body of any other
/// answer is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Into the answer.
    Memory(u64),
    /// To the conversation's output.
    Output(u64),
}

/// An answer. Header fields that are missing or unreadable are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// `Upload-Offset`.
    pub offset: Option<u64>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// Empty if it went to the output.
    pub body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &'static str, path: String) -> Self {
        Self { method, path, headers: Vec::new(), body: Body::Empty, keep: Keep::Memory(SHORT), farewell: false }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends a body of this media type.
    pub(super) fn body(self, media_type: &str, body: Body) -> Self {
        Self { body, ..self.header("Content-Type", media_type) }
    }

    pub(super) fn keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// Deletes something that the server need not keep.
    pub(super) fn farewell(path: String) -> Self {
        Self { farewell: true, ..Self::new("DELETE", path) }
    }
}

impl Keep {
    /// The greatest length of an answer's body in bytes, by its status.
    #[must_use]
    pub fn longest(self, status: u16) -> u64 {
        match self {
            Self::Memory(longest) | Self::Output(longest) if is_success(status) => longest,
            _ => SHORT,
        }
    }

    /// Whether the body of an answer with this status goes to the output.
    #[must_use]
    pub fn is_output(self, status: u16) -> bool {
        matches!(self, Self::Output(_)) && is_success(status)
    }

    /// The error for an answer that is longer.
    #[must_use]
    pub fn too_long(self) -> Error {
        let message = match self {
            Self::Memory(_) => "the server's answer is too long; is this the address of a Safelight server?",
            Self::Output(_) => "the server's answer is longer than the result can be",
        };
        Error::new(Code::BadAnswer, message)
    }
}

/// The result is in the answer. (A server answers 202 if it is not there yet.)
fn is_success(status: u16) -> bool {
    matches!(status, 200 | 201)
}

impl Answer {
    /// The error for an unexpected status.
    pub(super) fn refusal(&self) -> Error {
        let status = self.status;
        if (300..400).contains(&status) {
            let place = without_user(self.location.as_deref().unwrap_or_default());
            return Error::new(Code::BadAnswer, format!("the server has moved to {place}; use its new address"));
        }
        let error = match json::read::<Problem>(&self.body) {
            Ok(problem) => problem.into_error(&format!("status {status}")),
            Err(_) => Error::new(
                Code::BadAnswer,
                format!("the server answered with status {status}; is this the address of a Safelight server?"),
            ),
        };
        match self.retry_after {
            Some(seconds) => error.with_retry_after(seconds),
            None => error,
        }
    }

    /// The body as JSON. `what` names it in the error.
    pub(super) fn json<'a, T: serde::Deserialize<'a>>(&'a self, what: &str) -> Result<T> {
        json::read(&self.body).map_err(|fault| Error::new(Code::BadAnswer, format!("{what} is not valid: {fault}")))
    }
}

/// Percent-encoding of everything but letters, digits and `-._~` (RFC 3986, section 2.3).
pub(super) fn quote(text: &str) -> String {
    let quote = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(quote).collect()
}
