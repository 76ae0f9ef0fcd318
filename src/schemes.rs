//! The schemes, which are of equal rank and do not know each other: each has its keys, what its keys encrypt or scramble, and
//! its files.

#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub mod baselines;
#[cfg(feature = "ckks")]
pub mod ckks;
#[cfg(feature = "etc")]
pub mod etc;
pub mod paillier;
