//! The memory that decoding may take.

use super::Limits;
use crate::error::{Code, Error, Result};

/// A number of bytes to allocate, or an error if it is above the limit.
pub(super) fn bounded(bytes: u64, limits: &Limits) -> Result<usize> {
    let allowed = usize::try_from(bytes).ok().filter(|_| bytes <= limits.max_alloc);
    allowed.ok_or_else(too_much_memory)
}

pub(super) fn too_much_memory() -> Error {
    Error::new(Code::ImageTooLarge, "the photo needs more memory than allowed; make it smaller first")
}
