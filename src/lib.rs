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
//! photo ─► planes ─► encrypt ─► file ─►  server: filter  ─► file ─► decrypt ─► photo
//!         [photo]   [schemes::paillier]  [server]           [schemes::paillier]  [photo]
//! ```
//!
//! # The rooms
//!
//! Imports point down this list only.
//!
//! | module | purpose |
//! |---|---|
//! | `cli` | the `safelight` program (feature `cli`, native) |
//! | `web` | the interface for browsers (wasm32) |
//! | `server` | the HTTP server (feature `server`, native) |
//! | `experiments` | reproductions of published experiments (features `client` and `learn`, native) |
//! | `learn` | classifiers for plain or scrambled pictures, which need no key (feature `learn`, native) |
//! | `network` | classifiers that a server applies to encrypted pictures (features `ckks` and `photo`) |
//! | `remote` | the client of a server, without input and output (feature `remote`) |
//! | `api` | the data types of the HTTP interface (features `remote` and `server`) |
//! | [`schemes`] | one room for each scheme: its keys, what they encrypt or scramble, and its files |
//! | [`wire`] | what all files have in common; **the specification of the format** |
//! | `photo` | decoding and encoding of photo files, with limits (feature `photo`) |
//! | [`math`] | Montgomery arithmetic on big numbers, prime generation; residues modulo small primes and their transforms |
//! | `watch` | progress and cancellation of long work (native) |
//! | [`error`] | one error type with a stable code |
//!
//! `address`, `json`, `read_at` and `signals` are small helpers: addresses without the passwords in them, JSON whose errors
//! quote nothing, reading at an offset, and signals that are ignored from the start.
//!
//! In the browser the scripts under `www/` do the rest: `client/` runs this crate in workers, `vault/` is the frame that holds
//! photos and keys, `element/` is what a site embeds, and the files beside them are the demo page.
//!
//! Types that hold secret keys live in modules called `secret`, which exist only with the feature `client` (or the features
//! `etc` and `ckks-secret`, which it includes). A server built without it cannot name these types.
#![cfg_attr(
    all(feature = "client", feature = "learn", not(target_arch = "wasm32")),
    doc = "\n",
    doc = include_str!("../docs/LIBRARY.md")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

#[cfg(any(feature = "remote", all(feature = "server", not(target_arch = "wasm32"))))]
mod address;
#[cfg(any(feature = "remote", all(feature = "server", not(target_arch = "wasm32"))))]
pub mod api;
pub mod error;
mod json;
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
pub mod learn;
pub mod math;
#[cfg(all(feature = "ckks", feature = "photo"))]
pub mod network;
#[cfg(feature = "photo")]
pub mod photo;
#[cfg(all(feature = "ckks", not(target_arch = "wasm32")))]
mod read_at;
#[cfg(feature = "remote")]
pub mod remote;
pub mod schemes;
#[cfg(all(any(feature = "cli", feature = "server"), unix))]
mod signals;
pub mod watch;
pub mod wire;

#[cfg(all(feature = "client", feature = "learn", not(target_arch = "wasm32")))]
pub mod experiments;
#[cfg(all(feature = "server", not(target_arch = "wasm32")))]
pub mod server;
#[cfg(all(
    any(feature = "client", feature = "web-ckks", feature = "web-codec", feature = "web-etc", feature = "web-remote"),
    target_arch = "wasm32"
))]
pub mod web;

#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;
