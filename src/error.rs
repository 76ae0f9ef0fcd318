//! One error type, with a stable code that JavaScript, HTTP and the command line all report.
//!
//! The code is part of the interface: programs match on it, so its meaning never changes. The message is for people: it says
//! what is wrong and what to do next, and never contains key material.

use std::fmt;

/// The closed list of error codes. [`Code::as_str`] returns the stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// An argument or query parameter has an invalid value.
    BadArgument,
    /// A file or stream could not be read or written.
    Io,
    /// The output file already exists and is not overwritten.
    FileExists,
    /// The photo's format is not PNG, JPEG or WebP.
    UnsupportedImage,
    /// The photo's bytes are damaged.
    DamagedImage,
    /// The photo is larger than the limits allow.
    ImageTooLarge,
    /// The bytes do not start with the Safelight signature.
    NotSafelight,
    /// The file has a newer format version.
    UnsupportedVersion,
    /// The file is of the wrong kind (such as a key where an image is needed).
    WrongKind,
    /// The data ends before the length given by the header.
    Truncated,
    /// The data continues beyond the length given by the header.
    TrailingData,
    /// A checksum does not match: the data was damaged in transit.
    Damaged,
    /// A header field has an invalid value.
    BadHeader,
    /// The ciphertext was encrypted under another key.
    ForeignKey,
    /// The modulus is even, of an unsupported size, or otherwise not a Paillier modulus.
    BadModulus,
    /// The numbers of the secret key are inconsistent.
    BadSecretKey,
    /// The passphrase does not decrypt the protected key file.
    WrongPassphrase,
    /// Decrypting the protected key file would take too much memory and time.
    TooCostly,
    /// A ciphertext is zero, or not less than the square of the modulus.
    CiphertextOutOfRange,
    /// A ciphertext shares a factor with the modulus.
    CiphertextNotUnit,
    /// The encrypted result does not match its header: the server left out, repeated, weighted, moved or changed ciphertexts.
    WrongResult,
    /// The encrypted image does not name the masks of this key that hide its pixels, so it cannot be verified.
    NotVerifiable,
    /// The plaintext does not fit into the key or the slot.
    PlaintextOutOfRange,
    /// There is no filter with this name.
    UnknownFilter,
    /// The filter's parameters are invalid.
    BadFilter,
    /// The encrypted image has a narrower halo than the filter needs.
    HaloTooSmall,
    /// The filter's weights are too large for the width of a slot.
    SlotOverflow,
    /// Two images to combine differ in shape or key.
    ImagesDiffer,
    /// There is no CKKS parameter set with this name or number.
    UnknownParameters,
    /// The file is for another CKKS parameter set than the one in use.
    WrongParameters,
    /// A residue of a polynomial is not less than its prime.
    ResidueOutOfRange,
    /// The encrypted vector has no level left for another multiplication.
    LevelExhausted,
    /// An evaluation key for encrypted vectors is missing, or does not reach this level.
    MissingKey,
    /// Two vectors to combine differ in slots, scale or level.
    VectorsDiffer,
    /// The request is larger than this server allows.
    TooLarge,
    /// The whole server is at its limit of work or storage.
    TooBusy,
    /// This client is at its own limit of work or storage on the server.
    QuotaExceeded,
    /// The work took longer than this server allows.
    TimeLimit,
    /// The peer was idle for too long.
    Stalled,
    /// There is nothing at this address.
    NotFound,
    /// The address does not support this HTTP method.
    MethodNotAllowed,
    /// The request comes from a web page whose origin is not allowed on this server.
    ForeignOrigin,
    /// The request is for a host name that does not belong to this server.
    ForeignHost,
    /// The request's body is a form or compressed; the plain bytes of the file are needed.
    UnsupportedContent,
    /// The requested range lies outside the result.
    RangeNotSatisfiable,
    /// The job does not exist, was deleted or has expired.
    JobNotFound,
    /// The job has not finished yet.
    JobNotFinished,
    /// The model does not exist, was deleted or has expired.
    ModelNotFound,
    /// The set of keys does not exist, was not fully uploaded, was deleted or has expired.
    KeysNotFound,
    /// The set of keys was damaged on the server's disk and must be uploaded again.
    KeysDamaged,
    /// A piece of an upload does not start where the last one ended.
    WrongOffset,
    /// The work was cancelled.
    Cancelled,
    /// The server is shutting down and accepts no new work.
    ShuttingDown,
    /// The server could not be reached or broke the connection.
    Unreachable,
    /// This program does not understand the server's answer.
    BadAnswer,
    /// The system's random generator failed.
    NoRandomness,
    /// This machine or browser computes incorrect results.
    BadArithmetic,
    /// A bug in Safelight.
    Internal,
}

impl Code {
    /// Every code, in the order of the list above.
    pub const ALL: &[Self] = &[
        Self::BadArgument,
        Self::Io,
        Self::FileExists,
        Self::UnsupportedImage,
        Self::DamagedImage,
        Self::ImageTooLarge,
        Self::NotSafelight,
        Self::UnsupportedVersion,
        Self::WrongKind,
        Self::Truncated,
        Self::TrailingData,
        Self::Damaged,
        Self::BadHeader,
        Self::ForeignKey,
        Self::BadModulus,
        Self::BadSecretKey,
        Self::WrongPassphrase,
        Self::TooCostly,
        Self::CiphertextOutOfRange,
        Self::CiphertextNotUnit,
        Self::WrongResult,
        Self::NotVerifiable,
        Self::PlaintextOutOfRange,
        Self::UnknownFilter,
        Self::BadFilter,
        Self::HaloTooSmall,
        Self::SlotOverflow,
        Self::ImagesDiffer,
        Self::UnknownParameters,
        Self::WrongParameters,
        Self::ResidueOutOfRange,
        Self::LevelExhausted,
        Self::MissingKey,
        Self::VectorsDiffer,
        Self::TooLarge,
        Self::TooBusy,
        Self::QuotaExceeded,
        Self::TimeLimit,
        Self::Stalled,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ForeignOrigin,
        Self::ForeignHost,
        Self::UnsupportedContent,
        Self::RangeNotSatisfiable,
        Self::JobNotFound,
        Self::JobNotFinished,
        Self::ModelNotFound,
        Self::KeysNotFound,
        Self::KeysDamaged,
        Self::WrongOffset,
        Self::Cancelled,
        Self::ShuttingDown,
        Self::Unreachable,
        Self::BadAnswer,
        Self::NoRandomness,
        Self::BadArithmetic,
        Self::Internal,
    ];

    /// The stable `snake_case` name reported by JavaScript (`error.code`), HTTP (`"code"`) and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadArgument => "bad_argument",
            Self::Io => "io",
            Self::FileExists => "file_exists",
            Self::UnsupportedImage => "unsupported_image",
            Self::DamagedImage => "damaged_image",
            Self::ImageTooLarge => "image_too_large",
            Self::NotSafelight => "not_safelight",
            Self::UnsupportedVersion => "unsupported_version",
            Self::WrongKind => "wrong_kind",
            Self::Truncated => "truncated",
            Self::TrailingData => "trailing_data",
            Self::Damaged => "damaged",
            Self::BadHeader => "bad_header",
            Self::ForeignKey => "foreign_key",
            Self::BadModulus => "bad_modulus",
            Self::BadSecretKey => "bad_secret_key",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::TooCostly => "too_costly",
            Self::CiphertextOutOfRange => "ciphertext_out_of_range",
            Self::CiphertextNotUnit => "ciphertext_not_unit",
            Self::WrongResult => "wrong_result",
            Self::NotVerifiable => "not_verifiable",
            Self::PlaintextOutOfRange => "plaintext_out_of_range",
            Self::UnknownFilter => "unknown_filter",
            Self::BadFilter => "bad_filter",
            Self::HaloTooSmall => "halo_too_small",
            Self::SlotOverflow => "slot_overflow",
            Self::ImagesDiffer => "images_differ",
            Self::UnknownParameters => "unknown_parameters",
            Self::WrongParameters => "wrong_parameters",
            Self::ResidueOutOfRange => "residue_out_of_range",
            Self::LevelExhausted => "level_exhausted",
            Self::MissingKey => "missing_key",
            Self::VectorsDiffer => "vectors_differ",
            Self::TooLarge => "too_large",
            Self::TooBusy => "too_busy",
            Self::QuotaExceeded => "quota_exceeded",
            Self::TimeLimit => "time_limit",
            Self::Stalled => "stalled",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::ForeignOrigin => "foreign_origin",
            Self::ForeignHost => "foreign_host",
            Self::UnsupportedContent => "unsupported_content",
            Self::RangeNotSatisfiable => "range_not_satisfiable",
            Self::JobNotFound => "job_not_found",
            Self::JobNotFinished => "job_not_finished",
            Self::ModelNotFound => "model_not_found",
            Self::KeysNotFound => "keys_not_found",
            Self::KeysDamaged => "keys_damaged",
            Self::WrongOffset => "wrong_offset",
            Self::Cancelled => "cancelled",
            Self::ShuttingDown => "shutting_down",
            Self::Unreachable => "unreachable",
            Self::BadAnswer => "bad_answer",
            Self::NoRandomness => "no_randomness",
            Self::BadArithmetic => "bad_arithmetic",
            Self::Internal => "internal",
        }
    }

    /// The code with this stable name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

/// An error: a stable [`Code`] for programs and a message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    retry_after: Option<u32>,
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error with this code. The message starts in lower case, says what to do next, and contains no secret.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The same error, with the number of seconds after which another attempt may succeed.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
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

impl std::error::Error for Error {}

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
            _ => Self::new(Code::Io, error.to_string()),
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
}
