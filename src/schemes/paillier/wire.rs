//! Files of keys and encrypted images. See [`crate::wire`] for the format.

pub mod image;
pub mod key;
