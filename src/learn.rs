//! Learning from pictures that the learner need not understand.
//!
//! A scrambled picture ([`etc`](crate::etc)) is its original with the samples in another order, some of them negated. When
//! every sample is standardised over the training set, its inner products with other pictures under the same key are those
//! of the originals, and so is all that a support-vector machine computes. Kawamura, Kinoshita, Kiya, "A
//! Privacy-Preserving Machine Learning Scheme Using `EtC` Images" (2020).
//!
//! # The way of a picture
//!
//! ```text
//! pictures under labels ─► trainer ─► model ─► its file
//!                                       ▲
//!                       a new picture ──┴───► verdict
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`recipe`] | how a model is to be made |
//! | [`trainer`] | pictures under labels become a model |
//! | [`model`] | what was learned, and how it is used |
//! | [`verdict`] | what a classifier says |
//! | [`features`] | rows of samples, standardised |
//! | [`kernel`] | inner products: linear, Gaussian, polynomial |
//! | [`svm`] | support-vector machines for two classes |
//! | [`committee`] | many classes from machines for two |
//! | [`sigmoid`] | probabilities from decision values |
//! | [`network`] | networks for encrypted pictures |
//! | `neighbours`, `trees` | nearest neighbours and random forests, by a library |
//! | [`rates`] | how good a verifier is: error rates |
//!
//! Everything here is deterministic: the same input gives the same numbers, on any number of cores.

pub mod committee;
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

#[cfg(test)]
mod tests;

pub use model::Model;
pub use recipe::{Learner, Recipe, Wishes};
pub use trainer::Trainer;
pub use verdict::Verdict;

pub use crate::photo::Shape;

use crate::error::{Code, Error};

/// What the library says of rows that were checked before they were given to it.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn library_failed(error: smartcore::error::Failed) -> Error {
    Error::new(Code::Internal, format!("a classifier failed: {error}"))
}
