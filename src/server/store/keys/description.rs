//! Descriptions of evaluation keys, as JSON.

use std::collections::HashMap;
use std::time::SystemTime;

use serde::Serialize;

use super::super::capability::Id;
use super::KeySetState;
use crate::network::Need;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::{CONJUGATION, rotation};
use crate::schemes::ckks::wire::{Entry, Purpose, SetHead};

/// Keys or their upload, as JSON.
#[derive(Serialize)]
pub(in crate::server) struct KeysJson {
    id: String,
    /// `uploading`, `ready` or `damaged`.
    state: &'static str,
    bytes: u64,
    /// The number of bytes received.
    pub(in crate::server) offset: u64,
    #[serde(flatten)]
    set: Option<SetJson>,
}

/// Facts about keys that are ready.
#[derive(Serialize)]
struct SetJson {
    parameters: &'static str,
    /// The fingerprint of the key pair.
    key: String,
    expires_seconds: u64,
    keys: Vec<KeyJson>,
}

/// One key.
#[derive(Serialize)]
pub(in crate::server) struct KeyJson {
    /// `products`, `rotation`, `conjugation`, `automorphism` or `bootstrapping`.
    purpose: &'static str,
    /// For a rotation: the number of steps to the left.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    /// For other automorphisms: the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    element: Option<u64>,
    level: usize,
}

impl KeysJson {
    pub(in crate::server) fn new(id: &Id, held: &KeySetState) -> Self {
        let id = id.as_str().to_owned();
        match held {
            KeySetState::Upload(upload) => {
                Self { id, state: "uploading", bytes: upload.length, offset: upload.offset(), set: None }
            }
            KeySetState::Damaged(_) => Self { id, state: "damaged", bytes: 0, offset: 0, set: None },
            KeySetState::Set(set) => {
                let bytes = set.keys.bytes();
                let left = set.expires.duration_since(SystemTime::now()).unwrap_or_default();
                let set = SetJson::new(set.keys.head(), left.as_secs());
                Self { id, state: "ready", bytes, offset: bytes, set: Some(set) }
            }
        }
    }
}

impl SetJson {
    fn new(head: &SetHead, expires_seconds: u64) -> Self {
        let steps = steps(head.parameters());
        Self {
            parameters: head.parameters().name,
            key: head.key().to_string(),
            expires_seconds,
            keys: head.entries().iter().map(|entry| KeyJson::new(entry, &steps)).collect(),
        }
    }
}

impl KeyJson {
    /// A key that a network needs.
    pub(in crate::server) fn of_need(need: Need) -> Self {
        match need {
            Need::Products { level } => Self { purpose: "products", steps: None, element: None, level },
            Need::Rotation { steps, level } => {
                Self { purpose: "rotation", steps: usize::try_from(steps).ok(), element: None, level }
            }
        }
    }

    fn new(entry: &Entry, steps: &HashMap<u64, usize>) -> Self {
        let (purpose, steps, element) = match entry.purpose {
            Purpose::Relinearise => ("products", None, None),
            Purpose::ToSparse | Purpose::FromSparse => ("bootstrapping", None, None),
            Purpose::Galois(CONJUGATION) => ("conjugation", None, None),
            Purpose::Galois(element) => match steps.get(&element) {
                Some(&steps) => ("rotation", Some(steps), None),
                None => ("automorphism", None, Some(element)),
            },
        };
        Self { purpose, steps, element, level: entry.level }
    }
}

/// The steps of each rotation by its element.
fn steps(parameters: &Parameters) -> HashMap<u64, usize> {
    let (degree, one) = (parameters.degree() as u64, rotation(parameters.degree(), 1));
    let elements = std::iter::successors(Some(1), |element| Some(element * one % (2 * degree)));
    elements.zip(0..parameters.slots()).collect()
}
