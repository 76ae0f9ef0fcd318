//! Learning from pictures that the learner need not understand.
//!
//! A scrambled picture ([`etc`](crate::etc)) is its original with the samples in another order, some of them negated. When
//! every sample is standardised over the training set, its inner products with other pictures under the same key are those
//! of the originals, and so is all that a support-vector machine computes. Kawamura, Kinoshita, Kiya, "A
//! Privacy-Preserving Machine Learning Scheme Using `EtC` Images" (2020).
//!
//! | module | what it is for |
//! |---|---|
//! | [`features`] | rows of samples, standardised |
//! | [`kernel`] | inner products: linear, Gaussian, polynomial |
//! | [`svm`] | support-vector machines for two classes |
//! | [`committee`] | many classes from machines for two |
//! | [`sigmoid`] | probabilities from decision values |
//! | [`verdict`] | what a classifier says |
//! | [`rates`] | how good a verifier is: error rates |
//!
//! Everything here is deterministic: the same input gives the same numbers, on any number of cores.

pub mod committee;
pub mod features;
pub mod kernel;
pub mod rates;
pub mod sigmoid;
pub mod svm;
pub mod verdict;

#[cfg(test)]
mod tests;
