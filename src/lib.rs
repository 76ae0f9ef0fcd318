//! **Safelight** lets a server work on a photo that it cannot see.
//!
//! The photo is encrypted where it was taken, the server filters the ciphertexts, and only the owner of the key can decrypt the
//! result. One crate serves both ends. Compiled for `wasm32-unknown-unknown` with the feature `client`, it is the browser's
//! half; the features `web-codec`, `web-etc` and `web-ckks` build three more modules, for unusual photo files, scrambled
//! pictures and encrypted vectors. Compiled natively, it is the server and the command line.
//!
//! # The path of a photo
//!
//! ```text
//! photo ─► planes ─► encrypt ─► wire ─►  server: filter  ─► wire ─► decrypt ─► photo
//!         [photo]   [paillier] [wire]   [pipeline, server]  [wire]  [paillier]  [photo]
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | [`error`] | one error type with a stable code |
//! | `address` | addresses without the passwords in them |
//! | `json` | JSON from outside; its errors never quote it |
//! | `watch` | progress and cancellation of long work (native) |
//! | `signals` | the signals that are ignored from the start (native) |
//! | [`math`] | Montgomery arithmetic on big numbers, prime generation; residues modulo small primes and their transforms |
//! | `photo` | decoding and encoding of photo files, with limits (feature `photo`) |
//! | [`paillier`] | keys, packing of pixels into plaintexts, ciphertexts, the linear filters |
//! | `ckks` | arithmetic on encrypted vectors of approximate numbers (feature `ckks`) |
//! | `etc` | photos scrambled block by block, which stay JPEG files (feature `etc`); obfuscation, not encryption |
//! | `learnable` | other published scrambling schemes, to compare with `etc` (feature `client`, native) |
//! | `network` | classifiers that a server applies to encrypted pictures (features `ckks` and `photo`) |
//! | `learn` | classifiers for plain or scrambled pictures, which need no key (feature `learn`, native) |
//! | [`wire`] | the versioned format of keys, encrypted images, encrypted vectors and models; **the format's specification** |
//! | `experiments` | reproductions of published experiments (features `client` and `learn`, native) |
//! | `pipeline` | the schemes and the format combined over readers and writers; keys in files (native) |
//! | `server` | the HTTP server (feature `server`, native) |
//! | `web` | the interface for browsers (wasm32) |
//! | `cli` | the `safelight` program (feature `cli`, native) |
//!
//! In the browser the scripts under `www/` do the rest: `client/` runs this crate in workers, `vault/` is the frame that holds
//! photos and keys, `element/` is what a site embeds, and the files beside them are the demo page.
//!
//! Imports only point up this list. Types that hold secret keys live in modules called `secret`, which exist only with the
//! feature `client` (or the features `etc` and `ckks-secret`, which it includes). A server built without it cannot name these
//! types.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[cfg(all(any(feature = "cli", feature = "server"), not(target_arch = "wasm32")))]
mod address;
pub mod error;
mod json;
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
pub mod learn;
pub mod math;
#[cfg(all(feature = "ckks", feature = "photo"))]
pub mod network;
#[cfg(feature = "photo")]
pub mod photo;
#[cfg(not(target_arch = "wasm32"))]
mod read_at;
pub mod schemes;
#[cfg(all(any(feature = "cli", feature = "server"), unix))]
mod signals;
#[cfg(not(target_arch = "wasm32"))]
pub mod watch;
pub mod wire;

#[cfg(all(feature = "client", feature = "learn", not(target_arch = "wasm32")))]
pub mod experiments;
#[cfg(all(feature = "server", not(target_arch = "wasm32")))]
pub mod server;
#[cfg(all(
    any(feature = "client", feature = "web-ckks", feature = "web-codec", feature = "web-etc"),
    target_arch = "wasm32"
))]
pub mod web;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;
