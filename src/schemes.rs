//! The schemes, which are of equal rank. Each has its keys, what its keys encrypt or scramble, and its files. They do not know
//! each other, except for `baselines`, which are compared with `etc`.
//!
//! [`ALL`] is the list that key commands, `safelight info` and `GET /v1` read. To add a scheme, see CONTRIBUTING.md.

#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub mod baselines;
#[cfg(feature = "ckks")]
pub mod ckks;
#[cfg(feature = "etc")]
pub mod etc;
pub mod paillier;
#[cfg(not(target_arch = "wasm32"))]
mod scheme;
#[cfg(test)]
mod toy;

#[cfg(not(target_arch = "wasm32"))]
pub use scheme::{KeySize, Offer, Scheme};
#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub use scheme::{Keys, NewKey, PublicHalf};

/// The schemes of this build.
#[cfg(not(target_arch = "wasm32"))]
pub const ALL: &[&Scheme] = &[
    &paillier::SCHEME,
    #[cfg(feature = "etc")]
    &etc::SCHEME,
    #[cfg(feature = "ckks")]
    &ckks::SCHEME,
    #[cfg(test)]
    &toy::SCHEME,
];
