//! The memory that decoding may take.

use super::Limits;
use crate::error::{Code, Error, Result};

/// A number of bytes to allocate, unless that is more than allowed.
pub(super) fn bounded(bytes: u64, limits: &Limits) -> Result<usize> {
    let allowed = usize::try_from(bytes).ok().filter(|_| bytes <= limits.max_alloc);
    allowed.ok_or_else(too_much_memory)
}

pub(super) fn too_much_memory() -> Error {
    Error::new(Code::ImageTooLarge, "the photo needs more memory than allowed; make it smaller first")
}
