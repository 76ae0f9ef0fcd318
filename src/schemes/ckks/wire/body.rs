//! The bodies of files: the limbs of polynomials, each packed, with its own checksum.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::{Code, Error, Result};
use crate::math::residue::{MOST_BITS, Prime};
use crate::math::{checksum, parallel};
use crate::schemes::ckks::parameters::{ALL, Parameters};
use crate::schemes::ckks::ring::{self, Basis, Poly, Ring};
use crate::wire::Reader;

/// Several polynomials of one basis, as stored in a file.
#[derive(Clone, Debug)]
pub(super) struct Body {
    degree: usize,
    primes: &'static [Prime],
    basis: Basis,
    polynomials: usize,
    header_crc: u32,
}

impl Body {
    /// A body of `polynomials` polynomials modulo the last `special` special primes, followed by the primes of `level`.
    pub(super) fn new(
        parameters: &'static Parameters,
        level: usize,
        special: usize,
        polynomials: usize,
        header_crc: u32,
    ) -> Result<Self> {
        let basis = Basis { first: parameters.special - special, count: special + level + 1 };
        Ok(Self { degree: parameters.degree(), primes: primes(parameters)?, basis, polynomials, header_crc })
    }

    /// The number of limbs.
    pub(super) fn limbs(&self) -> usize {
        self.polynomials * self.basis.count
    }

    /// The length of a limb in bytes, with its checksum.
    pub(super) fn limb_bytes(&self, number: usize) -> usize {
        self.degree / 8 * bits(self.prime(number)) + 4
    }

    /// The length of all limbs in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let one: usize = (0..self.basis.count).map(|number| self.limb_bytes(number)).sum();
        one as u64 * self.polynomials as u64
    }

    /// The bytes of all limbs. The polynomials may have more primes than the body.
    pub(super) fn write(&self, polynomials: &[&Poly], out: &mut Vec<u8>) {
        self.write_each(out, |number, poly, place| self.write_limb(number, polynomials[poly].limb(place)));
    }

    /// Writes limbs as they are computed: `make(number of the limb, of the polynomial, place of the prime)` returns the
    /// residues of one limb. Proceeds polynomial by polynomial, so that not all of them are held twice.
    pub(super) fn write_each(&self, out: &mut Vec<u8>, make: impl Fn(usize, usize, usize) -> Vec<u8> + Sync + Send) {
        for poly in 0..self.polynomials {
            let limbs =
                parallel::map(self.basis.count, |i| make(poly * self.basis.count + i, poly, self.basis.first + i));
            for limb in limbs {
                out.extend(limb);
            }
        }
    }

    pub(super) fn write_limb(&self, number: usize, residues: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.limb_bytes(number));
        pack(residues, bits(self.prime(number)), &mut bytes);
        let crc = self.checksum(number, &bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    /// The polynomials in `bytes`, which must contain nothing else.
    pub(super) fn read(&self, ring: &Ring, bytes: &[u8]) -> Result<Vec<Poly>> {
        let mut reader = Reader::new(bytes);
        let length = usize::try_from(self.bytes())
            .map_err(|_| Error::new(Code::TooLarge, "too large for this machine's memory"))?;
        let body = reader.take(length)?;
        reader.end()?;
        (0..self.polynomials)
            .map(|poly| {
                let words = self.read_poly(poly, &body[length / self.polynomials * poly..])?;
                Ok(Poly::from_words(ring, self.basis, &words))
            })
            .collect()
    }

    /// Reads one polynomial, on all cores.
    fn read_poly(&self, poly: usize, bytes: &[u8]) -> Result<Vec<u64>> {
        let starts: Vec<usize> = (0..self.basis.count)
            .scan(0, |next, number| {
                let start = *next;
                *next += self.limb_bytes(number);
                Some(start)
            })
            .collect();
        // The first fault in file order, whichever core finds one first.
        let fault: Mutex<Option<(usize, Error)>> = Mutex::new(None);
        let mut words = vec![0; self.basis.count * self.degree];
        parallel::each(&mut words, self.degree, |i, limb| {
            let number = poly * self.basis.count + i;
            if let Err(error) = self.read_limb(number, &bytes[starts[i]..][..self.limb_bytes(number)], limb) {
                let mut fault = fault.lock().unwrap_or_else(PoisonError::into_inner);
                if fault.as_ref().is_none_or(|(first, _)| number < *first) {
                    *fault = Some((number, error));
                }
            }
        });
        match fault.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, error)) => Err(error),
            None => Ok(words),
        }
    }

    /// Checks a limb, whose bytes are complete.
    pub(super) fn check_limb(&self, number: usize, bytes: &[u8]) -> Result<()> {
        self.read_limb(number, bytes, &mut vec![0; self.degree])
    }

    fn read_limb(&self, number: usize, bytes: &[u8], residues: &mut [u64]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let packed = reader.take(self.limb_bytes(number) - 4)?;
        if reader.u32()? != self.checksum(number, packed) {
            let message = format!("part {number} of the file is damaged; send or copy the whole file again");
            return Err(Error::new(Code::Damaged, message));
        }
        let prime = self.prime(number);
        unpack(packed, bits(prime), residues);
        // Without a branch for each residue, so that it can be vectorised.
        if residues.iter().fold(false, |wrong, &residue| wrong | (residue >= prime.value())) {
            let message = format!("part {number} of the file has a residue that is too large");
            return Err(Error::new(Code::ResidueOutOfRange, message));
        }
        Ok(())
    }

    fn prime(&self, number: usize) -> Prime {
        self.primes[self.basis.first + number % self.basis.count]
    }

    fn checksum(&self, number: usize, packed: &[u8]) -> u32 {
        let mut hasher = checksum::Hasher::new();
        hasher.update(&self.header_crc.to_le_bytes());
        // Sets have a few dozen primes, and keys have at most as many digits.
        hasher.update(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        hasher.update(packed);
        hasher.finalize()
    }
}

/// The primes of a set, searched once.
pub(super) fn primes(parameters: &'static Parameters) -> Result<&'static [Prime]> {
    static PRIMES: [OnceLock<Vec<Prime>>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
    let place = ALL.iter().position(|set| set.id == parameters.id).unwrap_or_default();
    if PRIMES[place].get().is_none() {
        // Computing it twice does no harm.
        let _ = PRIMES[place].set(ring::primes(parameters)?);
    }
    Ok(PRIMES[place].get().map(Vec::as_slice).unwrap_or_default())
}

/// The length of a prime in bits.
pub(super) const fn bits(prime: Prime) -> usize {
    (u64::BITS - prime.value().leading_zeros()) as usize
}

/// Packs the residues one after another, lowest bit first. Together, their bits fill whole words.
fn pack(residues: &[u64], bits: usize, out: &mut Vec<u8>) {
    let (mut word, mut filled) = (0, 0);
    for &residue in residues {
        word |= residue << filled;
        filled += bits;
        if filled >= 64 {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= 64;
            word = residue >> (bits - filled);
        }
    }
}

/// The inverse of packing. Each residue is extracted from the word that starts at its first byte.
fn unpack(packed: &[u8], bits: usize, residues: &mut [u64]) {
    const _: () = assert!(MOST_BITS <= 56, "seven bits before it, and the residue, fit a word");
    let mask = (1 << bits) - 1;
    for (i, residue) in residues.iter_mut().enumerate() {
        let (byte, shift) = (i * bits / 8, i * bits % 8);
        let word = match packed[byte..].first_chunk() {
            Some(word) => u64::from_le_bytes(*word),
            // Fewer bytes follow the last residues.
            None => packed[byte..].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        *residue = word >> shift & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residues_of_every_length_come_back() {
        for bits in 1..=56usize {
            let residues: Vec<u64> =
                (1..=64u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) & ((1 << bits) - 1)).collect();
            let mut packed = Vec::new();
            pack(&residues, bits, &mut packed);
            assert_eq!(packed.len(), 8 * bits);
            // Bit by bit, for comparison.
            for (i, residue) in residues.iter().enumerate() {
                let bit = |at: usize| u64::from(packed[at / 8] >> (at % 8) & 1);
                assert_eq!((0..bits).map(|b| bit(i * bits + b) << b).sum::<u64>(), *residue);
            }
            let mut again = vec![0; 64];
            unpack(&packed, bits, &mut again);
            assert_eq!(again, residues);
        }
    }
}
