//! One error type, with a stable code that JavaScript, HTTP and the command line all report.
//!
//! The code is part of the interface: programs match on it, so its meaning never changes. The message is for people: it says
//! what is wrong and what to do next, and never contains key material.

use std::fmt;
use std::sync::Arc;

/// Writes [`Code`] from its list.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// The closed list of error codes. [`Code::as_str`] returns the stable name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// Every code, in the order of the list above.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The stable `snake_case` name reported by JavaScript (`error.code`), HTTP (`"code"`) and the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),* }
            }
        }
    };
}

codes! {
    /// An argument or query parameter has an invalid value.
    BadArgument = "bad_argument",
    /// A file or stream could not be read or written.
    Io = "io",
    /// The output file already exists and is not overwritten.
    FileExists = "file_exists",
    /// The photo's format is not PNG, JPEG or WebP.
    UnsupportedImage = "unsupported_image",
    /// The photo's bytes are damaged.
    DamagedImage = "damaged_image",
    /// The photo is larger than the limits allow.
    ImageTooLarge = "image_too_large",
    /// The bytes do not start with the Safelight signature.
    NotSafelight = "not_safelight",
    /// The file has a newer format version.
    UnsupportedVersion = "unsupported_version",
    /// The file is of the wrong kind (such as a key where an image is needed).
    WrongKind = "wrong_kind",
    /// The data ends before the length given by the header.
    Truncated = "truncated",
    /// The data continues beyond the length given by the header.
    TrailingData = "trailing_data",
    /// A checksum does not match: the data was damaged in transit.
    Damaged = "damaged",
    /// A header field has an invalid value.
    BadHeader = "bad_header",
    /// The ciphertext was encrypted under another key.
    ForeignKey = "foreign_key",
    /// The modulus is even, of an unsupported size, or otherwise not a Paillier modulus.
    BadModulus = "bad_modulus",
    /// The numbers of the secret key are inconsistent.
    BadSecretKey = "bad_secret_key",
    /// The passphrase does not decrypt the protected key file.
    WrongPassphrase = "wrong_passphrase",
    /// Decrypting the protected key file would take too much memory and time.
    TooCostly = "too_costly",
    /// A ciphertext is zero, or not less than the square of the modulus.
    CiphertextOutOfRange = "ciphertext_out_of_range",
    /// A ciphertext shares a factor with the modulus.
    CiphertextNotUnit = "ciphertext_not_unit",
    /// The encrypted result does not match its header: the server left out, repeated, weighted, moved or changed ciphertexts.
    WrongResult = "wrong_result",
    /// The encrypted image does not name the masks of this key that hide its pixels, so it cannot be verified.
    NotVerifiable = "not_verifiable",
    /// The plaintext does not fit into the key or the slot.
    PlaintextOutOfRange = "plaintext_out_of_range",
    /// There is no filter with this name.
    UnknownFilter = "unknown_filter",
    /// The filter's parameters are invalid.
    BadFilter = "bad_filter",
    /// The encrypted image has a narrower halo than the filter needs.
    HaloTooSmall = "halo_too_small",
    /// The filter's weights are too large for the width of a slot.
    SlotOverflow = "slot_overflow",
    /// Two images to combine differ in shape or key.
    ImagesDiffer = "images_differ",
    /// There is no CKKS parameter set with this name or number.
    UnknownParameters = "unknown_parameters",
    /// The file is for another CKKS parameter set than the one in use.
    WrongParameters = "wrong_parameters",
    /// A residue of a polynomial is not less than its prime.
    ResidueOutOfRange = "residue_out_of_range",
    /// The encrypted vector has no level left for another multiplication.
    LevelExhausted = "level_exhausted",
    /// An evaluation key for encrypted vectors is missing, or does not reach this level.
    MissingKey = "missing_key",
    /// Two vectors to combine differ in slots, scale or level.
    VectorsDiffer = "vectors_differ",
    /// The request is larger than this server allows.
    TooLarge = "too_large",
    /// The whole server is at its limit of work or storage.
    TooBusy = "too_busy",
    /// This client is at its own limit of work or storage on the server.
    QuotaExceeded = "quota_exceeded",
    /// The work took longer than this server allows.
    TimeLimit = "time_limit",
    /// The peer was idle for too long.
    Stalled = "stalled",
    /// There is nothing at this address.
    NotFound = "not_found",
    /// The address does not support this HTTP method.
    MethodNotAllowed = "method_not_allowed",
    /// The request comes from a web page whose origin is not allowed on this server.
    ForeignOrigin = "foreign_origin",
    /// The request is for a host name that does not belong to this server.
    ForeignHost = "foreign_host",
    /// The request's body is a form or compressed; the plain bytes of the file are needed.
    UnsupportedContent = "unsupported_content",
    /// The requested range lies outside the result.
    RangeNotSatisfiable = "range_not_satisfiable",
    /// The job does not exist, was deleted or has expired.
    JobNotFound = "job_not_found",
    /// The job has not finished yet.
    JobNotFinished = "job_not_finished",
    /// The model does not exist, was deleted or has expired.
    ModelNotFound = "model_not_found",
    /// The set of keys does not exist, was not fully uploaded, was deleted or has expired.
    KeysNotFound = "keys_not_found",
    /// The set of keys was damaged on the server's disk and must be uploaded again.
    KeysDamaged = "keys_damaged",
    /// A piece of an upload does not start where the last one ended.
    WrongOffset = "wrong_offset",
    /// The work was cancelled.
    Cancelled = "cancelled",
    /// The server is shutting down and accepts no new work.
    ShuttingDown = "shutting_down",
    /// The server could not be reached or broke the connection.
    Unreachable = "unreachable",
    /// This program does not understand the server's answer.
    BadAnswer = "bad_answer",
    /// The system's random generator failed.
    NoRandomness = "no_randomness",
    /// This machine or browser computes incorrect results.
    BadArithmetic = "bad_arithmetic",
    /// A bug in Safelight.
    Internal = "internal",
}

impl Code {
    /// The code with this stable name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

/// An error: a stable [`Code`] for programs and a message for people.
///
/// Two errors are equal if these are, whatever caused them.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    message: String,
    retry_after: Option<u32>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error with this code. The message starts in lower case, says what to do next, and contains no secret.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None, source: None }
    }

    /// The same error, with the number of seconds after which another attempt may succeed.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same error, with what caused it, for [`std::error::Error::source`]. The cause contains no secret.
    #[must_use]
    pub fn caused_by(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// The number of seconds after which another attempt may succeed, if known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The stable name of the error's code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// The error's code, to match on.
    #[must_use]
    pub const fn kind(&self) -> Code {
        self.code
    }

    /// The message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.code, &self.message, self.retry_after) == (other.code, &other.message, other.retry_after)
    }
}

impl Eq for Error {}

impl From<std::io::Error> for Error {
    /// Unwraps an [`Error`] inside an [`std::io::Error`], and turns everything else into [`Code::Truncated`] (unexpected end)
    /// or [`Code::Io`].
    fn from(error: std::io::Error) -> Self {
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return inner.clone();
        }
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Self::new(Code::Truncated, "the data is cut short; send or copy the whole file again")
            }
            _ => Self::new(Code::Io, error.to_string()).caused_by(error),
        }
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_found_again() {
        for code in Code::ALL {
            let name = code.as_str();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(Code::from_name(name), Some(*code));
        }
    }

    #[test]
    fn an_error_survives_the_way_through_io() {
        let error = Error::new(Code::Damaged, "frame 3 is damaged");
        let io: std::io::Error = error.clone().into();
        assert_eq!(Error::from(io), error);
    }

    #[test]
    fn an_error_of_the_system_stays_its_cause() {
        let error = Error::from(std::io::Error::from_raw_os_error(28));
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.and_then(std::io::Error::raw_os_error), Some(28));
    }
}
