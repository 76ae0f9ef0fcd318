//! Evaluation keys: `/v1/keys`.

use serde::{Deserialize, Serialize};

/// Evaluation keys, or their upload.
#[derive(Debug, Deserialize, Serialize)]
pub struct KeyUpload {
    /// Anyone who knows the id can use and delete the keys.
    pub id: String,
    /// `uploading`, `ready` or `damaged`.
    pub state: String,
    /// Their length in bytes.
    pub bytes: u64,
    /// The number of bytes received.
    pub offset: u64,
    /// What they are, once they are ready.
    #[serde(flatten)]
    pub set: Option<KeySet>,
}

/// A set of evaluation keys that is ready.
#[derive(Debug, Deserialize, Serialize)]
pub struct KeySet {
    /// The name of the parameter set.
    pub parameters: String,
    /// The fingerprint of the key pair.
    pub key: String,
    /// How long the server keeps them, in seconds.
    pub expires_seconds: u64,
    /// The keys.
    pub keys: Vec<Key>,
}

/// One evaluation key.
#[derive(Debug, Deserialize, Serialize)]
pub struct Key {
    /// `products`, `rotation`, `conjugation`, `automorphism` or `bootstrapping`.
    pub purpose: String,
    /// For a rotation: the number of steps to the left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// For other automorphisms: the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u64>,
    /// The level up to which it can be used.
    pub level: usize,
}
