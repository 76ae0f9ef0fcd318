//! Paillier's entry in the list of schemes.

use std::io::{Cursor, Read as _};

use serde_json::json;

use super::KeyId;
use super::key::MODULUS_BITS;
use super::stream::{Limits, check_image};
use super::wire::image::Frames;
use super::wire::key as key_file;
use crate::error::{Code, Error, Result};
use crate::schemes::{KeySize, Scheme};
use crate::wire::facts::{Facts, Opened};
use crate::wire::{self, Kind};

/// Paillier.
pub const SCHEME: Scheme = Scheme {
    id: wire::Scheme::Paillier,
    purpose: "a key for exact linear filters (Paillier)",
    advice: "Anyone with this file can decrypt your photos. If you lose it, no one can.",
    size: Some(KeySize {
        option: "bits",
        value_name: "BITS",
        help: "Key length in bits: 2048 gives 112-bit security, 3072 gives 128, 4096 about 150",
        default: "3072",
        values: &["2048", "3072", "4096"],
    }),
    examples: &[
        "safelight keygen paillier --out my.key",
        "safelight keygen paillier --passphrase --out my.key.age",
        "safelight keygen paillier --bits 2048 --out quick.key",
    ],
    offer: Some(|| vec![("modulus_bits", json!(MODULUS_BITS))]),
    describe,
    #[cfg(feature = "client")]
    keys: client::KEYS,
};

fn describe(file: Opened<'_>) -> Result<Facts> {
    match file.kind {
        Kind::PaillierImage => image(file),
        Kind::PaillierPublicKey => {
            let bytes = file.key()?;
            let key = key_file::read_public(&bytes)?;
            Ok(with_key(Facts::of_whole(bytes.len()), key.id(), key.bits()))
        }
        _ => secret_key(file),
    }
}

fn with_key(facts: Facts, id: KeyId, bits: u16) -> Facts {
    let text = format!("{id}, paillier of {bits} bits");
    facts.field("key_id", id.to_string()).field("bits", bits).line("key", text)
}

/// Reads the public facts at the start of a secret key's header.
fn secret_key(file: Opened<'_>) -> Result<Facts> {
    let check = file.check;
    let bytes = file.key()?;
    if check {
        check_secret(&bytes)?;
    }
    let header = wire::open(&bytes, Kind::PaillierSecretKey)?.header;
    let short = || Error::new(Code::BadHeader, "the key's header is too short");
    let (bits, rest) = header.split_first_chunk::<2>().ok_or_else(short)?;
    let id = rest.first_chunk::<16>().ok_or_else(short)?;
    let facts = Facts { checked: check, ..Facts::of_whole(bytes.len()) };
    Ok(with_key(facts, KeyId(*id), u16::from_le_bytes(*bits)))
}

fn image(file: Opened<'_>) -> Result<Facts> {
    let frames = Frames::read(&file.header)?;
    let facts = if file.check {
        check_image(&mut Cursor::new(&*file.header).chain(file.rest), &Limits::OWN_FILES, file.watch)?;
        Facts { bytes: Some(frames.total_bytes()), checked: true, ..Facts::default() }
    } else {
        Facts::default()
    };
    let head = &frames.head;
    let (layout, encoding) = (&head.layout, &head.encoding);
    let filters: Vec<_> = head.history.split("; ").filter(|filter| !filter.is_empty()).collect();
    let colours = if layout.channels == 1 { "grey" } else { "RGB" };
    let facts = with_key(facts, head.key.id(), head.key.bits())
        .field("width", layout.width)
        .field("height", layout.height)
        .field("channels", layout.channels)
        .line("picture", format!("{} x {} pixels, {colours}", layout.width, layout.height))
        .field("tiles", layout.grid)
        .line("tiles", format!("{} x {}", layout.grid.0, layout.grid.1))
        .field("halo", layout.halo)
        .line("halo", format!("{} x {} pixels, {} border", layout.halo.0, layout.halo.1, layout.border.as_str()))
        .field("slot_bits", layout.slot_bits)
        .line("slots", format!("{} bits each", layout.slot_bits))
        .field("border", layout.border.as_str())
        .field("range", (encoding.low, encoding.high))
        .field("divisor", encoding.divisor)
        .line("values", format!("{} to {}, divided by {}", encoding.low, encoding.high, encoding.divisor))
        .field("filters", &filters)
        .line("filters", if filters.is_empty() { "none".into() } else { filters.join(", then ") })
        .field("ciphertexts", head.ciphertexts())
        .line("ciphertexts", head.ciphertexts().to_string())
        .field("complete_bytes", frames.total_bytes());
    Ok(Facts { complete_bytes: Some(frames.total_bytes()), ..facts })
}

#[cfg(not(feature = "client"))]
fn check_secret(_: &[u8]) -> Result<()> {
    Err(Error::new(Code::BadArgument, "this build has no support for secret keys and cannot check one"))
}
#[cfg(feature = "client")]
use client::check_secret;

#[cfg(feature = "client")]
mod client {
    use super::key_file::{read_public, read_secret, write_public, write_secret};
    use crate::error::{Code, Error, Result};
    use crate::math::random;
    use crate::schemes::paillier::KeySearch;
    use crate::schemes::{Keys, NewKey};
    use crate::watch::Watch;
    use crate::wire::{Kind, Prologue};

    pub(super) const KEYS: Keys = Keys { generate, check: check_secret, public_half: Some(public_half) };

    fn generate(bits: &str, watch: &dyn Watch) -> Result<NewKey> {
        let bits = bits.parse().map_err(|_| Error::new(Code::BadArgument, "the length of the key must be a number"))?;
        let mut search = KeySearch::new(bits)?;
        let mut rng = random::system();
        let mut tried = 0;
        loop {
            watch.check()?;
            // The number of candidates needed is random, so the total is unknown.
            watch.progress(tried, 0);
            tried += 1;
            if let Some(key) = search.step(&mut rng)? {
                let text = format!("secret key {} of {bits} bits", key.public().id());
                return Ok(NewKey { file: write_secret(&key), text });
            }
        }
    }

    pub(super) fn check_secret(bytes: &[u8]) -> Result<()> {
        read_secret(bytes).map(drop)
    }

    fn public_half(bytes: &[u8]) -> Result<Vec<u8>> {
        if Prologue::parse(bytes)?.kind == Kind::PaillierPublicKey {
            return read_public(bytes).map(|key| write_public(&key));
        }
        read_secret(bytes).map(|key| write_public(key.public()))
    }
}
