//! CKKS: arithmetic on encrypted vectors of approximate numbers (J. H. Cheon, A. Kim, M. Kim, Y. Song, ASIACRYPT 2017), on
//! residues (J. H. Cheon, K. Han, A. Kim, M. Kim, Y. Song, "A full RNS variant", SAC 2018).
//!
//! | module | what it is for |
//! |---|---|
//! | [`parameters`], [`security`] | the closed list of parameter sets, and what attacks on them cost |
//! | [`ring`] | polynomials modulo the primes of a set, and their automorphisms |
//! | [`encode`] | vectors of complex numbers as polynomials, and back |
//! | [`sample`] | uniform, ternary and Gaussian polynomials |
//! | [`plaintext`], [`ciphertext`] | what is computed with |
//! | `secret` | secret keys, encryption and decryption (feature `ckks-secret`, which `client` contains) |
//! | [`keys`] | what the owner of a secret key gives to others: to encrypt, and to compute |
//! | [`switch`] | from one key to another, hybrid and aware of levels |
//! | [`evaluator`] | sums, products, rotations |
//! | [`matrix`], [`linear`], [`polynomial`] | matrices and polynomials applied to encrypted vectors |
//! | [`dense`] | layers of networks: rectangular matrices, with few keys |
//! | [`noise`], `selftest` | what precision is promised, and what it is (`selftest` with feature `client`) |
//! | `stopwatch` | how long every operation takes (feature `client`, native) |
//! | `check` | whether this machine computes rightly at all (feature `ckks-secret`) |
//! | [`bootstrap`] | new levels for ciphertexts that have used theirs |
//!
//! A vector has [`parameters::Parameters::slots`] numbers, or any smaller power of two, and everything happens in all slots
//! at once. Ciphertexts start at the ring's highest level; each product and rescaling takes one level away.

pub mod bootstrap;
#[cfg(feature = "ckks-secret")]
pub mod check;
pub mod ciphertext;
mod decode;
pub mod dense;
pub mod encode;
pub mod evaluator;
pub mod keys;
pub mod linear;
pub mod matrix;
pub mod noise;
pub mod parameters;
pub mod plaintext;
pub mod polynomial;
pub mod ring;
pub mod sample;
#[cfg(feature = "ckks-secret")]
pub mod secret;
pub mod security;
#[cfg(feature = "client")]
pub mod selftest;
#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub mod stopwatch;
pub mod switch;

#[cfg(all(test, feature = "client"))]
mod tests;
