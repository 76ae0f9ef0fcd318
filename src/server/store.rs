//! Everything that the server keeps for its clients, each item under an id that only its owner knows.

use std::sync::Arc;

use super::config::{Limits, Settings};
use crate::error::Result;

pub(super) mod capability;
pub(super) mod keys;
pub(super) mod models;
pub(super) mod rings;
pub(super) mod shelf;
pub(super) mod spool;

/// Everything that the server stores, for work to read and write.
pub(super) struct Store {
    pub(super) spools: spool::Spools,
    pub(super) models: Arc<models::Models>,
    pub(super) keys: Arc<keys::Keys>,
    pub(super) limits: Limits,
}

impl Store {
    /// Must run in the runtime.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let limits = settings.limits;
        Ok(Self {
            spools: spool::Spools::new(settings.spool.clone(), &limits),
            models: Arc::new(models::Models::new(settings.models.as_deref(), &limits)?),
            keys: Arc::new(keys::Keys::new(settings.keys.as_deref(), &settings.spool, &limits)?),
            limits,
        })
    }
}
