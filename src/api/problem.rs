//! Problems: why a request or a job failed, as JSON (RFC 9457) with a stable code.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

/// The longest part of a server's explanation that is passed on, in characters.
const LONGEST_DETAIL: usize = 500;

/// Why something failed.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    pub r#type: String,
    /// The name of the status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// An explanation for people.
    pub detail: String,
    /// The name of a [`Code`]. Other servers may use names of their own.
    pub code: String,
}

impl Problem {
    /// The error that it describes. `otherwise` is the explanation if the server gives none.
    #[must_use]
    pub fn into_error(self, otherwise: &str) -> Error {
        // A server that does not know our codes can still explain itself.
        let code = Code::from_name(&self.code).unwrap_or(Code::BadAnswer);
        let detail = if self.detail.is_empty() { otherwise } else { &self.detail };
        Error::new(code, format!("the server says: {}", detail.chars().take(LONGEST_DETAIL).collect::<String>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_keep_their_code() {
        let problem: Problem = crate::json::read(br#"{"code":"too_busy","detail":"later"}"#).expect("JSON");
        let error = problem.into_error("status 503");
        assert_eq!((error.kind(), error.message()), (Code::TooBusy, "the server says: later"));
        let problem: Problem = crate::json::read(br#"{"code":"mine","title":"?"}"#).expect("JSON");
        let error = problem.into_error("status 500");
        assert_eq!((error.kind(), error.message()), (Code::BadAnswer, "the server says: status 500"));
    }
}
