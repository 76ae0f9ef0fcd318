//! Secret keys: generation, the owner's encryption and decryption. Compiled only with the feature `client`.
//!
//! The owner works modulo `p^2` and `q^2` and joins the halves by the Chinese remainder theorem (Paillier 1999,
//! section 7). A mask `r^n mod p^2` is uniform among the `p - 1` residues that are `p`-th powers. These are a cyclic
//! group, and keys made here know a generator `h` of it (`g^p` for a generator `g` modulo `p`): `h^e` with a uniform `e`
//! below `p - 1` is exactly such a mask, and cheap with a table of `h` ([`Comb`]). For a key whose generator is not known
//! it is `y^p` with a uniform `y`. So the owner's ciphertexts have the same distribution as anybody's.
//!
//! Secret numbers are wiped on drop where they are stored. `num-bigint` leaves copies of intermediate values in freed
//! memory; that guards against leaks through files and logs, not against somebody who can read the process.

use std::sync::{Arc, OnceLock};

use num_bigint::{BigInt, BigUint};
use num_traits::One as _;
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::ciphertext::Ciphertext;
use super::key::{MODULUS_BITS, PublicKey};
use crate::error::{Code, Error, Result};
use crate::math::comb::Comb;
use crate::math::montgomery::{Exponent, Limb, from_limbs, to_limbs};
use crate::math::pair::{Batch, PairModulus};
use crate::math::{prime, random};

/// A secret key. It has no `Debug` and no `Clone`, and its numbers are wiped when it is dropped.
pub struct SecretKey {
    public: Arc<PublicKey>,
    p: Half,
    q: Half,
    /// `(p^2)^-1 mod q^2`, to join the halves of a ciphertext.
    p_square_inverse: Zeroizing<Vec<u8>>,
    /// `q^-1 mod p`, to join the halves of a plaintext.
    q_inverse: Zeroizing<Vec<u8>>,
}

/// What the key knows about one of its primes.
struct Half {
    /// The prime, as little-endian bytes.
    prime: Zeroizing<Vec<u8>>,
    /// Arithmetic modulo the prime's square.
    pairs: PairModulus,
    /// The prime as an exponent: `y^p` is a mask.
    prime_exponent: Exponent,
    /// A generator of the group of masks, if it is known.
    generator: Option<Zeroizing<Vec<u8>>>,
    /// Its table, made when it first pays.
    comb: OnceLock<Comb>,
    /// The other prime, to which `n` comes down in a plaintext's share.
    other: Zeroizing<Vec<u8>>,
    /// The prime less one as an exponent: it takes a mask away.
    less_one_exponent: Exponent,
    /// The inverse, modulo this prime, of minus the other prime (`h_p` in Paillier 1999, section 7).
    factor: Zeroizing<Vec<u8>>,
}

impl SecretKey {
    /// Makes a key, in one go.
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
            Error::new(Code::BadSecretKey, format!("the secret key's numbers do not fit: {what}; use another key file"))
        };
        let n = p * q;
        let Some(bits) = MODULUS_BITS.into_iter().map(u64::from).find(|&bits| n.bits() == bits) else {
            return Err(bad("its size is not allowed"));
        };
        if p == q || p.bits() != bits / 2 || q.bits() != bits / 2 {
            return Err(bad("the primes must differ and be of half the size"));
        }
        let mut rng = random::system();
        // The primes were tested well when the key was made; this finds files that never were keys.
        if !prime::is_prime(p, 2, &mut rng)? || !prime::is_prime(q, 2, &mut rng)? {
            return Err(bad("one of the primes is composite"));
        }
        let public = PublicKey::new(n).map_err(|_| bad("the modulus is not allowed"))?;
        let inverse = |a: BigUint, modulus: &BigUint| {
            a.modinv(modulus).map(|i| Zeroizing::new(i.to_bytes_le())).ok_or_else(|| bad("the primes are not coprime"))
        };
        let half = |prime: &BigUint, other: &BigUint| -> Result<Half> {
            Ok(Half {
                prime: Zeroizing::new(prime.to_bytes_le()),
                pairs: PairModulus::new(prime).ok_or_else(|| bad("a prime is even"))?,
                prime_exponent: Exponent::new(prime),
                generator: prime::generator(prime, &mut random::system())?
                    .map(|g| Zeroizing::new(g.modpow(prime, &(prime * prime)).to_bytes_le())),
                comb: OnceLock::new(),
                other: Zeroizing::new(other.to_bytes_le()),
                less_one_exponent: Exponent::new(&(prime - 1u8)),
                factor: inverse(prime - other % prime, prime)?,
            })
        };
        Ok(Self {
            public: Arc::new(public),
            p: half(p, q)?,
            q: half(q, p)?,
            p_square_inverse: inverse((p * p) % (q * q), &(q * q))?,
            q_inverse: inverse(q % p, p)?,
        })
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &Arc<PublicKey> {
        &self.public
    }

    /// The primes as little-endian bytes, for the key file.
    #[must_use]
    pub fn primes(&self) -> (&[u8], &[u8]) {
        (&self.p.prime, &self.q.prime)
    }

    /// Encrypts a signed number.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if it is not below `n / 2` in size, [`Code::NoRandomness`].
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        let limbs = self.encrypt_residue(&self.public.encode(number)?, rng)?;
        Ok(Ciphertext::trusted(self.public.id(), limbs))
    }

    /// Decrypts to a signed number.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it was made under another key.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<BigInt> {
        if ciphertext.key_id() != self.public.id() {
            return Err(Error::new(
                Code::ForeignKey,
                format!("the ciphertext was made under key {}, not {}", ciphertext.key_id(), self.public.id()),
            ));
        }
        Ok(self.public.decode(&self.decrypt_residue(ciphertext.limbs())))
    }

    /// Prepares the encryption of many numbers. It costs as much as some ten encryptions, once.
    pub fn prepare(&self) {
        self.p.prepare();
        self.q.prepare();
    }

    /// Encrypts a number modulo `n`; gives the ciphertext's limbs.
    pub(crate) fn encrypt_residue(&self, m: &BigUint, rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        self.encrypt_residues(std::slice::from_ref(m), rng)
    }

    /// Encrypts numbers modulo `n`, at most [`Self::lanes`] of them; gives the ciphertexts' limbs, one after another.
    pub(crate) fn encrypt_residues(&self, numbers: &[BigUint], rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        let (a, b) = (self.p.encrypt(numbers, rng)?, self.q.encrypt(numbers, rng)?);
        let width = self.public.square().width();
        let joined = a.iter().zip(&b).flat_map(|(a, b)| to_limbs(&self.join_squares(a, b), width));
        Ok(joined.take(numbers.len() * width).collect())
    }

    /// Decrypts a unit modulo `n^2` to a number modulo `n`.
    pub(crate) fn decrypt_residue(&self, ciphertext: &[Limb]) -> BigUint {
        self.decrypt_residues(ciphertext).swap_remove(0)
    }

    /// Decrypts units modulo `n^2`, at most [`Self::lanes`] of them, to numbers modulo `n`.
    pub(crate) fn decrypt_residues(&self, ciphertexts: &[Limb]) -> Vec<BigUint> {
        let numbers: Vec<_> = ciphertexts.chunks_exact(self.public.square().width()).map(from_limbs).collect();
        let (p, q) = (self.p.prime(), self.q.prime());
        let (mp, mq) = (self.p.open(&numbers), self.q.open(&numbers));
        let q_inverse = BigUint::from_bytes_le(&self.q_inverse);
        let join = |(mp, mq): (BigUint, BigUint)| {
            let difference = (mp + &p - &mq % &p) % &p;
            mq + &q * ((difference * &q_inverse) % &p)
        };
        mp.into_iter().zip(mq).map(join).take(numbers.len()).collect()
    }

    /// How many numbers are worked on at a time.
    pub(crate) fn lanes(&self) -> usize {
        self.p.pairs.lanes()
    }

    /// The number modulo `n^2` that is `a` modulo `p^2` and `b` modulo `q^2`.
    fn join_squares(&self, a: &BigUint, b: &BigUint) -> BigUint {
        let (p, q) = (self.p.prime(), self.q.prime());
        let (p2, q2) = (&p * &p, &q * &q);
        let difference = (b + &q2 - a % &q2) % &q2;
        a + p2 * ((difference * BigUint::from_bytes_le(&self.p_square_inverse)) % q2)
    }
}

impl Half {
    fn prime(&self) -> BigUint {
        BigUint::from_bytes_le(&self.prime)
    }

    fn prepare(&self) -> Option<&Comb> {
        let generator = BigUint::from_bytes_le(self.generator.as_ref()?);
        Some(self.comb.get_or_init(|| Comb::new(&self.pairs, &generator, self.prime().bits())))
    }

    /// The ciphertexts modulo `p^2`: a mask each, times `1 + m n`, which is `1 + (m q mod p) p` here.
    fn encrypt(&self, numbers: &[BigUint], rng: &mut impl TryCryptoRng) -> Result<Vec<BigUint>> {
        let (prime, other) = (self.prime(), BigUint::from_bytes_le(&self.other));
        let shares: Vec<_> = numbers.iter().map(|m| (BigUint::one(), (m % &prime) * &other % &prime)).collect();
        let mut product = self.masks(numbers.len(), rng)?;
        self.pairs.mul_assign(&mut product, &self.pairs.enter_pairs(&shares));
        Ok(self.pairs.leave(&product))
    }

    /// Uniform `p`-th powers modulo `p^2`.
    fn masks(&self, count: usize, rng: &mut impl TryCryptoRng) -> Result<Batch> {
        let prime = self.prime();
        if let Some(comb) = self.comb.get() {
            // From 0 to p - 2.
            let exponents: Result<Vec<_>> = (0..count).map(|_| Ok(random::below(rng, &prime)? - 1u8)).collect();
            return Ok(comb.powers(&self.pairs, &exponents?));
        }
        let bases = (0..count).map(|_| random::below(rng, &prime)).collect::<Result<Vec<_>>>()?;
        Ok(self.pairs.pow(&self.pairs.enter_numbers(&bases), &self.prime_exponent))
    }

    /// The plaintexts modulo `p`: `L(c^(p-1) mod p^2) h_p mod p` with `L(x) = (x - 1) / p`.
    fn open(&self, ciphertexts: &[BigUint]) -> Vec<BigUint> {
        let prime = self.prime();
        let square = &prime * &prime;
        let reduced: Vec<_> = ciphertexts.iter().map(|c| c % &square).collect();
        let powers = self.pairs.pow(&self.pairs.enter_numbers(&reduced), &self.less_one_exponent);
        let factor = BigUint::from_bytes_le(&self.factor);
        let open = |power: BigUint| ((power - 1u8) / &prime) * &factor % &prime;
        self.pairs.leave(&powers).into_iter().take(ciphertexts.len()).map(open).collect()
    }
}

/// The search for a new key, one candidate at a time, so that a page stays alive while it runs.
pub struct KeySearch {
    bits: u16,
    search: prime::Search,
    first: Option<BigUint>,
}

impl KeySearch {
    /// Starts a search for a key of this many bits.
    ///
    /// # Errors
    /// [`Code::BadArgument`] for a size not in [`MODULUS_BITS`].
    pub fn new(bits: u16) -> Result<Self> {
        if !MODULUS_BITS.contains(&bits) {
            return Err(Error::new(
                Code::BadArgument,
                format!("a key of {bits} bits is not possible; choose 2048, 3072 or 4096"),
            ));
        }
        Ok(Self { bits, search: prime::Search::new(u64::from(bits / 2)), first: None })
    }

    /// Tries one candidate for a prime; returns the key when the second prime is found.
    ///
    /// # Errors
    /// [`Code::NoRandomness`].
    pub fn step(&mut self, rng: &mut impl TryCryptoRng) -> Result<Option<SecretKey>> {
        let Some(found) = self.search.step(rng)? else { return Ok(None) };
        // A new search for the second prime: the two must be independent.
        self.search = prime::Search::new(u64::from(self.bits / 2));
        match self.first.take() {
            None => {
                self.first = Some(found);
                Ok(None)
            }
            Some(first) if far_apart(&first, &found) => SecretKey::from_primes(&first, &found).map(Some),
            Some(first) => {
                self.first = Some(first);
                Ok(None)
            }
        }
    }
}

/// Primes whose difference is small make `n` easy to factor (FIPS 186-5, A.1.3: differ in the top 100 bits).
fn far_apart(p: &BigUint, q: &BigUint) -> bool {
    let difference = if p > q { p - q } else { q - p };
    difference.bits() + 100 > p.bits()
}

/// A key that can encrypt: the owner's, which is fast, or somebody's public key.
pub enum EncryptionKey {
    /// The owner's key.
    Owner(Box<SecretKey>),
    /// Somebody's public key.
    Public(Arc<PublicKey>),
}

impl EncryptionKey {
    /// The public key.
    #[must_use]
    pub fn public(&self) -> &Arc<PublicKey> {
        match self {
            Self::Owner(key) => key.public(),
            Self::Public(key) => key,
        }
    }

    /// Encrypts a signed number.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if it is not below `n / 2` in size, [`Code::NoRandomness`].
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        let limbs = self.encrypt_residue(&self.public().encode(number)?, rng)?;
        Ok(Ciphertext::trusted(self.public().id(), limbs))
    }

    /// Prepares the encryption of many numbers.
    pub(crate) fn prepare(&self) {
        if let Self::Owner(key) = self {
            key.prepare();
        }
    }

    /// How many numbers are worked on at a time.
    pub(crate) fn lanes(&self) -> usize {
        match self {
            Self::Owner(key) => key.lanes(),
            Self::Public(key) => key.pairs().lanes(),
        }
    }

    /// Encrypts a number modulo `n`; gives the ciphertext's limbs.
    pub(crate) fn encrypt_residue(&self, m: &BigUint, rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        self.encrypt_residues(std::slice::from_ref(m), rng)
    }

    /// Encrypts numbers modulo `n`, at most [`Self::lanes`] of them; gives the ciphertexts' limbs, one after another.
    pub(crate) fn encrypt_residues(&self, numbers: &[BigUint], rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        match self {
            Self::Owner(key) => key.encrypt_residues(numbers, rng),
            Self::Public(key) => key.encrypt_residues(numbers, rng),
        }
    }
}

impl PublicKey {
    /// Encrypts a signed number with the public key alone.
    ///
    /// # Errors
    /// [`Code::PlaintextOutOfRange`] if it is not below `n / 2` in size, [`Code::NoRandomness`].
    pub fn encrypt(&self, number: &BigInt, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        Ok(Ciphertext::trusted(self.id(), self.encrypt_residue(&self.encode(number)?, rng)?))
    }

    /// Gives a ciphertext a fresh mask, so that nobody can tell what it was made from.
    ///
    /// # Errors
    /// [`Code::ForeignKey`], [`Code::NoRandomness`].
    pub fn rerandomise(&self, ciphertext: &Ciphertext, rng: &mut impl TryCryptoRng) -> Result<Ciphertext> {
        self.add(ciphertext, &self.encrypt(&BigInt::ZERO, rng)?)
    }

    fn encrypt_residue(&self, m: &BigUint, rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        self.encrypt_residues(std::slice::from_ref(m), rng)
    }

    fn encrypt_residues(&self, numbers: &[BigUint], rng: &mut impl TryCryptoRng) -> Result<Vec<Limb>> {
        let pairs = self.pairs();
        let bases = numbers.iter().map(|_| random::below(rng, self.n())).collect::<Result<Vec<_>>>()?;
        let mut product = pairs.pow(&pairs.enter_numbers(&bases), &Exponent::new(self.n()));
        // (1 + n)^m = 1 + m n.
        let shares: Vec<_> = numbers.iter().map(|m| (BigUint::one(), m.clone())).collect();
        pairs.mul_assign(&mut product, &pairs.enter_pairs(&shares));
        let width = self.square().width();
        let mut limbs = pairs.leave_limbs(&product, width);
        limbs.truncate(numbers.len() * width);
        Ok(limbs)
    }
}
