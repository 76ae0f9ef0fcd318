//! A known-answer test of the arithmetic, for machines that we cannot test in advance: a key, a relinearisation key and a
//! ciphertext of the smallest set from a fixed seed, and the decrypted numbers.

use std::hint::black_box;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha2::{Digest as _, Sha256};

use super::encode::Encoder;
use super::parameters::SMALL;
use super::ring::Ring;
use super::secret::SecretKey;
use crate::error::Result;
use crate::math::hex::hex;

/// The SHA-256 of all of these, computed by the portable kernel.
const ANSWER: &str = "8f7f46dcd6ec45fad7abf7199e3eecaf3cb14371e4008f4ff9d20fc76726ac44";

/// Whether this machine returns the known answer. Takes a few hundredths of a second.
#[must_use]
pub fn arithmetic_is_right() -> bool {
    // The compiler must not precompute the answer.
    Ring::new(&SMALL).and_then(|ring| answer(&ring)).is_ok_and(|answer| answer == black_box(ANSWER))
}

fn answer(ring: &Arc<Ring>) -> Result<String> {
    let mut digest = Sha256::new();
    let mut hash = |words: &[u64]| words.iter().for_each(|word| digest.update(word.to_le_bytes()));
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let (secret, public) = SecretKey::generate(ring, &mut rng)?;
    hash(public.b().words());
    for b in secret.relinearisation_maker(ring, 1, &mut rng)?.key().b() {
        hash(b.words());
    }
    let encoder = Encoder::new(ring);
    let numbers: Vec<f64> = (0..64u8).map(|i| f64::from(i) / 7.0 - 4.0).collect();
    let plaintext = encoder.encode_real(ring, &numbers, numbers.len(), 3, ring.scale(3))?;
    let ciphertext = secret.encrypt(ring, &plaintext, &mut rng)?;
    ciphertext.parts().iter().for_each(|part| hash(part.words()));
    let opened = secret.decrypt(ring, &ciphertext)?.decode(ring, &encoder);
    hash(&opened.iter().map(|number| number.re.to_bits()).collect::<Vec<_>>());
    Ok(hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::kernel::Kernel;

    #[test]
    fn every_kernel_gives_the_answer() {
        for kernel in Kernel::all() {
            let ring = Ring::with_kernel(&SMALL, kernel).expect("a ring");
            assert_eq!(answer(&ring).expect("an answer"), ANSWER, "{kernel:?}");
        }
        assert!(arithmetic_is_right());
    }
}
