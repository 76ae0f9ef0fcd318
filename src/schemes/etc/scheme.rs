//! `EtC`'s entry in the list of schemes.

use super::wire::read_key;
use crate::error::Result;
use crate::schemes::Scheme;
use crate::wire;
use crate::wire::facts::{Facts, Opened};

/// Encryption-then-compression images.
pub const SCHEME: Scheme = Scheme {
    id: wire::Scheme::Etc,
    purpose: "a key for scrambled pictures (obfuscation, not encryption)",
    advice: "",
    size: None,
    examples: &["safelight keygen etc --out my.key"],
    offer: None,
    describe,
    #[cfg(feature = "client")]
    keys: client::KEYS,
};

fn describe(file: Opened<'_>) -> Result<Facts> {
    let bytes = file.key()?;
    let id = read_key(&bytes)?.id();
    let facts = Facts::of_whole(bytes.len()).field("key_id", id.to_string()).field("bits", 256);
    Ok(facts.line("key", format!("{id}, etc of 256 bits")))
}

#[cfg(feature = "client")]
mod client {
    use super::read_key;
    use crate::error::Result;
    use crate::schemes::etc::MasterKey;
    use crate::schemes::etc::wire::write_key;
    use crate::schemes::{Keys, NewKey};
    use crate::watch::Watch;

    pub(super) const KEYS: Keys = Keys { generate, check: |bytes| read_key(bytes).map(drop), public_half: None };

    fn generate(_: &str, _: &dyn Watch) -> Result<NewKey> {
        let key = MasterKey::random()?;
        Ok(NewKey { file: write_key(&key), text: format!("key {} for scrambled pictures", key.id()) })
    }
}
