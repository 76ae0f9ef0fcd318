//! Arithmetic below the schemes: big odd moduli and primes, and residues modulo small primes.
//!
//! [`num_bigint`] does the work that occurs once per key or per image (parsing, inverses, recombination). The work that occurs
//! once per ciphertext goes through [`montgomery`], which is several times faster, and whose running time depends only on
//! sizes.

#[cfg(feature = "client")]
pub mod check;
pub(crate) mod checksum;
#[cfg(feature = "client")]
pub mod comb;
#[cfg(all(any(feature = "etc", feature = "learn"), not(target_arch = "wasm32")))]
pub(crate) mod dot;
pub(crate) mod floats;
#[cfg(any(feature = "client", feature = "ckks-secret", feature = "server"))]
pub(crate) mod hex;
pub mod kernel;
pub mod limb;
pub mod montgomery;
pub mod ntt;
pub mod pair;
pub(crate) mod parallel;
#[cfg(feature = "client")]
pub mod prime;
#[cfg(all(feature = "ckks", feature = "photo"))]
pub(crate) mod product;
#[cfg(any(feature = "ckks-secret", feature = "etc", feature = "learn"))]
pub mod random;
pub mod residue;
pub(crate) mod words;
