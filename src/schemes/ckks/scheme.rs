//! The entry of CKKS in the list of schemes.

use serde_json::json;

use super::parameters::{ALL, Parameters};
use super::ring::Ring;
#[cfg(feature = "ckks-secret")]
use super::wire::check_secret;
use super::wire::{Checker, SetHead, owner, read_ciphertext, read_plaintext, read_public, read_switch};
use crate::error::Result;
use crate::schemes::{KeySize, Scheme};
use crate::wire::facts::{Facts, Opened};
use crate::wire::{self, Kind};

/// The largest file that is checked in memory, in bytes. Ciphertexts and switch keys are far smaller.
const LONGEST: u64 = 1 << 30;
/// The number of bytes of a key set that are read at a time.
const PIECE: usize = 256 << 10;

/// CKKS.
pub const SCHEME: Scheme = Scheme {
    id: wire::Scheme::Ckks,
    purpose: "a key for encrypted vectors (CKKS), which networks classify",
    advice: "",
    size: Some(KeySize {
        option: "set",
        value_name: "SET",
        help: "Parameter set (see `safelight ckks sets`)",
        default: "small",
        values: &[],
    }),
    examples: &[
        "safelight keygen ckks --out my.vectors.key",
        "safelight keygen ckks --set leveled-14 --out my.vectors.key",
    ],
    offer: Some(|| vec![("parameters", json!(ALL.map(|set| set.name)))]),
    describe,
    #[cfg(feature = "client")]
    keys: client::KEYS,
};

fn describe(file: Opened<'_>) -> Result<Facts> {
    let (parameters, key) = owner(&file.header)?;
    let facts = if file.check { Facts::of_whole(check(file, parameters)?) } else { Facts::default() };
    let facts = facts.field("parameters", parameters.name).line("parameters", format!("ckks {}", parameters.name));
    Ok(match key {
        // Plaintexts have no key.
        None => facts,
        Some(key) => facts.field("key_id", key.to_string()).line("key", key.to_string()),
    })
}

/// Checks all of a file and returns its length in bytes.
fn check(mut file: Opened<'_>, parameters: &'static Parameters) -> Result<usize> {
    if file.kind == Kind::CkksEvaluationKeys {
        return check_set(&mut file);
    }
    let kind = file.kind;
    let bytes = file.whole(LONGEST)?;
    if kind == Kind::CkksSecretKey {
        return check_secret(&bytes).map(|()| bytes.len());
    }
    let ring = Ring::new(parameters)?;
    match kind {
        Kind::CkksCiphertext => read_ciphertext(&ring, &bytes).map(drop),
        Kind::CkksPlaintext => read_plaintext(&ring, &bytes).map(drop),
        Kind::CkksPublicKey => read_public(&ring, &bytes).map(drop),
        _ => read_switch(&ring, &bytes).map(drop),
    }?;
    Ok(bytes.len())
}

/// Checks a set of evaluation keys, which may be larger than the memory.
fn check_set(file: &mut Opened<'_>) -> Result<usize> {
    let total = SetHead::read(&file.header)?.total_bytes()?;
    let mut checker = Checker::new(total);
    checker.push(&file.header)?;
    let (mut piece, mut done) = (vec![0; PIECE], file.header.len());
    loop {
        file.watch.check()?;
        file.watch.progress(done as u64, total);
        match file.rest.read(&mut piece)? {
            0 => break,
            read => {
                checker.push(&piece[..read])?;
                done += read;
            }
        }
    }
    checker.finish()?;
    Ok(done)
}

#[cfg(not(feature = "ckks-secret"))]
fn check_secret(_: &[u8]) -> Result<()> {
    use crate::error::{Code, Error};
    Err(Error::new(Code::BadArgument, "this build has no support for secret keys and cannot check one"))
}

#[cfg(feature = "client")]
mod client {
    use crate::error::Result;
    use crate::math::random;
    use crate::schemes::ckks::parameters::Parameters;
    use crate::schemes::ckks::ring::Ring;
    use crate::schemes::ckks::secret::SecretKey;
    use crate::schemes::ckks::wire::{check_secret, write_secret};
    use crate::schemes::{Keys, NewKey};
    use crate::watch::Watch;

    // The public half is generated with the secret one, from randomness that is not kept.
    pub(super) const KEYS: Keys = Keys { generate, check: check_secret, public_half: None };

    fn generate(set: &str, _: &dyn Watch) -> Result<NewKey> {
        let ring = Ring::new(Parameters::named(set)?)?;
        let (key, _) = SecretKey::generate(&ring, &mut random::system())?;
        Ok(NewKey { file: write_secret(&ring, &key), text: format!("secret key {} for vectors", key.id()) })
    }
}
