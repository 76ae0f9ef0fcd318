//! Converts photos to rows of ciphertexts and back. Compiled only with the feature `client`.

mod canvas;
mod decryptor;
mod encryptor;

pub use canvas::{Canvas, View};
pub use decryptor::{Check, ImageDecryptor};
pub use encryptor::{EncryptOptions, ImageEncryptor};

use super::origin::Origin;
use crate::error::Result;
use crate::math::parallel;

/// Calls `work` for each group of ciphertexts, on all cores if there are threads.
fn each<G: Sync, T: Send>(groups: &[G], work: impl Fn(&G) -> Result<T> + Sync + Send) -> Result<Vec<T>> {
    parallel::map(groups.len(), |group| work(&groups[group])).into_iter().collect()
}
