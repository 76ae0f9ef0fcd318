//! Photos to rows of ciphertexts, and rows of ciphertexts back to photos. Compiled only with the feature `client`.

mod canvas;
mod decryptor;
mod encryptor;

pub use canvas::{Canvas, View};
pub use decryptor::ImageDecryptor;
pub use encryptor::{EncryptOptions, ImageEncryptor};

use super::origin::Origin;
use crate::error::Result;

/// Calls `work` for each group of ciphertexts, on all cores where there are any.
fn each<G: Sync, T: Send>(groups: &[G], work: impl Fn(&G) -> Result<T> + Sync + Send) -> Result<Vec<T>> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        groups.par_iter().map(work).collect()
    }
    #[cfg(target_arch = "wasm32")]
    groups.iter().map(work).collect()
}
