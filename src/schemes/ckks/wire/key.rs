//! Files of public keys and switch keys.

use super::body::Body;
use super::{bad, key_id, level, level_byte, parameters, same_set, top};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::keys::{KeyId, PublicKey, SwitchKey};
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::{CONJUGATION, Ring};
use crate::schemes::ckks::sample::Seed;
use crate::wire::{Checked, Kind, PROLOGUE_BYTES, Reader, in_header, open, seal};

/// The bytes of a public key.
///
/// # Errors
/// [`Code::Internal`], in theory only.
pub fn write_public(ring: &Ring, key: &PublicKey) -> Result<Vec<u8>> {
    let parameters = ring.parameters();
    let header = [&parameters.id.to_le_bytes()[..], &key.id().0, key.seed()].concat();
    let mut bytes = seal(Kind::CkksPublicKey, &header);
    let crc = open(&bytes, Kind::CkksPublicKey)?.crc;
    Body::new(parameters, top(parameters), 0, 1, crc)?.write(&[key.b()], &mut bytes);
    Ok(bytes)
}

/// Reads a public key.
///
/// # Errors
/// As [`open`], and [`Code::UnknownParameters`], [`Code::WrongParameters`], [`Code::BadHeader`] also if the id does not match
/// the key, [`Code::Truncated`], [`Code::TrailingData`], [`Code::Damaged`], [`Code::ResidueOutOfRange`].
pub fn read_public(ring: &Ring, bytes: &[u8]) -> Result<PublicKey> {
    let checked = open(bytes, Kind::CkksPublicKey)?;
    let (parameters, id, seed) = parse_public(checked.header).map_err(in_header)?;
    same_set(ring, parameters)?;
    let body = Body::new(parameters, top(parameters), 0, 1, checked.crc)?;
    let mut polys = body.read(ring, &bytes[PROLOGUE_BYTES + checked.header.len() + 4..])?;
    let b = polys.pop().ok_or_else(|| bad("it has no polynomial"))?;
    let key = PublicKey::new(ring, seed, b);
    if key.id() == id { Ok(key) } else { Err(bad("the key id does not match the key")) }
}

fn parse_public(header: &[u8]) -> Result<(&'static Parameters, KeyId, Seed)> {
    let mut reader = Reader::new(header);
    let fields = (parameters(&mut reader)?, key_id(&mut reader)?, reader.array()?);
    reader.end()?;
    Ok(fields)
}

/// The purpose of a switch key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Products.
    Relinearise,
    /// The automorphism `X -> X^e` with this `e`: a rotation, or [`CONJUGATION`], which is `2 N - 1` in files.
    Galois(u64),
    /// Switching to the sparse secret of bootstrapping.
    ToSparse,
    /// Switching back from it.
    FromSparse,
}

/// A switch key in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its purpose.
    pub purpose: Purpose,
    /// The highest level at which it can be used.
    pub level: usize,
    /// The number of its special primes, which is also the number of primes of each digit.
    pub special: usize,
}

impl Entry {
    /// The entry for `key` with this purpose.
    #[must_use]
    pub fn of(purpose: Purpose, key: &SwitchKey) -> Self {
        Self { purpose, level: key.level(), special: key.special() }
    }

    /// The entry's encoding in a header.
    pub(super) fn write(self, parameters: &Parameters) -> [u8; 7] {
        let (number, element) = match self.purpose {
            Purpose::Relinearise => (1, 0),
            Purpose::Galois(CONJUGATION) => (2, conjugation(parameters)),
            Purpose::Galois(element) => (2, element),
            Purpose::ToSparse => (3, 0),
            Purpose::FromSparse => (4, 0),
        };
        // Elements are below twice the degree.
        let [a, b, c, d] = u32::try_from(element).unwrap_or(u32::MAX).to_le_bytes();
        [number, level_byte(self.level), level_byte(self.special), a, b, c, d]
    }

    pub(super) fn read(reader: &mut Reader<'_>, parameters: &Parameters) -> Result<Self> {
        let number = reader.u8()?;
        let level = level(reader, parameters)?;
        let special = usize::from(reader.u8()?);
        let element = u64::from(reader.u32()?);
        let purpose = match (number, element) {
            (1, 0) => Purpose::Relinearise,
            (2, _) if element == conjugation(parameters) => Purpose::Galois(CONJUGATION),
            (2, 3..) if element % 2 == 1 && element < conjugation(parameters) => Purpose::Galois(element),
            (3, 0) => Purpose::ToSparse,
            (4, 0) => Purpose::FromSparse,
            _ => return Err(bad("a key in it has an unknown purpose")),
        };
        if special == 0 || special > parameters.special {
            return Err(bad("a key in it has too many special primes, or none"));
        }
        Ok(Self { purpose, level, special })
    }
}

/// The largest element.
const fn conjugation(parameters: &Parameters) -> u64 {
    2 * parameters.degree() as u64 - 1
}

/// The contents of a switch key's header.
#[derive(Clone, Debug)]
pub struct SwitchHead {
    /// The parameter set.
    pub parameters: &'static Parameters,
    /// The key pair that it belongs to.
    pub key: KeyId,
    /// Its purpose, level and special primes.
    pub entry: Entry,
    seed: Seed,
    pub(super) header_bytes: usize,
    pub(super) body: Body,
}

/// The length of a switch key's header in bytes, prologue and checksum included.
pub(super) const SWITCH_HEADER_BYTES: usize = PROLOGUE_BYTES + 2 + 16 + 7 + 32 + 4;

impl SwitchHead {
    /// Reads the header at the start of a switch key.
    ///
    /// # Errors
    /// As [`open`], and [`Code::UnknownParameters`], [`Code::BadHeader`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(open(bytes, Kind::CkksSwitchKey)?).map_err(in_header)
    }

    /// The length of the whole file in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.header_bytes as u64 + self.body.bytes()
    }

    fn parse(checked: Checked<'_>) -> Result<Self> {
        let mut reader = Reader::new(checked.header);
        let parameters = parameters(&mut reader)?;
        let key = key_id(&mut reader)?;
        let entry = Entry::read(&mut reader, parameters)?;
        let seed = reader.array()?;
        reader.end()?;
        let body = digits(parameters, entry, checked.crc)?;
        Ok(Self { parameters, key, entry, seed, header_bytes: SWITCH_HEADER_BYTES, body })
    }
}

/// The body of a switch key.
pub(super) fn digits(parameters: &'static Parameters, entry: Entry, header_crc: u32) -> Result<Body> {
    let Entry { level, special, .. } = entry;
    Body::new(parameters, level, special, (level + 1).div_ceil(special), header_crc)
}

/// The bytes of a switch key of this key pair.
///
/// # Errors
/// [`Code::BadHeader`] if the purpose is not valid for the key.
pub fn write_switch(ring: &Ring, id: KeyId, purpose: Purpose, key: &SwitchKey) -> Result<Vec<u8>> {
    let (mut bytes, body) = begin_switch(ring, id, Entry::of(purpose, key), key.seed())?;
    body.write(&key.b().iter().collect::<Vec<_>>(), &mut bytes);
    Ok(bytes)
}

/// The header of a switch key, with capacity for its body, and the body.
pub(super) fn begin_switch(ring: &Ring, id: KeyId, entry: Entry, seed: &Seed) -> Result<(Vec<u8>, Body)> {
    let parameters = ring.parameters();
    let header = [&parameters.id.to_le_bytes()[..], &id.0, &entry.write(parameters), seed].concat();
    let mut bytes = seal(Kind::CkksSwitchKey, &header);
    let body = SwitchHead::read(&bytes)?.body;
    bytes.reserve_exact(usize::try_from(body.bytes()).unwrap_or_default());
    Ok((bytes, body))
}

/// Reads a switch key. The halves that come from its seed are expanded again.
///
/// # Errors
/// As [`SwitchHead::read`], and [`Code::WrongParameters`], [`Code::Truncated`], [`Code::TrailingData`], [`Code::Damaged`],
/// [`Code::ResidueOutOfRange`].
pub fn read_switch(ring: &Ring, bytes: &[u8]) -> Result<(SwitchHead, SwitchKey)> {
    let head = SwitchHead::read(bytes)?;
    same_set(ring, head.parameters)?;
    let b = head.body.read(ring, &bytes[head.header_bytes..])?;
    let key = SwitchKey::new(ring, head.entry.level, head.entry.special, head.seed, b);
    Ok((head, key))
}

/// Checks that a switch key is the expected one: of this set and owner, with this entry.
pub(super) fn expect(head: &SwitchHead, parameters: &Parameters, key: KeyId, entry: Entry) -> Result<()> {
    if head.parameters.id != parameters.id {
        return Err(Error::new(Code::WrongParameters, "a switch key has other parameters than its set"));
    }
    if head.key != key {
        return Err(Error::new(Code::ForeignKey, "a switch key belongs to another key pair than its set"));
    }
    if head.entry != entry {
        return Err(bad("a switch key is not the listed one"));
    }
    Ok(())
}
