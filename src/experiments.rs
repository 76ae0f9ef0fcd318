//! Experiments of the literature, run again: `safelight reproduce`.
//!
//! Each takes its data from a folder that the caller names; nothing of it is part of this crate.

pub mod attacks;
pub mod cifar;
pub mod cifar_network;
pub mod etc_jpeg;
pub mod etc_svm;
mod tiles;
pub mod yale;
