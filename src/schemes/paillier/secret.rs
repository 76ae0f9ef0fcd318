//! Secret keys: generation, the owner's encryption and decryption. Compiled only with the feature `client`.
//!
//! The owner works modulo `p^2` and `q^2` and joins the halves by the Chinese remainder theorem (Paillier 1999, section 7). A
//! mask `r^n mod p^2` is uniform among the `p - 1` residues that are `p`-th powers. These form a cyclic group, and keys
//! generated here know a generator `h` of it (`g^p` for a generator `g` modulo `p`). With a uniform `e` below `p - 1`, `h^e` is
//! exactly such a mask, and cheap with a table of `h` ([`crate::math::comb`]). For a key without a known generator, the mask is
//! `y^p` with a uniform `y`. So the owner's ciphertexts have the same distribution as everyone else's.
//!
//! If the exponent of a ciphertext's mask is known, one more power removes the mask, and the remainder shows whether this was
//! the right mask (module `masks`). For other ciphertexts, `c^(p-1)` has no mask.
//!
//! Stored secret numbers are wiped on drop. `num-bigint` leaves copies of intermediate values in freed memory; wiping guards
//! against leaks through files and logs, not against an attacker who can read the process.

mod half;
mod handover;
pub(crate) mod masks;
mod search;

use std::sync::Arc;

use num_bigint::{BigInt, BigUint};
use num_integer::Integer as _;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

pub use search::KeySearch;

use super::ciphertext::Ciphertext;
use super::key::{MODULUS_BITS, PublicKey};
use super::origin::Origin;
use crate::error::{Code, Error, Result};
use crate::math::comb::Lookup;
use crate::math::montgomery::{Limb, from_limbs, to_limbs};
use crate::math::pair::Batch;
use crate::math::parallel;
use crate::math::{prime, random};
use half::Half;
use masks::{Exponents, MaskSeed};

/// A secret key. It has no `Debug` and no `Clone`, and its numbers are wiped when it is dropped.
pub struct SecretKey {
    public: Arc<PublicKey>,
    p: Half,
    q: Half,
    /// `1 / p^2` modulo `q^2`, to join the halves of a ciphertext: times `R` for numbers in Montgomery form, and negated and
    /// times `R^3` for loaded numbers.
    join: [Batch; 2],
}

/// Masks modulo `p^2` and modulo `q^2`.
pub(crate) type Masks = [Batch; 2];

impl SecretKey {
    /// Makes a key in a single call.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a size not in [`MODULUS_BITS`], [`Code::NoRandomness`].
    pub fn generate(bits: u16, rng: &mut impl TryCryptoRng) -> Result<Self> {
        let mut search = KeySearch::new(bits)?;
        loop {
            if let Some(key) = search.step(rng)? {
                return Ok(key);
            }
        }
    }

    /// Makes a key from its primes.
    ///
    /// # Errors
    /// [`Code::BadSecretKey`] if they are equal, composite, or not each of half an allowed size.
    pub fn from_primes(p: &BigUint, q: &BigUint) -> Result<Self> {
        let bad = |what: &str| {
            Error::new(
                Code::BadSecretKey,
                format!("the secret key's numbers are inconsistent: {what}; use another key file"),
            )
        };
        let n = p * q;
        let Some(bits) = MODULUS_BITS.into_iter().map(u64::from).find(|&bits| n.bits() == bits) else {
            return Err(bad("its size is not supported"));
        };
        if p == q || p.bits() != bits / 2 || q.bits() != bits / 2 {
            return Err(bad("the primes must differ and be of half the size"));
        }
        let mut rng = random::system();
        // The primes were tested thoroughly when the key was made. This test detects files that never contained a key.
        if !prime::is_prime(p, 2, &mut rng)? || !prime::is_prime(q, 2, &mut rng)? {
            return Err(bad("one of the primes is composite"));
        }
        let public = PublicKey::new(n).map_err(|_| bad("the modulus is invalid"))?;
        let generators = [Half::find_generator(p)?, Half::find_generator(q)?];
        Self::assemble(public, [p, q], generators).ok_or_else(|| bad("the primes are not coprime"))
    }

    /// Makes a key from checked parts. Returns `None` if the primes are not coprime.
    fn assemble(
        public: PublicKey,
        [p, q]: [&BigUint; 2],
        [p_generator, q_generator]: [Option<Zeroizing<Vec<u8>>>; 2],
    ) -> Option<Self> {
        let (p_half, q_half) = (Half::new(p, q, p_generator)?, Half::new(q, p, q_generator)?);
        let q_squared = q * q;
        let inverse = (p * p % &q_squared).modinv(&q_squared)?;
        let r = q_half.pairs.radix();
        let join = [
            q_half.pairs.plain(&(&inverse * &r % &q_squared)),
            q_half.pairs.plain(&((&q_squared - &inverse) * r.pow(3) % &q_squared)),
        ];
        Some(Self { public: Arc::new(public), p: p_half, q: q_half, join })
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &Arc<PublicKey> {
        &self.public
    }

    /// The primes as little-endian bytes, for the key file.
    #[must_use]
    pub fn primes(&self) -> (&[u8], &[u8]) {
        (self.p.prime_bytes(), self.q.prime_bytes())
    }

    /// Encrypts a signed number.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if its absolute value is not below `n / 2`, [`Code::NoRandomness`].
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        let residue = self.public.encode(number)?;
        let limbs = self.seal(&[residue], self.random_masks(1, rng)?);
        Ok(Ciphertext::trusted(self.public.id(), limbs))
    }

    /// Decrypts a ciphertext to a signed number.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it was encrypted under another key.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<BigInt> {
        if ciphertext.key_id() != self.public.id() {
            return Err(Error::new(
                Code::ForeignKey,
                format!("the ciphertext was encrypted under key {}, not {}", ciphertext.key_id(), self.public.id()),
            ));
        }
        let opened = self.open(ciphertext.limbs());
        let (residue, fits) = &opened[0];
        if *fits { Ok(self.public.decode(residue)) } else { Err(super::key::not_unit()) }
    }

    /// Prepares to encrypt this many ciphertexts, or to decrypt them with known masks, on two cores if available. This takes
    /// about as long as ten to a hundred ciphertexts; more ciphertexts get a larger table.
    pub fn prepare(&self, ciphertexts: u64, lookup: Lookup) {
        parallel::join(|| self.p.prepare(ciphertexts, lookup), || self.q.prepare(ciphertexts, lookup));
    }

    /// Whether this key can derive masks: it knows generators of both groups.
    #[must_use]
    pub fn derives_masks(&self) -> bool {
        self.p.has_generator() && self.q.has_generator()
    }

    /// The number of plaintexts or ciphertexts that are processed at a time.
    pub(crate) fn lanes(&self) -> usize {
        self.p.pairs.lanes()
    }

    /// The seed of the masks of a photo with this origin.
    pub(crate) fn mask_seed(&self, origin: &Origin) -> Result<MaskSeed> {
        MaskSeed::new(self, origin)
    }

    /// The masks with these exponents, at most one for each lane.
    pub(crate) fn masks(&self, exponents: &[Exponents]) -> Result<Masks> {
        let side = |side: usize| exponents.iter().map(|both| both[side].clone()).collect::<Vec<_>>();
        Ok([self.p.powers(&side(0))?, self.q.powers(&side(1))?])
    }

    /// Computes masks of an origin in advance, starting with ciphertext number `first`. They are as secret as the exponents:
    /// use them once, keep them in memory only, and wipe them.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the key cannot derive masks.
    pub fn prepare_masks(&self, origin: &Origin, first: u64, count: usize) -> Result<Zeroizing<Vec<u8>>> {
        if !self.derives_masks() {
            return Err(Error::new(Code::BadArgument, "this key cannot prepare masks; make a new key"));
        }
        let seed = self.mask_seed(origin)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(count * self.mask_bytes()));
        let indices: Vec<u64> = (first..).take(count).collect();
        for group in indices.chunks(self.lanes()) {
            let exponents = group.iter().map(|&index| seed.exponents(index)).collect::<Result<Vec<_>>>()?;
            let masks = self.masks(&exponents)?;
            for lane in 0..group.len() {
                for (half, batch) in [&self.p, &self.q].into_iter().zip(&masks) {
                    bytes.extend(half.pairs.lane(batch, lane).iter().flat_map(|word| word.to_le_bytes()));
                }
            }
        }
        Ok(bytes)
    }

    /// The length of a prepared mask in bytes.
    #[must_use]
    pub fn mask_bytes(&self) -> usize {
        8 * (self.p.pairs.lane_words() + self.q.pairs.lane_words())
    }

    /// Reads prepared masks, at most [`Self::lanes`] of them.
    pub(crate) fn read_masks(&self, bytes: &[u8]) -> Masks {
        let mut masks = [&self.p, &self.q].map(|half| half.pairs.one().clone());
        for (lane, mask) in bytes.chunks_exact(self.mask_bytes()).enumerate() {
            let words: Vec<_> = mask.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect();
            let (p, q) = words.split_at(self.p.pairs.lane_words());
            self.p.pairs.set_lane(&mut masks[0], lane, p);
            self.q.pairs.set_lane(&mut masks[1], lane, q);
        }
        masks
    }

    /// Random masks, which cannot be derived again.
    pub(crate) fn random_masks(&self, count: usize, rng: &mut impl TryCryptoRng) -> Result<Masks> {
        if self.derives_masks() {
            let primes = self.prime_numbers();
            let exponents = (0..count).map(|_| masks::draw(rng, &primes, false)).collect::<Result<Vec<_>>>()?;
            return self.masks(&exponents);
        }
        Ok([self.p.random_masks(count, rng)?, self.q.random_masks(count, rng)?])
    }

    /// Encrypts numbers modulo `n`, at most [`Self::lanes`] of them. Returns the limbs of the ciphertexts, one after another.
    pub(crate) fn seal(&self, numbers: &[BigUint], [p_masks, q_masks]: Masks) -> Vec<Limb> {
        let n_limbs = self.public.square().width() / 2;
        let limbs: Vec<_> = numbers.iter().map(|number| to_limbs(number, n_limbs)).collect();
        let limbs: Vec<_> = limbs.iter().map(Vec::as_slice).collect();
        let (a, b) = (self.p.seal(&limbs, p_masks), self.q.seal(&limbs, q_masks));

        // c = a + p^2 ((b - a) / p^2 mod q^2). A prime fits into half of n's limbs.
        let (p, q) = (&self.p.pairs, &self.q.pairs);
        let a = p.leave_limbs(&a, n_limbs);
        let (mut left, mut right) = (q.empty(), q.empty());
        q.mul(&mut left, &b, &self.join[0]);
        q.mul(&mut right, &q.load(a.chunks_exact(n_limbs)), &self.join[1]);
        q.add(&mut left, &right);
        let quotients = q.leave_limbs(&left, n_limbs);
        let p_squared = self.p.prime().pow(2);
        let join = |(a, quotient): (&[Limb], &[Limb])| {
            to_limbs(&(from_limbs(a) + &p_squared * from_limbs(quotient)), 2 * n_limbs)
        };
        a.chunks_exact(n_limbs).zip(quotients.chunks_exact(n_limbs)).take(numbers.len()).flat_map(join).collect()
    }

    /// Decrypts numbers modulo `n^2`, at most [`Self::lanes`] of them, to numbers modulo `n`. Also returns for each whether the
    /// ciphertext is a unit; if it is not, its number is meaningless. The amount of work is the same for all.
    pub(crate) fn open(&self, ciphertexts: &[Limb]) -> Vec<(BigUint, bool)> {
        let ciphertexts: Vec<_> = ciphertexts.chunks_exact(self.public.square().width()).collect();
        let parts = self.p.open(&ciphertexts).into_iter().zip(self.q.open(&ciphertexts));
        parts.map(|(u, v)| (self.join_plaintext(&u.0, &v.0), u.1 & v.1)).collect()
    }

    /// Decrypts ciphertexts whose masks have known exponents, several times as fast as [`Self::open`]. Also returns for each
    /// whether the ciphertext has this mask.
    ///
    /// # Errors
    /// [`Code::Internal`] if the key cannot derive masks.
    pub(crate) fn unmask(&self, ciphertexts: &[Limb], exponents: &[[BigInt; 2]]) -> Result<Vec<(BigUint, bool)>> {
        let ciphertexts: Vec<_> = ciphertexts.chunks_exact(self.public.square().width()).collect();
        let orders = self.prime_numbers().map(|prime| BigInt::from(prime - 1u8));
        let negated = |both: &[BigInt; 2]| [0, 1].map(|i| (-&both[i]).mod_floor(&orders[i]).magnitude().clone());
        let negated: Vec<_> = exponents.iter().map(negated).collect();
        let inverses = self.masks(&negated)?;
        let parts =
            self.p.unmask(&ciphertexts, &inverses[0]).into_iter().zip(self.q.unmask(&ciphertexts, &inverses[1]));
        Ok(parts.map(|(u, v)| (self.join_plaintext(&u.0, &v.0), u.1 & v.1)).collect())
    }

    /// The number modulo `n` from `u = m / q mod p` and `v = m / p mod q`: it is `u q + v p`.
    fn join_plaintext(&self, u: &BigUint, v: &BigUint) -> BigUint {
        let m = u * self.q.prime() + v * self.p.prime();
        if m < *self.public.n() { m } else { m - self.public.n() }
    }

    fn prime_numbers(&self) -> [BigUint; 2] {
        [self.p.prime(), self.q.prime()]
    }
}
