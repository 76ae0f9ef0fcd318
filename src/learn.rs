//! Learning from pictures, including scrambled ones that the learner cannot see.
//!
//! A scrambled picture ([`etc`](crate::schemes::etc)) is its original with the samples in another order, some of them negated.
//! If every sample is standardised over the training set, the inner products with other pictures under the same key equal those
//! of the originals. Therefore everything that a support-vector machine computes is equal, too. Kawamura, Kinoshita, Kiya, "A
//! Privacy-Preserving Machine Learning Scheme Using `EtC` Images" (2020).
//!
//! # The path of a picture
//!
//! ```text
//! labelled pictures ─► trainer ─► model ─► its file
//!                                   ▲
//!                   a new picture ──┴───► verdict
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | [`recipe`] | options for training a model |
//! | [`trainer`] | training of a model on labelled pictures |
//! | [`model`] | a trained model, and its use |
//! | [`verdict`] | a classifier's result |
//! | [`features`] | rows of samples, standardised |
//! | [`kernel`] | inner products: linear, Gaussian, polynomial |
//! | [`svm`] | support-vector machines for two classes |
//! | [`committee`] | many classes from two-class machines |
//! | [`sigmoid`] | probabilities from decision values |
//! | [`network`] | networks for encrypted pictures |
//! | `neighbours`, `trees` | nearest neighbours and random forests, from a library |
//! | [`rates`] | error rates of a verifier |
//!
//! Everything here is deterministic: the same input gives the same result, on any number of cores.

pub mod committee;
pub mod facts;
pub mod features;
pub mod kernel;
pub mod model;
mod neighbours;
pub mod network;
pub mod rates;
pub mod recipe;
pub mod sigmoid;
pub mod svm;
pub mod trainer;
mod trees;
pub mod verdict;
pub mod wire;

#[cfg(test)]
mod tests;

pub use model::Model;
pub use recipe::{Learner, Recipe, Wishes};
pub use trainer::Trainer;
pub use verdict::Verdict;

pub use crate::photo::Shape;

use crate::error::{Code, Error};

/// Converts an error of the library. The rows were checked before, so this is an internal error.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn library_failed(error: smartcore::error::Failed) -> Error {
    Error::new(Code::Internal, format!("a classifier failed: {error}"))
}
