//! Generation of evaluation key sets, key by key: a browser does not have the memory for a whole set, and several workers can
//! share the work.

use std::cmp::Reverse;

use rand_core::TryCryptoRng;

use super::key::{Entry, Purpose, begin_switch};
use super::same_set;
use super::set::SetHead;
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::bootstrap::Plan;
use crate::schemes::ckks::keys::KeyId;
use crate::schemes::ckks::ring::{CONJUGATION, Ring, rotation};
use crate::schemes::ckks::secret::{SecretKey, SwitchKeyMaker};

impl Entry {
    /// The entry of the key for products, or for an automorphism, for ciphertexts up to `level`.
    #[must_use]
    pub fn up_to(ring: &Ring, purpose: Purpose, level: usize) -> Self {
        let special = if purpose == Purpose::ToSparse { 1 } else { ring.special_for(level) };
        Self { purpose, level, special }
    }

    /// The entry of the key for rotations to the left by `steps` slots, for ciphertexts up to `level`.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if `steps` rotates nothing.
    pub fn rotation(ring: &Ring, steps: i64, level: usize) -> Result<Self> {
        Self::automorphism(ring, rotation(ring.degree(), steps), level)
    }

    /// The entry of the key for the automorphism with this element, for ciphertexts up to `level`.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the element is invalid or that of the identity.
    pub fn automorphism(ring: &Ring, element: u64, level: usize) -> Result<Self> {
        let last = 2 * ring.degree() as u64 - 1;
        if element == 1 || element.is_multiple_of(2) || element > last {
            let message = format!("the element of an automorphism is an odd number from 3 to {last}, not {element}");
            return Err(Error::new(Code::BadArgument, message));
        }
        let element = if element == last { CONJUGATION } else { element };
        Ok(Self::up_to(ring, Purpose::Galois(element), level))
    }

    /// The entries of all keys that a bootstrapping plan needs.
    #[must_use]
    pub fn bootstrapping(ring: &Ring, plan: &Plan) -> Vec<Self> {
        let galois = plan.keys(ring).into_iter().map(|(element, level)| (Purpose::Galois(element), level));
        let keys = galois.chain([(Purpose::Relinearise, ring.top())]);
        keys.map(|(purpose, level)| Self::up_to(ring, purpose, level)).chain(sparse_pair(ring)).collect()
    }
}

/// The entries of the two bootstrapping keys that are neither for products nor for automorphisms.
fn sparse_pair(ring: &Ring) -> [Entry; 2] {
    [(Purpose::ToSparse, 0), (Purpose::FromSparse, ring.top())]
        .map(|(purpose, level)| Entry::up_to(ring, purpose, level))
}

/// Generates a set part by part. Each part is one key, except for the two bootstrapping keys, which are generated together.
///
/// The header and all parts, one after the other, form the file.
pub struct SetMaker {
    head: SetHead,
}

impl SetMaker {
    /// A maker of these keys. If two keys have the same purpose and number of special primes, only the one for the higher level
    /// is generated, which serves for both.
    ///
    /// # Errors
    /// As [`SetHead::new`], and [`Code::BadArgument`] for a level that the ring does not have, or one bootstrapping key without
    /// the other.
    pub fn new(ring: &Ring, key: KeyId, mut entries: Vec<Entry>) -> Result<Self> {
        if let Some(entry) = entries.iter().find(|entry| entry.level > ring.top()) {
            let message = format!("there is no level {}; the highest is {}", entry.level, ring.top());
            return Err(Error::new(Code::BadArgument, message));
        }
        entries.sort_unstable_by_key(|entry| (entry.purpose, entry.special, Reverse(entry.level)));
        entries.dedup_by_key(|entry| (entry.purpose, entry.special));
        let sparse: Vec<_> = entries.iter().copied().filter(|entry| entry.purpose >= Purpose::ToSparse).collect();
        if !(sparse.is_empty() || sparse == sparse_pair(ring)) {
            let message = "bootstrapping needs two keys: one for level 0, one for the highest";
            return Err(Error::new(Code::BadArgument, message));
        }
        Ok(Self { head: SetHead::new(ring.parameters(), key, entries)? })
    }

    /// A maker of the keys listed in a header.
    ///
    /// # Errors
    /// As [`SetHead::read`] and [`SetMaker::new`], and [`Code::WrongParameters`].
    pub fn of_header(ring: &Ring, bytes: &[u8]) -> Result<Self> {
        let head = SetHead::read(bytes)?;
        same_set(ring, head.parameters())?;
        Self::new(ring, head.key(), head.entries().to_vec())
    }

    /// The header.
    #[must_use]
    pub const fn head(&self) -> &SetHead {
        &self.head
    }

    /// The length of each part in bytes.
    ///
    /// # Errors
    /// [`Code::Internal`] in theory.
    pub fn part_bytes(&self) -> Result<Vec<u64>> {
        let mut lengths: Vec<u64> = self.head.ranges()?.iter().map(|range| range.end - range.start).collect();
        if self.bootstraps() {
            let last = lengths.pop().unwrap_or_default();
            lengths.last_mut().into_iter().for_each(|length| *length += last);
        }
        Ok(lengths)
    }

    /// The bytes of a part.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a part that does not exist; [`Code::ForeignKey`] for another secret than the set's;
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn make(&self, ring: &Ring, secret: &SecretKey, part: usize, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>> {
        if secret.id() != self.head.key() {
            return Err(Error::new(Code::ForeignKey, "these evaluation keys belong to another secret key"));
        }
        let missing = || Error::new(Code::BadArgument, format!("these evaluation keys have no part {part}"));
        let entry = *self.head.entries().get(part).ok_or_else(missing)?;
        let write = |purpose, maker: &SwitchKeyMaker<'_>| write_made(ring, secret.id(), purpose, maker);
        match entry.purpose {
            Purpose::Relinearise => write(entry.purpose, &secret.relinearisation_maker(ring, entry.level, rng)?),
            Purpose::Galois(element) => write(entry.purpose, &secret.galois_maker(ring, element, entry.level, rng)?),
            Purpose::ToSparse => {
                let [to, from] = secret.encapsulation_makers(ring, rng)?;
                let mut bytes = write(Purpose::ToSparse, &to)?;
                bytes.extend(write(Purpose::FromSparse, &from)?);
                Ok(bytes)
            }
            Purpose::FromSparse => Err(missing()),
        }
    }

    /// Whether the two bootstrapping keys, which come last, are in the set.
    fn bootstraps(&self) -> bool {
        self.head.entries().last().is_some_and(|entry| entry.purpose == Purpose::FromSparse)
    }
}

/// The bytes of a switch key, which is generated while it is written.
fn write_made(ring: &Ring, id: KeyId, purpose: Purpose, maker: &SwitchKeyMaker<'_>) -> Result<Vec<u8>> {
    let entry = Entry { purpose, level: maker.level(), special: maker.special() };
    let (mut bytes, body) = begin_switch(ring, id, entry, maker.seed())?;
    body.write_each(&mut bytes, |number, digit, place| {
        let [mut b, mut a] = [(); 2].map(|()| vec![0; ring.degree()]);
        maker.limb(digit, place, &mut b, &mut a);
        body.write_limb(number, &b)
    });
    Ok(bytes)
}
