//! Descriptions of evaluation keys.

use std::collections::HashMap;
use std::time::SystemTime;

use super::super::capability::Id;
use super::KeySetState;
use crate::api::{Key, KeySet, KeyUpload};
use crate::network::Need;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::{CONJUGATION, rotation};
use crate::schemes::ckks::wire::{Entry, Purpose, SetHead};

/// Describes keys, or their upload, for clients.
pub(in crate::server) fn describe(id: &Id, held: &KeySetState) -> KeyUpload {
    let id = id.as_str().to_owned();
    match held {
        KeySetState::Upload(upload) => {
            let (bytes, offset) = (upload.length, upload.offset());
            KeyUpload { id, state: "uploading".into(), bytes, offset, set: None }
        }
        KeySetState::Damaged(_) => KeyUpload { id, state: "damaged".into(), bytes: 0, offset: 0, set: None },
        KeySetState::Set(set) => {
            let bytes = set.keys.bytes();
            let left = set.expires.duration_since(SystemTime::now()).unwrap_or_default();
            let set = ready(set.keys.head(), left.as_secs());
            KeyUpload { id, state: "ready".into(), bytes, offset: bytes, set: Some(set) }
        }
    }
}

fn ready(head: &SetHead, expires_seconds: u64) -> KeySet {
    let steps = steps(head.parameters());
    KeySet {
        parameters: head.parameters().name.into(),
        key: head.key().to_string(),
        expires_seconds,
        keys: head.entries().iter().map(|entry| one(entry, &steps)).collect(),
    }
}

/// A key that a network needs.
pub(in crate::server) fn needed(need: Need) -> Key {
    match need {
        Need::Products { level } => Key { purpose: "products".into(), steps: None, element: None, level },
        Need::Rotation { steps, level } => {
            Key { purpose: "rotation".into(), steps: usize::try_from(steps).ok(), element: None, level }
        }
    }
}

fn one(entry: &Entry, steps: &HashMap<u64, usize>) -> Key {
    let (purpose, steps, element) = match entry.purpose {
        Purpose::Relinearise => ("products", None, None),
        Purpose::ToSparse | Purpose::FromSparse => ("bootstrapping", None, None),
        Purpose::Galois(CONJUGATION) => ("conjugation", None, None),
        Purpose::Galois(element) => match steps.get(&element) {
            Some(&steps) => ("rotation", Some(steps), None),
            None => ("automorphism", None, Some(element)),
        },
    };
    Key { purpose: purpose.into(), steps, element, level: entry.level }
}

/// The steps of each rotation by its element.
fn steps(parameters: &Parameters) -> HashMap<u64, usize> {
    let (degree, one) = (parameters.degree() as u64, rotation(parameters.degree(), 1));
    let elements = std::iter::successors(Some(1), |element| Some(element * one % (2 * degree)));
    elements.zip(0..parameters.slots()).collect()
}
