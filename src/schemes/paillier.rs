//! Paillier's cryptosystem and linear filters on encrypted photos.
//!
//! # The scheme
//! A public key is an odd number `n = p * q`. A plaintext `m` modulo `n` becomes `c = (1 + n)^m * r^n mod n^2` with a
//! random unit `r`; the product of two ciphertexts is a ciphertext of the sum (P. Paillier, "Public-key cryptosystems
//! based on composite degree residuosity classes", EUROCRYPT 1999; the base `1 + n` is from Damgård and Jurik, 2001).
//!
//! # The picture
//! Each colour plane is cut into a grid of equal tiles. Ciphertext `(i, j)` holds pixel `(i, j)` of every tile, one in each
//! *slot* of its plaintext ([`Layout`]). The client also encrypts a *halo* around each tile, as wide as the filter reaches. A
//! filter then consists only of products of ciphertexts, and the same few products filter all tiles at once.
//!
//! # The numbers
//! A slot holds `value * divisor + bias` ([`Encoding`]): an integer that is never negative and always fits the slot. The
//! divisor of a mean is applied after decryption, with exact rounding.
//!
//! | module | content |
//! |---|---|
//! | [`key`] | the public key and the operations it allows |
//! | `secret` | key generation, the owner's encryption, decryption (feature `client`) |
//! | `encrypt` | encryption with either key (feature `client`) |
//! | [`origin`] | the seed of an image's masks |
//! | [`ciphertext`] | one ciphertext and its arithmetic |
//! | [`layout`] | tiles, halo, slots, borders, and the values in a slot |
//! | [`kernel`] | integer kernels |
//! | [`filter`] | filters by name and parameter |
//! | [`circuit`] | filters on rows of ciphertexts |
//! | [`units`] | checks that ciphertexts are units |
//! | `shape` | the headers that our encryptor and filters can produce (feature `client`) |
//! | `replay`, `clear` | the masks and pixels that a result must have (feature `client`) |
//! | `image` | photos to rows of ciphertexts and back (feature `client`) |
//! | [`phe`] | exchange with python-paillier |

pub mod ciphertext;
pub mod circuit;
#[cfg(feature = "client")]
mod clear;
mod decimal;
#[cfg(feature = "client")]
pub mod encrypt;
pub mod filter;
#[cfg(feature = "client")]
pub mod image;
pub mod kernel;
pub mod key;
pub mod layout;
pub mod origin;
pub mod phe;
mod recipe;
#[cfg(feature = "client")]
pub mod replay;
#[cfg(not(target_arch = "wasm32"))]
mod scheme;
#[cfg(feature = "client")]
pub mod secret;
#[cfg(feature = "client")]
mod shape;
#[cfg(not(target_arch = "wasm32"))]
pub mod stream;
pub mod units;
pub mod wire;

pub use ciphertext::Ciphertext;
pub use circuit::Circuit;
#[cfg(feature = "client")]
pub use encrypt::EncryptionKey;
pub use filter::{Filter, FilterInfo, ParameterInfo};
#[cfg(feature = "client")]
pub use image::{Canvas, Check, EncryptOptions, ImageDecryptor, ImageEncryptor, View};
pub use key::{KeyId, PublicKey};
pub use layout::{Border, Encoding, ImageHead, Layout};
pub use origin::Origin;
#[cfg(feature = "client")]
pub use recipe::Expectation;
#[cfg(not(target_arch = "wasm32"))]
pub use scheme::SCHEME;
#[cfg(feature = "client")]
pub use secret::{KeySearch, SecretKey};
pub use units::UnitCheck;
