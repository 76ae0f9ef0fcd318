//! Files of vectors, encrypted and in the clear.

use super::body::{Body, bits, primes};
use super::{bad, key_id, level, level_byte, parameters, same_set};
use crate::error::Result;
use crate::schemes::ckks::ciphertext::{Ciphertext, Seeded};
use crate::schemes::ckks::keys::KeyId;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::plaintext::Plaintext;
use crate::schemes::ckks::ring::{Poly, Ring};
use crate::schemes::ckks::sample::{Seed, uniform};
use crate::wire::{Checked, Kind, PROLOGUE_BYTES, Reader, in_header, open, seal};

/// The binary logarithm of the largest scale, more than the square of any set's scale.
const MOST_SCALE_BITS: usize = 120;

/// The contents of a vector's header.
#[derive(Clone, Debug)]
pub struct VectorHead {
    /// The parameter set.
    pub parameters: &'static Parameters,
    /// The key of a ciphertext.
    pub key: Option<KeyId>,
    /// The level.
    pub level: usize,
    /// The number of values, a power of two.
    pub slots: usize,
    /// The factor by which the values were multiplied.
    pub scale: f64,
    /// The seed of `c_1`, if it is not in the file.
    pub seed: Option<Seed>,
    header_bytes: usize,
    body: Body,
}

impl VectorHead {
    /// Reads the header at the start of a ciphertext.
    ///
    /// # Errors
    /// As [`open`], and [`Code::UnknownParameters`](crate::error::Code::UnknownParameters),
    /// [`Code::BadHeader`](crate::error::Code::BadHeader).
    pub fn of_ciphertext(bytes: &[u8]) -> Result<Self> {
        let checked = open(bytes, Kind::CkksCiphertext)?;
        Self::parse(checked, true).map_err(in_header)
    }

    /// Reads the header at the start of a plaintext.
    ///
    /// # Errors
    /// As [`VectorHead::of_ciphertext`].
    pub fn of_plaintext(bytes: &[u8]) -> Result<Self> {
        let checked = open(bytes, Kind::CkksPlaintext)?;
        Self::parse(checked, false).map_err(in_header)
    }

    /// The length of the whole file in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.header_bytes as u64 + self.body.bytes()
    }

    fn parse(checked: Checked<'_>, encrypted: bool) -> Result<Self> {
        let mut reader = Reader::new(checked.header);
        let parameters = parameters(&mut reader)?;
        let key = if encrypted { Some(key_id(&mut reader)?) } else { None };
        let level = level(&mut reader, parameters)?;
        let form = if encrypted { reader.u8()? } else { 1 };
        let slots = reader.u32()? as usize;
        let scale = reader.f64()?;
        let seed = if encrypted && form == 1 { Some(reader.array()?) } else { None };
        reader.end()?;
        if form > 1 {
            return Err(bad("its form of ciphertext is unknown"));
        }
        if !slots.is_power_of_two() || slots > parameters.slots() {
            return Err(bad("its number of slots is not a power of two, or too large"));
        }
        let room: usize = primes(parameters)?[parameters.special..][..=level].iter().map(|&prime| bits(prime)).sum();
        let most = libm::exp2(f64::from(u16::try_from(room.min(MOST_SCALE_BITS)).unwrap_or_default()));
        // NaN is in no range.
        if !(1.0..=most).contains(&scale) {
            return Err(bad("its scale is out of range for its level"));
        }
        let polynomials = if form == 0 { 2 } else { 1 };
        let body = Body::new(parameters, level, 0, polynomials, checked.crc)?;
        let header_bytes = PROLOGUE_BYTES + checked.header.len() + 4;
        Ok(Self { parameters, key, level, slots, scale, seed, header_bytes, body })
    }

    fn read(&self, ring: &Ring, bytes: &[u8]) -> Result<Vec<Poly>> {
        same_set(ring, self.parameters)?;
        self.body.read(ring, &bytes[self.header_bytes..])
    }
}

/// The bytes of a ciphertext.
///
/// # Errors
/// [`Code::Internal`](crate::error::Code::Internal), in theory only: every computed ciphertext has a valid header.
pub fn write_ciphertext(ring: &Ring, ciphertext: &Ciphertext) -> Result<Vec<u8>> {
    let header = ciphertext_header(ring, ciphertext, None);
    write(Kind::CkksCiphertext, &header, &ciphertext.parts().each_ref())
}

/// The bytes of a ciphertext whose second half comes from a seed.
///
/// # Errors
/// As [`write_ciphertext`].
pub fn write_seeded(ring: &Ring, seeded: &Seeded) -> Result<Vec<u8>> {
    let header = ciphertext_header(ring, &seeded.ciphertext, Some(seeded.seed()));
    write(Kind::CkksCiphertext, &header, &[&seeded.ciphertext.parts()[0]])
}

/// Reads a ciphertext. Whether it is under the right key is checked when it is used.
///
/// # Errors
/// As [`VectorHead::of_ciphertext`], and of [`Code`](crate::error::Code) `WrongParameters`, `Truncated`, `TrailingData`,
/// `Damaged`, `ResidueOutOfRange`.
pub fn read_ciphertext(ring: &Ring, bytes: &[u8]) -> Result<Ciphertext> {
    let head = VectorHead::of_ciphertext(bytes)?;
    let mut parts = head.read(ring, bytes)?;
    if let Some(seed) = &head.seed {
        parts.push(uniform(ring, ring.level(head.level), seed, 0));
    }
    let (Ok(parts), Some(key)) = (<[Poly; 2]>::try_from(parts), head.key) else {
        return Err(bad("its parts are not those of a ciphertext"));
    };
    Ok(Ciphertext::from_parts(parts, head.level, head.scale, head.slots, key))
}

/// The bytes of a plaintext.
///
/// # Errors
/// As [`write_ciphertext`].
pub fn write_plaintext(ring: &Ring, plaintext: &Plaintext) -> Result<Vec<u8>> {
    let mut header = ring.parameters().id.to_le_bytes().to_vec();
    header.push(level_byte(plaintext.level()));
    header.extend(numbers(plaintext.slots(), plaintext.scale()));
    write(Kind::CkksPlaintext, &header, &[plaintext.poly()])
}

/// Reads a plaintext.
///
/// # Errors
/// As [`read_ciphertext`].
pub fn read_plaintext(ring: &Ring, bytes: &[u8]) -> Result<Plaintext> {
    let head = VectorHead::of_plaintext(bytes)?;
    let mut polys = head.read(ring, bytes)?;
    let poly = polys.pop().ok_or_else(|| bad("it has no numbers"))?;
    Ok(Plaintext::from_parts(poly, head.level, head.scale, head.slots))
}

fn ciphertext_header(ring: &Ring, ciphertext: &Ciphertext, seed: Option<&Seed>) -> Vec<u8> {
    let mut header = ring.parameters().id.to_le_bytes().to_vec();
    header.extend(ciphertext.key().0);
    header.extend([level_byte(ciphertext.level()), u8::from(seed.is_some())]);
    header.extend(numbers(ciphertext.slots(), ciphertext.scale()));
    header.extend(seed.into_iter().flatten());
    header
}

/// The encoding of slots and scale. No set has 2^32 slots.
fn numbers(slots: usize, scale: f64) -> Vec<u8> {
    [&u32::try_from(slots).unwrap_or(u32::MAX).to_le_bytes()[..], &scale.to_le_bytes()].concat()
}

/// Reads the written header back, to ensure that it is readable.
fn write(kind: Kind, header: &[u8], polys: &[&Poly]) -> Result<Vec<u8>> {
    let mut bytes = seal(kind, header);
    let encrypted = kind == Kind::CkksCiphertext;
    let head = if encrypted { VectorHead::of_ciphertext(&bytes) } else { VectorHead::of_plaintext(&bytes) }?;
    bytes.reserve_exact(usize::try_from(head.body.bytes()).unwrap_or_default());
    head.body.write(polys, &mut bytes);
    Ok(bytes)
}
