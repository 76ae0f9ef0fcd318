//! Rings and encoders of the parameter sets, created on first use and then shared, because their tables are large.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;

type Tables = (Arc<Ring>, Arc<Encoder>);

static SHARED: Mutex<BTreeMap<u16, Tables>> = Mutex::new(BTreeMap::new());

/// The ring and the encoder of a set.
pub(in crate::server) fn shared(set: &'static Parameters) -> Result<Tables> {
    // The content is consistent at every moment, so a panic elsewhere does no harm.
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((ring, encoder)) = shared.get(&set.id) {
        return Ok((Arc::clone(ring), Arc::clone(encoder)));
    }
    let ring = Ring::new(set)?;
    let tables = (Arc::clone(&ring), Arc::new(Encoder::new(&ring)));
    shared.insert(set.id, (ring, Arc::clone(&tables.1)));
    Ok(tables)
}
