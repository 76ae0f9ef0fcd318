//! The secret key, which only the owner has. Only values marked as public leave the owner's machine.

mod switching;

use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng as _, TryCryptoRng};
use zeroize::Zeroizing;

use super::bootstrap::Plan;
use super::ciphertext::{Ciphertext, Seeded};
use super::keys::{Encapsulation, EvaluationKeys, KeyId, PublicKey, SwitchKey};
use super::parameters::{SPARSE_WEIGHT, Secret};
use super::plaintext::Plaintext;
use super::ring::{Poly, Ring, rotation};
use super::sample::{Seed, gaussian, sparse, ternary, uniform};
use crate::error::{Code, Error, Result};
use crate::math::random;

use switching::PolyRef;
pub use switching::SwitchKeyMaker;

/// A secret key. Wiped when dropped; it has no `Debug`.
pub struct SecretKey {
    coefficients: Zeroizing<Vec<i8>>,
    /// The coefficients modulo all primes.
    poly: Zeroizing<Poly>,
    id: KeyId,
}

impl SecretKey {
    /// Generates a key pair.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn generate(ring: &Ring, rng: &mut impl TryCryptoRng) -> Result<(Self, PublicKey)> {
        let mut rng = generator(rng)?;
        let coefficients = match ring.parameters().secret {
            Secret::Ternary => ternary(&mut rng, ring.degree()),
            Secret::Sparse(weight) => sparse(&mut rng, ring.degree(), weight),
        };
        let mut this = Self::from_coefficients(ring, coefficients, KeyId([0; 16]));
        let seed = new_seed(&mut rng);
        let a = uniform(ring, ring.level(ring.top()), &seed, 0);
        let public = PublicKey::new(ring, seed, masked(ring, &a, &this.poly, &mut rng));
        this.id = public.id;
        Ok((this, public))
    }

    /// The key with these coefficients, one for each power of `X`. `id` is the fingerprint of its public half.
    pub(crate) fn from_coefficients(ring: &Ring, coefficients: Zeroizing<Vec<i8>>, id: KeyId) -> Self {
        let poly = Zeroizing::new(Poly::from_small(ring, ring.all(), &coefficients));
        Self { coefficients, poly, id }
    }

    /// The coefficients.
    pub(crate) fn coefficients(&self) -> &[i8] {
        &self.coefficients
    }

    /// The fingerprint of the key pair.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Encrypts for the owner.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encrypt(&self, ring: &Ring, plaintext: &Plaintext, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        self.encrypt_seeded(ring, plaintext, rng).map(|seeded| seeded.ciphertext)
    }

    /// Like [`SecretKey::encrypt`], with the seed of one half of the ciphertext, so that only half of the bytes need to be
    /// sent.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encrypt_seeded(&self, ring: &Ring, plaintext: &Plaintext, rng: &mut impl TryCryptoRng) -> Result<Seeded> {
        let mut rng = generator(rng)?;
        let seed = new_seed(&mut rng);
        let a = uniform(ring, plaintext.poly.basis(), &seed, 0);
        let mut b = masked(ring, &a, &self.poly, &mut rng);
        b.add(ring, &plaintext.poly);
        let Plaintext { level, scale, slots, .. } = *plaintext;
        Ok(Seeded { ciphertext: Ciphertext { parts: [b, a], level, scale, slots, key: self.id }, seed })
    }

    /// Decrypts a ciphertext.
    ///
    /// The result is close to the encrypted values, and the difference reveals information about the secret key (B. Li, D.
    /// Micciancio, EUROCRYPT 2021): do not show it to the party that computed on the ciphertext.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it was encrypted under another key.
    pub fn decrypt(&self, ring: &Ring, ciphertext: &Ciphertext) -> Result<Plaintext> {
        if ciphertext.key != self.id {
            return Err(Error::new(Code::ForeignKey, "the ciphertext was encrypted under another key"));
        }
        let [b, a] = &ciphertext.parts;
        let mut poly = b.clone();
        poly.mul_add(ring, a, &self.poly);
        let Ciphertext { level, scale, slots, .. } = *ciphertext;
        Ok(Plaintext { poly, level, scale, slots })
    }

    /// A maker of the relinearisation key, for ciphertexts up to `level`. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn relinearisation_maker<'a>(
        &'a self,
        ring: &'a Ring,
        level: usize,
        rng: &mut impl TryCryptoRng,
    ) -> Result<SwitchKeyMaker<'a>> {
        let mut square = Zeroizing::new(self.poly.restricted(ring, ring.level(level)));
        square.mul(ring, &self.poly);
        let size = (level, ring.special_for(level));
        SwitchKeyMaker::new(ring, size, PolyRef::Made(square), PolyRef::Owner(&self.poly), rng)
    }

    /// A maker of the key for an automorphism, for ciphertexts up to `level`. Public.
    ///
    /// The automorphism follows the switching, so the key leads to the secret that the automorphism maps to this one.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn galois_maker<'a>(
        &'a self,
        ring: &'a Ring,
        element: u64,
        level: usize,
        rng: &mut impl TryCryptoRng,
    ) -> Result<SwitchKeyMaker<'a>> {
        let size = (level, ring.special_for(level));
        let basis = ring.extended(level, size.1);
        let target = Zeroizing::new(self.poly.automorphism_within(ring, basis, inverse(element)));
        SwitchKeyMaker::new(ring, size, PolyRef::Owner(&self.poly), PolyRef::Made(target), rng)
    }

    /// Makers of the keys with which a server can bootstrap: to a new sparse secret, which is not kept, and back. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encapsulation_makers<'a>(
        &'a self,
        ring: &'a Ring,
        rng: &mut impl TryCryptoRng,
    ) -> Result<[SwitchKeyMaker<'a>; 2]> {
        let small = sparse(&mut generator(rng)?, ring.degree(), SPARSE_WEIGHT);
        let sparse = |basis| PolyRef::Made(Zeroizing::new(Poly::from_small(ring, basis, &small)));
        let (low, top) = ((0, 1), (ring.top(), ring.special_for(ring.top())));
        Ok([
            SwitchKeyMaker::new(ring, low, PolyRef::Owner(&self.poly), sparse(ring.extended(0, 1)), rng)?,
            SwitchKeyMaker::new(ring, top, sparse(ring.level(top.0)), PolyRef::Owner(&self.poly), rng)?,
        ])
    }

    /// The relinearisation key, for ciphertexts up to `level`. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn relinearisation_key(&self, ring: &Ring, level: usize, rng: &mut impl TryCryptoRng) -> Result<SwitchKey> {
        Ok(self.relinearisation_maker(ring, level, rng)?.key())
    }

    /// The key for rotations to the left by `steps`, for ciphertexts up to `level`, with its element. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn rotation_key(
        &self,
        ring: &Ring,
        steps: i64,
        level: usize,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(u64, SwitchKey)> {
        let element = rotation(ring.degree(), steps);
        Ok((element, self.galois_key(ring, element, level, rng)?))
    }

    /// The key for an automorphism, for ciphertexts up to `level`. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn galois_key(
        &self,
        ring: &Ring,
        element: u64,
        level: usize,
        rng: &mut impl TryCryptoRng,
    ) -> Result<SwitchKey> {
        Ok(self.galois_maker(ring, element, level, rng)?.key())
    }

    /// The keys with which a server can bootstrap. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encapsulation(&self, ring: &Ring, rng: &mut impl TryCryptoRng) -> Result<Encapsulation> {
        let [to_sparse, back] = self.encapsulation_makers(ring, rng)?.map(|maker| maker.key());
        Ok(Encapsulation::new(to_sparse, back))
    }

    /// All keys that a bootstrapping plan needs. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn bootstrapping_keys(&self, ring: &Ring, plan: &Plan, rng: &mut impl TryCryptoRng) -> Result<EvaluationKeys> {
        let mut keys = EvaluationKeys::new(self.id);
        keys.insert_relinearise(self.relinearisation_key(ring, ring.top(), rng)?);
        keys.set_encapsulation(self.encapsulation(ring, rng)?);
        for (element, level) in plan.keys(ring) {
            keys.insert_galois(element, self.galois_key(ring, element, level, rng)?);
        }
        Ok(keys)
    }
}

impl PublicKey {
    /// Encrypts for the owner of the secret key.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encrypt(&self, ring: &Ring, plaintext: &Plaintext, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        let mut rng = generator(rng)?;
        let basis = plaintext.poly.basis();
        let mask = Zeroizing::new(Poly::from_small(ring, basis, &ternary(&mut rng, ring.degree())));
        let mut parts = [&self.b, &self.a].map(|half| {
            let mut part = Poly::from_small(ring, basis, &gaussian(&mut rng, ring.degree()));
            part.mul_add(ring, &mask, half);
            part
        });
        parts[0].add(ring, &plaintext.poly);
        let Plaintext { level, scale, slots, .. } = *plaintext;
        Ok(Ciphertext { parts, level, scale, slots, key: self.id })
    }
}

/// `-a s + e` for a secret `s`, whose basis may be larger.
fn masked(ring: &Ring, a: &Poly, secret: &Poly, rng: &mut ChaCha20Rng) -> Poly {
    let mut b = Poly::from_small(ring, a.basis(), &gaussian(rng, ring.degree()));
    b.mul_sub(ring, a, secret);
    b
}

/// The inverse of an element modulo any power of two.
fn inverse(element: u64) -> u64 {
    // Each step doubles the number of correct bits (Newton); an odd number is its own inverse modulo 8.
    (0..5).fold(element, |x, _| x.wrapping_mul(2u64.wrapping_sub(element.wrapping_mul(x))))
}

/// A generator that is seeded from `rng`.
fn generator(rng: &mut impl TryCryptoRng) -> Result<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    random::fill(rng, &mut *seed)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// A seed to be published. It does not reveal the seed of the generator that it is drawn from.
fn new_seed(rng: &mut ChaCha20Rng) -> Seed {
    use rand_core::Rng as _;
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
