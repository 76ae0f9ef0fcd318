//! Transfers a key to a worker of the same program, or restores it from storage that only this program can write.
//!
//! Reading a key file tests the primes and searches for generators, which takes longer than encrypting a small photo. This
//! module transfers the results. The bytes are trusted: they must come directly from [`SecretKey::to_worker`] in the same
//! program, and are never written to a file.

use num_bigint::BigUint;
use zeroize::Zeroizing;

use super::SecretKey;
use super::half::Half;
use crate::error::{Code, Error, Result};
use crate::schemes::paillier::PublicKey;

impl SecretKey {
    /// The key as bytes for [`Self::from_worker`]: `p` and `q`, then a generator for each, all bits/8 bytes long. An unknown
    /// generator is zero.
    #[must_use]
    pub fn to_worker(&self) -> Zeroizing<Vec<u8>> {
        let length = usize::from(self.public.bits()) / 8;
        let parts = [&self.p, &self.q];
        let generators = parts.map(|half| half.generator_bytes().unwrap_or_default());
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * length));
        for (i, part) in parts.map(Half::prime_bytes).into_iter().chain(generators).enumerate() {
            bytes.extend(part);
            bytes.resize((i + 1) * length, 0);
        }
        bytes
    }

    /// Restores a key from the bytes of [`Self::to_worker`] without testing it again.
    ///
    /// # Errors
    /// [`Code::Internal`] if the bytes are anything else.
    pub fn from_worker(bytes: &[u8]) -> Result<Self> {
        let nothing = || Error::new(Code::Internal, "the bytes handed over are not a key");
        let length = bytes.len() / 4;
        if length == 0 || !bytes.len().is_multiple_of(4) {
            return Err(nothing());
        }
        let parts: Vec<_> = bytes.chunks_exact(length).collect();
        let [p, q] = [0, 1].map(|i| BigUint::from_bytes_le(parts[i]));
        let generators = [2, 3].map(|i| {
            let known = parts[i].iter().any(|&byte| byte != 0);
            known.then(|| Zeroizing::new(parts[i].to_vec()))
        });
        let public = PublicKey::new(&p * &q).map_err(|_| nothing())?;
        Self::assemble(public, [&p, &q], generators).ok_or_else(nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::random;
    use crate::schemes::paillier::Origin;

    #[test]
    fn what_arrives_is_the_same_key() {
        let key = SecretKey::generate(2048, &mut random::system()).expect("a key");
        let same = SecretKey::from_worker(&key.to_worker()).expect("handed over");
        assert_eq!(same.public().id(), key.public().id());
        assert_eq!(same.primes(), key.primes());
        assert!(same.derives_masks());
        let origin = Origin::random().expect("an origin");
        let masks = |key: &SecretKey| key.prepare_masks(&origin, 5, 3).expect("masks").to_vec();
        assert_eq!(masks(&same), masks(&key));
        let number = (-77).into();
        let sealed = same.encrypt(&number, &mut random::system()).expect("encrypted");
        assert_eq!(key.decrypt(&sealed).expect("decrypted"), number);
    }

    #[test]
    fn a_key_without_known_generators_stays_one() {
        let text = include_bytes!("../../../../tests/vectors/valid/published-test-2048.key");
        let key = crate::schemes::paillier::wire::key::read_secret(text).expect("the test key");
        let same = SecretKey::from_worker(&key.to_worker()).expect("handed over");
        assert_eq!(same.derives_masks(), key.derives_masks());
        assert_eq!(same.primes(), key.primes());
    }

    #[test]
    fn nonsense_is_no_key() {
        for bytes in [&[][..], &[1], &[1; 4], &[0; 1024], &[255; 1024]] {
            assert_eq!(SecretKey::from_worker(bytes).err().map(|error| error.kind()), Some(Code::Internal));
        }
    }
}
