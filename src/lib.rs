//! **Safelight** lets a server work on a photo that it cannot see.
//!
//! The photo is encrypted where it was taken, the server filters the ciphertexts, and only the owner of the key can
//! open the result. One crate serves both ends: compiled for `wasm32-unknown-unknown` with the feature `client` it is
//! the browser's half (with `web-codec`, `web-etc` and `web-ckks` three more modules, for unusual photo files, for scrambled
//! pictures and for encrypted vectors), compiled natively it is the server and the command line.
//!
//! # The way of a photo
//!
//! ```text
//! photo ─► planes ─► encrypt ─► wire ─►  server: filter  ─► wire ─► decrypt ─► photo
//!         [photo]   [paillier] [wire]   [pipeline, server]  [wire]  [paillier]  [photo]
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | [`error`] | one error type with a stable code |
//! | `address` | addresses without the passwords in them |
//! | `json` | JSON from outside, whose faults are told without quoting it |
//! | `watch` | progress of long work, and its end before its time (native) |
//! | `signals` | which signals are ignored from the start (native) |
//! | [`math`] | Montgomery arithmetic on big numbers, prime generation; residues modulo small primes and their transforms |
//! | `photo` | photo files to planes of samples and back, with limits (feature `photo`) |
//! | [`paillier`] | keys, packing of pixels into plaintexts, ciphertexts, the linear filters |
//! | `ckks` | arithmetic on encrypted vectors of approximate numbers (feature `ckks`) |
//! | `etc` | photos scrambled block by block, which stay JPEG files (feature `etc`); obfuscation, not encryption |
//! | `learnable` | other scramblings of the literature, to compare `etc` with (feature `client`, native) |
//! | `network` | classifiers that a server applies to encrypted pictures (features `ckks` and `photo`) |
//! | `learn` | classifiers of pictures in the clear or scrambled, which need no key (feature `learn`, native) |
//! | [`wire`] | the versioned format of keys, encrypted images, encrypted vectors and models; **the format's specification** |
//! | `experiments` | experiments of the literature, run again (features `client` and `learn`, native) |
//! | `pipeline` | the scheme and the format joined over readers and writers; keys in files (native) |
//! | `server` | HTTP (feature `server`, native) |
//! | `web` | the browser's surface (wasm32) |
//! | `cli` | the `safelight` program (feature `cli`, native) |
//!
//! In the browser the scripts under `www/` do the rest: `client/` runs this crate in workers, `vault/` is the frame that
//! has photos and keys, `element/` is what a site embeds, and the files beside them are the demo page.
//!
//! Imports point only up this list. Types that hold secret keys live in modules called `secret`, which exist only with
//! the feature `client` (and `etc` and `ckks-secret`, which it contains); a server built without it cannot name them.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[cfg(all(any(feature = "cli", feature = "server"), not(target_arch = "wasm32")))]
mod address;
#[cfg(feature = "ckks")]
pub mod ckks;
pub mod error;
#[cfg(feature = "etc")]
pub mod etc;
mod json;
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
pub mod learn;
#[cfg(all(feature = "client", not(target_arch = "wasm32")))]
pub mod learnable;
pub mod math;
#[cfg(all(feature = "ckks", feature = "photo"))]
pub mod network;
pub mod paillier;
#[cfg(feature = "photo")]
pub mod photo;
#[cfg(all(any(feature = "cli", feature = "server"), unix))]
mod signals;
#[cfg(not(target_arch = "wasm32"))]
pub mod watch;
pub mod wire;

#[cfg(all(feature = "client", feature = "learn", not(target_arch = "wasm32")))]
pub mod experiments;
#[cfg(not(target_arch = "wasm32"))]
pub mod pipeline;
#[cfg(all(feature = "server", not(target_arch = "wasm32")))]
pub mod server;
#[cfg(all(
    any(feature = "client", feature = "web-ckks", feature = "web-codec", feature = "web-etc"),
    target_arch = "wasm32"
))]
pub mod web;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;
