//! What a scheme tells the rest of the program about itself.

#[cfg(feature = "client")]
use zeroize::Zeroizing;

use super::ALL;
use crate::error::Result;
#[cfg(feature = "client")]
use crate::watch::Watch;
use crate::wire;
use crate::wire::facts::{Facts, Opened};

/// A scheme.
pub struct Scheme {
    /// Its name, and the number in its files.
    pub id: wire::Scheme,
    /// What its keys are for, for people: "a key for ...".
    pub purpose: &'static str,
    /// What the owner of a key has to know.
    pub advice: &'static str,
    /// The size of its keys, if there is a choice.
    pub size: Option<KeySize>,
    /// Command lines that make a key.
    pub examples: &'static [&'static str],
    /// What a server that computes on its ciphertexts announces; absent if servers need not know the scheme.
    pub offer: Option<Offer>,
    /// Describes one of its files without a key.
    pub describe: fn(Opened<'_>) -> Result<Facts>,
    /// Its secret keys.
    #[cfg(feature = "client")]
    pub keys: Keys,
}

/// Names and values, which follow the scheme's name in `GET /v1`.
pub type Offer = fn() -> Vec<(&'static str, serde_json::Value)>;

/// The option for the size of a new key.
pub struct KeySize {
    /// Its name on the command line.
    pub option: &'static str,
    /// What stands for its value in help texts.
    pub value_name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// The default value.
    pub default: &'static str,
    /// All values. Empty if they are listed elsewhere.
    pub values: &'static [&'static str],
}

/// What can be done with the secret keys of a scheme.
#[cfg(feature = "client")]
pub struct Keys {
    /// Generates a key of this size, which is ignored if there is no choice.
    pub generate: fn(size: &str, watch: &dyn Watch) -> Result<NewKey>,
    /// Fails unless these are the bytes of a secret key's file.
    pub check: fn(&[u8]) -> Result<()>,
    /// The file of the public half of a key, secret or public already; absent if the scheme has none that a secret key yields.
    pub public_half: Option<PublicHalf>,
}

/// The bytes of a key's file to those of its public half's file.
#[cfg(feature = "client")]
pub type PublicHalf = fn(&[u8]) -> Result<Vec<u8>>;

/// A new key.
#[cfg(feature = "client")]
pub struct NewKey {
    /// Its file, which is wiped when dropped.
    pub file: Zeroizing<Vec<u8>>,
    /// What it is, for people.
    pub text: String,
}

impl Scheme {
    /// The scheme with this number, if this build has it.
    #[must_use]
    pub fn find(id: wire::Scheme) -> Option<&'static Self> {
        ALL.iter().copied().find(|scheme| scheme.id == id)
    }

    /// The stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.id.as_str()
    }
}
