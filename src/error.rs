//! One error type with a stable code that JavaScript, HTTP and the command line all show.
//!
//! The code is part of the interface: programs match on it, so a code never changes its meaning. The message is for
//! people: it says what is wrong and what to do next, and never contains key material.

use std::fmt;

/// What went wrong, as a closed list. [`Code::as_str`] gives the stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// An argument or query parameter has a value that is not allowed.
    BadArgument,
    /// A file or stream could not be read or written.
    Io,
    /// The file to be written exists already and is not overwritten.
    FileExists,
    /// The photo's format is not PNG, JPEG or WebP.
    UnsupportedImage,
    /// The photo's bytes are damaged.
    DamagedImage,
    /// The photo is larger than the limits allow.
    ImageTooLarge,
    /// The bytes do not start with the Safelight mark.
    NotSafelight,
    /// The file was written by a newer format version.
    UnsupportedVersion,
    /// The file is of another kind than the one needed here (a key where an image is needed, ...).
    WrongKind,
    /// The bytes end before the length that the header promises.
    Truncated,
    /// There are bytes after the end that the header promises.
    TrailingData,
    /// A checksum does not match: the bytes were damaged on the way.
    Damaged,
    /// A header field has a value that the format does not allow.
    BadHeader,
    /// The ciphertext was made under another key.
    ForeignKey,
    /// The modulus is even, of a size that is not allowed, or otherwise not a Paillier modulus.
    BadModulus,
    /// The secret key's numbers do not fit together.
    BadSecretKey,
    /// The passphrase does not open the protected key file.
    WrongPassphrase,
    /// Opening the protected key file would take too much memory and time.
    TooCostly,
    /// A ciphertext is zero or not below the square of the modulus.
    CiphertextOutOfRange,
    /// A ciphertext shares a factor with the modulus.
    CiphertextNotUnit,
    /// The encrypted result is not what its header says was done: the server left ciphertexts out, repeated, weighted, moved
    /// or changed them.
    WrongResult,
    /// The encrypted image does not say which masks of this key hide its pixels, so nothing about it can be verified.
    NotVerifiable,
    /// The plaintext does not fit into the key or the slot.
    PlaintextOutOfRange,
    /// There is no filter with this name.
    UnknownFilter,
    /// The filter's parameters are not allowed.
    BadFilter,
    /// The encrypted image carries less border than the filter needs.
    HaloTooSmall,
    /// The filter's weights are too large for the room in each slot.
    SlotOverflow,
    /// Two images that should be combined differ in shape or key.
    ImagesDiffer,
    /// There is no such set of CKKS parameters.
    UnknownParameters,
    /// The file is for another set of CKKS parameters than the one at work.
    WrongParameters,
    /// A residue of a polynomial is not below its prime.
    ResidueOutOfRange,
    /// The encrypted vector has no level left for another product.
    LevelExhausted,
    /// A key for computing on encrypted vectors is not there, or not for this level.
    MissingKey,
    /// Two vectors that should be combined differ in slots, scale or level.
    VectorsDiffer,
    /// The request is larger than this server allows.
    TooLarge,
    /// The server as a whole has as much work, or keeps as much, as it takes on.
    TooBusy,
    /// This client alone has as much work on the server, or keeps as much there, as one client may.
    QuotaExceeded,
    /// The work took longer than this server allows.
    TimeLimit,
    /// The peer sent nothing for too long.
    Stalled,
    /// There is no such address.
    NotFound,
    /// The address does not take this HTTP method.
    MethodNotAllowed,
    /// The request comes from a web page whose origin may not use this server.
    ForeignOrigin,
    /// The request is for a host name that is not one of this server's.
    ForeignHost,
    /// The request's body is a form or is compressed, where the bytes of the file itself are needed.
    UnsupportedContent,
    /// The requested range lies outside of the result.
    RangeNotSatisfiable,
    /// There is no such job, or it was deleted or has expired.
    JobNotFound,
    /// The job has not finished yet.
    JobNotFinished,
    /// There is no such model, or it was deleted or has expired.
    ModelNotFound,
    /// There is no such set of keys, or its upload failed, or it was deleted or has expired.
    KeysNotFound,
    /// The set of keys was damaged on the server's disk and has to be uploaded again.
    KeysDamaged,
    /// A piece of an upload does not begin where the last one ended.
    WrongOffset,
    /// The work was cancelled.
    Cancelled,
    /// The server is shutting down and takes no new work.
    ShuttingDown,
    /// The server could not be reached or broke the connection.
    Unreachable,
    /// The server's answer is not one that this program understands.
    BadAnswer,
    /// The system's random generator failed.
    NoRandomness,
    /// This machine or browser computes wrongly.
    BadArithmetic,
    /// A fault in Safelight itself.
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

    /// The stable `snake_case` name shown by JavaScript (`error.code`), HTTP (`"code"`) and the command line.
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

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with this code. The message starts in lower case, says what to do next, and holds no secret.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The same error, with the number of seconds after which another attempt may succeed.
    #[must_use]
    pub fn with_retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// After how many seconds another attempt may succeed, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The stable name of what went wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// What went wrong, as a value to match on.
    #[must_use]
    pub const fn kind(&self) -> Code {
        self.code
    }

    /// The text for people.
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
    /// Keeps an [`Error`] that travelled inside an [`std::io::Error`], and turns everything else into
    /// [`Code::Truncated`] (unexpected end) or [`Code::Io`].
    fn from(error: std::io::Error) -> Self {
        if let Some(inner) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return inner.clone();
        }
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                Self::new(Code::Truncated, "the data ends too early; send or copy the whole file again")
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
