//! A scheme of the tests: the least that a scheme can be. That key commands, `safelight info` and `GET /v1` know it proves that
//! they read the lists and nothing else. Its key is one byte.

use crate::error::{Code, Error, Result};
use crate::schemes::Scheme;
use crate::wire::facts::{Facts, Opened};
use crate::wire::{self, Kind, whole};

pub(super) const SCHEME: Scheme = Scheme {
    id: wire::Scheme::Toy,
    purpose: "a key of the tests",
    advice: "",
    size: None,
    examples: &["safelight keygen toy --out my.key"],
    offer: Some(|| vec![("shifts", 256.into())]),
    describe,
    #[cfg(feature = "client")]
    keys: crate::schemes::Keys {
        generate: |_, _| Ok(generate()),
        check: |bytes| read(bytes).map(drop),
        public_half: None,
    },
};

#[cfg(feature = "client")]
fn generate() -> crate::schemes::NewKey {
    crate::schemes::NewKey { file: wire::seal(Kind::ToyKey, &[7]).into(), text: "key 7".into() }
}

fn read(bytes: &[u8]) -> Result<u8> {
    match whole(bytes, Kind::ToyKey)? {
        [key] => Ok(*key),
        _ => Err(Error::new(Code::BadHeader, "a toy key has one byte")),
    }
}

fn describe(file: Opened<'_>) -> Result<Facts> {
    let bytes = file.key()?;
    let key = read(&bytes)?;
    Ok(Facts::of_whole(bytes.len()).field("shift", key).line("shift", key.to_string()))
}
