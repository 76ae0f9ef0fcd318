//! Generation of switch keys limb by limb, without memory for a whole key: each takes tens of megabytes in a browser.

use std::ops::Deref;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::{generator, new_seed};
use crate::error::Result;
use crate::schemes::ckks::keys::SwitchKey;
use crate::schemes::ckks::ring::{Basis, Poly, Ring};
use crate::schemes::ckks::sample::{Seed, gaussian, uniform_limb};

/// The secrets from which a switch key is generated. See [`SwitchKey`] for its content.
pub struct SwitchKeyMaker<'a> {
    ring: &'a Ring,
    level: usize,
    special: usize,
    seed: Seed,
    from: PolyRef<'a>,
    to: PolyRef<'a>,
    /// For each digit.
    errors: Vec<Zeroizing<Vec<i8>>>,
}

/// A secret modulo at least the primes that the key needs: the owner's, or one derived from it.
pub(super) enum PolyRef<'a> {
    Owner(&'a Poly),
    Made(Zeroizing<Poly>),
}

impl Deref for PolyRef<'_> {
    type Target = Poly;

    fn deref(&self) -> &Poly {
        match self {
            Self::Owner(poly) => poly,
            Self::Made(poly) => poly,
        }
    }
}

impl<'a> SwitchKeyMaker<'a> {
    /// A maker of the key from one secret to another, for ciphertexts up to `level`, with `special` special primes.
    pub(super) fn new(
        ring: &'a Ring,
        (level, special): (usize, usize),
        from: PolyRef<'a>,
        to: PolyRef<'a>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self> {
        let mut rng = generator(rng)?;
        let seed = new_seed(&mut rng);
        let errors = (0..=level).step_by(special).map(|_| gaussian(&mut rng, ring.degree())).collect();
        Ok(Self { ring, level, special, seed, from, to, errors })
    }

    /// The highest level at which the key can be used.
    #[must_use]
    pub const fn level(&self) -> usize {
        self.level
    }

    /// The number of special primes, which is also the number of primes of each digit.
    #[must_use]
    pub const fn special(&self) -> usize {
        self.special
    }

    /// The seed of the second halves.
    #[must_use]
    pub const fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The whole key.
    #[must_use]
    pub fn key(&self) -> SwitchKey {
        let all = self.ring.extended(self.level, self.special);
        let digit = |digit| {
            let [b, a] = Poly::pair(self.ring, all, |place, b, a| self.limb(digit, place, b, a));
            (b, a)
        };
        let (b, a) = (0..self.errors.len()).map(digit).unzip();
        SwitchKey { level: self.level, special: self.special, seed: self.seed, b, a }
    }

    /// Writes the limb at a place of a digit's first half, `-a s + e + P g s'`, and that of its second, `a`. Their previous
    /// content is arbitrary.
    pub(crate) fn limb(&self, digit: usize, place: usize, b: &mut [u64], a: &mut [u64]) {
        let (ring, start) = (self.ring, digit * self.special);
        // The number of digits is at most that of primes.
        uniform_limb(ring, &self.seed, u32::try_from(digit).unwrap_or(u32::MAX), place, a);
        Poly::small_limb(ring, &self.errors[digit], place, b);
        let limb = ring.limb(place);
        limb.mul_sub(b, a, self.to.limb(place));
        let first = ring.level(self.level).first + start;
        let own = Basis { first, count: self.special.min(self.level + 1 - start) };
        if own.places().contains(&place) {
            let special = ring.special(ring.extended(self.level, self.special));
            limb.scale_add(b, self.from.limb(place), ring.product(special, place));
        }
    }
}
