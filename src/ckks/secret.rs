//! The secret key: what only the owner has. Nothing here leaves the owner's machine but what is marked as public.

use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng as _, TryCryptoRng};
use zeroize::{Zeroize as _, Zeroizing};

use super::bootstrap::Plan;
use super::ciphertext::{Ciphertext, Seeded};
use super::keys::{Encapsulation, EvaluationKeys, KeyId, PublicKey, SwitchKey};
use super::parameters::{SPARSE_WEIGHT, Secret};
use super::plaintext::Plaintext;
use super::ring::{Basis, Poly, Ring, rotation};
use super::sample::{Seed, gaussian, sparse, ternary, uniform};
use crate::error::{Code, Error, Result};
use crate::math::random;

/// A secret key. Wiped when dropped; it has no `Debug`.
pub struct SecretKey {
    coefficients: Zeroizing<Vec<i8>>,
    /// The same modulo all primes.
    poly: Zeroizing<Poly>,
    id: KeyId,
}

impl SecretKey {
    /// A new key pair.
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

    /// The key with these coefficients, one for each power of `X`, whose public half has this fingerprint.
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

    /// The same, with the seed that half of the ciphertext comes from: so it travels in half the bytes.
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

    /// Opens a ciphertext.
    ///
    /// What comes out is close to what was encrypted, and the difference tells something of the secret key (B. Li,
    /// D. Micciancio, EUROCRYPT 2021): it is for the owner's eyes, not for who computed with the ciphertext.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it was made under another key.
    pub fn decrypt(&self, ring: &Ring, ciphertext: &Ciphertext) -> Result<Plaintext> {
        if ciphertext.key != self.id {
            return Err(Error::new(Code::ForeignKey, "the ciphertext was made under another key"));
        }
        let [b, a] = &ciphertext.parts;
        let mut poly = b.clone();
        poly.mul_add(ring, a, &self.poly);
        let Ciphertext { level, scale, slots, .. } = *ciphertext;
        Ok(Plaintext { poly, level, scale, slots })
    }

    /// The key for products, for ciphertexts up to a level. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn relinearisation_key(&self, ring: &Ring, level: usize, rng: &mut impl TryCryptoRng) -> Result<SwitchKey> {
        let mut square = self.poly.clone();
        square.mul(ring, &self.poly);
        let key = Self::switch_key(ring, (level, ring.special_for(level)), &square, &self.poly, rng);
        square.zeroize();
        key
    }

    /// The key for rotations to the left by so many steps, for ciphertexts up to a level, with its element. Public.
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

    /// The key for an automorphism, for ciphertexts up to a level. Public.
    ///
    /// The automorphism comes after the switching, so the key leads to the secret that the automorphism takes back to ours.
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
        let target = Zeroizing::new(self.poly.automorphism(ring, inverse(element)));
        Self::switch_key(ring, (level, ring.special_for(level)), &self.poly, &target, rng)
    }

    /// The keys with which a server can bootstrap: to a new sparse secret, which nobody keeps, and back. Public.
    ///
    /// # Errors
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encapsulation(&self, ring: &Ring, rng: &mut impl TryCryptoRng) -> Result<Encapsulation> {
        let sparse = sparse(&mut generator(rng)?, ring.degree(), SPARSE_WEIGHT);
        let sparse = Zeroizing::new(Poly::from_small(ring, ring.all(), &sparse));
        let top = (ring.top(), ring.special_for(ring.top()));
        Ok(Encapsulation {
            to_sparse: Self::switch_key(ring, (0, 1), &self.poly, &sparse, rng)?.into(),
            back: Self::switch_key(ring, top, &sparse, &self.poly, rng)?.into(),
        })
    }

    /// All keys that a plan of bootstrapping needs. Public.
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

    /// The key from one secret to another.
    fn switch_key(
        ring: &Ring,
        (level, special): (usize, usize),
        from: &Poly,
        to: &Poly,
        rng: &mut impl TryCryptoRng,
    ) -> Result<SwitchKey> {
        let mut rng = generator(rng)?;
        let seed = new_seed(&mut rng);
        let (all, first) = (ring.extended(level, special), ring.level(level).first);
        let parts = (0u32..).zip((0..=level).step_by(special)).map(|(number, start)| {
            let own = Basis { first: first + start, count: special.min(level + 1 - start) };
            let a = uniform(ring, all, &seed, number);
            let mut b = masked(ring, &a, to, &mut rng);
            b.each(ring, |place, limb| {
                if own.places().contains(&place) {
                    ring.limb(place).scale_add(limb, from.limb(place), ring.product(ring.special(all), place));
                }
            });
            b
        });
        let b = parts.collect();
        Ok(SwitchKey::new(ring, level, special, seed, b))
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
    let mut b = a.clone();
    b.mul(ring, secret);
    b.negate(ring);
    let error = Zeroizing::new(Poly::from_small(ring, a.basis(), &gaussian(rng, ring.degree())));
    b.add(ring, &error);
    b
}

/// The element that undoes another, modulo any power of two.
fn inverse(element: u64) -> u64 {
    // Each step doubles the right bits (Newton); an odd number is its own inverse modulo 8.
    (0..5).fold(element, |x, _| x.wrapping_mul(2u64.wrapping_sub(element.wrapping_mul(x))))
}

/// A generator of our own, whose seed comes from the system's.
fn generator(rng: &mut impl TryCryptoRng) -> Result<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    random::fill(rng, &mut *seed)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// A seed to be published. It is drawn from a generator whose own seed it does not tell.
fn new_seed(rng: &mut ChaCha20Rng) -> Seed {
    use rand_core::Rng as _;
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
