//! What a server offers: `GET /v1`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Model;

/// The functions and limits of a server. The limits of one client may be lower.
#[derive(Debug, Deserialize, Serialize)]
pub struct About {
    /// The program's name, `safelight`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The version of the file format.
    pub wire_version: u16,
    /// What a client has to know about each scheme; each has a `name`.
    pub schemes: Vec<Map<String, Value>>,
    /// The catalogue of filters.
    pub filters: Vec<Value>,
    /// The names of learners.
    pub learners: Vec<String>,
    /// The parameter sets of encrypted vectors.
    pub ckks_parameters: Vec<String>,
    /// The operator's models.
    pub models: Vec<Model>,
    /// Limits.
    pub limits: Limits,
    /// Whether work can be done as a job.
    pub jobs: bool,
    /// The address of the vault, if the server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
}

/// Limits for all clients together.
#[derive(Debug, Deserialize, Serialize)]
pub struct Limits {
    /// The longest encrypted image in bytes.
    pub max_bytes: u64,
    /// The greatest number of pixels of an image.
    pub max_pixels: u64,
    /// The greatest number of ciphertexts of an image.
    pub max_ciphertexts: u64,
    /// The longest that one piece of work may take, in seconds.
    pub time_limit_seconds: u64,
    /// Uploads at the same time.
    pub uploads: usize,
    /// Pieces of work that run at the same time.
    pub running: usize,
    /// Pieces of work that wait.
    pub waiting: usize,
    /// How long results of jobs are kept, in seconds.
    pub keep_results_seconds: u64,
    /// How long models are kept, in seconds.
    pub keep_models_seconds: u64,
    /// The longest set of evaluation keys in bytes.
    pub key_bytes: u64,
    /// How long evaluation keys are kept, in seconds.
    pub keep_keys_seconds: u64,
}
