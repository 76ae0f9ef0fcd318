//! CKKS: arithmetic on encrypted vectors of approximate numbers (J. H. Cheon, A. Kim, M. Kim, Y. Song, ASIACRYPT 2017), on
//! residues (J. H. Cheon, K. Han, A. Kim, M. Kim, Y. Song, "A full RNS variant", SAC 2018).
//!
//! | module | purpose |
//! |---|---|
//! | [`parameters`], [`security`] | the closed list of parameter sets, and the cost of attacks on them |
//! | [`ring`] | polynomials modulo the primes of a set, and their automorphisms |
//! | [`encode`] | vectors of complex numbers as polynomials, and back |
//! | [`sample`] | uniform, ternary and Gaussian polynomials |
//! | [`plaintext`], [`ciphertext`] | encoded and encrypted vectors |
//! | `secret` | secret keys, encryption and decryption (feature `ckks-secret`, included in `client`) |
//! | [`keys`] | the public keys of a secret key's owner: for encryption and evaluation |
//! | [`switch`] | hybrid, level-aware key switching |
//! | [`evaluator`] | sums, products, rotations |
//! | [`matrix`], [`linear`], [`polynomial`] | matrices and polynomials applied to encrypted vectors |
//! | [`periodic`] | matrices whose diagonals repeat, such as those of convolutions |
//! | [`noise`], `selftest` | promised and measured precision (`selftest` with feature `client`) |
//! | `stopwatch` | benchmarks of every operation (feature `client`, native) |
//! | `check` | a test of this machine's arithmetic (feature `ckks-secret`) |
//! | [`bootstrap`] | new levels for exhausted ciphertexts |
//!
//! A vector has [`parameters::Parameters::slots`] numbers, or any smaller power of two, and every operation applies to all
//! slots at once. Ciphertexts start at the ring's highest level; each product with its rescaling consumes one level.

pub mod bootstrap;
#[cfg(feature = "ckks-secret")]
pub mod check;
pub mod ciphertext;
mod decode;
pub mod encode;
pub mod evaluator;
#[cfg(not(target_arch = "wasm32"))]
pub mod key_file;
pub mod keys;
pub mod linear;
pub mod matrix;
pub mod noise;
pub mod parameters;
pub mod periodic;
pub mod plaintext;
pub mod polynomial;
pub mod ring;
pub mod sample;
#[cfg(not(target_arch = "wasm32"))]
mod scheme;
#[cfg(feature = "ckks-secret")]
pub mod secret;
pub mod security;
#[cfg(feature = "client")]
pub mod selftest;
#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub mod stopwatch;
pub mod switch;
pub mod wire;

#[cfg(not(target_arch = "wasm32"))]
pub use scheme::SCHEME;

#[cfg(all(test, feature = "client"))]
mod tests;
