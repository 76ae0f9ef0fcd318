//! Reproductions of published experiments: `safelight reproduce`.
//!
//! Each reads its data from a folder that the caller names; the data is not part of this crate.

pub mod attacks;
pub mod cifar;
pub mod cifar_network;
pub mod etc_jpeg;
pub mod etc_svm;
mod tiles;
pub mod yale;
