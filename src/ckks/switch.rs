//! Key switching: a polynomial times one secret becomes a pair under another.
//!
//! The polynomial is cut into digits, each of as many primes as there are special ones; each digit is raised to all primes,
//! multiplied by its part of the key, and the sum is divided by the special primes, which makes the errors small again
//! (K. Han, D. Ki, CT-RSA 2020). Everything happens modulo the primes that the polynomial's level still has.

use super::keys::SwitchKey;
use super::ring::{Basis, Poly, Ring};
use crate::math::parallel;

/// A polynomial cut into digits and raised: several keys can be applied to it ("hoisting"; S. Halevi, V. Shoup, "Faster
/// homomorphic linear transformations in `HElib`", CRYPTO 2018).
pub(super) struct Raised {
    level: usize,
    digits: Vec<Poly>,
}

impl Raised {
    /// Raises a polynomial of this level.
    pub(super) fn new(ring: &Ring, poly: &Poly, level: usize) -> Self {
        let (special, all) = (ring.special().count, ring.extended(level));
        let coefficients = poly.coefficients(ring, ring.level(level));
        let degree = ring.degree();
        let digits = parallel::map((level + 1).div_ceil(special), |digit| {
            let own = Basis { first: special + digit * special, count: special.min(level + 1 - digit * special) };
            let others: Vec<usize> = all.places().filter(|place| !own.places().contains(place)).collect();
            let source = &coefficients[(own.first - special) * degree..][..own.count * degree];
            let mut raised = Poly::anything(ring, all);
            ring.conversion(own, others.clone()).run(source, raised.words_mut(), &others);
            raised.each(ring, |place, limb| {
                if own.places().contains(&place) {
                    limb.copy_from_slice(poly.limb(place));
                } else {
                    ring.transform(place).forward(limb);
                }
            });
            raised
        });
        Self { level, digits }
    }

    /// The product with a key, still times the special primes. The key must be for this level or a higher one.
    pub(super) fn times(&self, ring: &Ring, key: &SwitchKey) -> [Poly; 2] {
        debug_assert!(self.level <= key.level);
        let sum = |parts: &[Poly]| {
            Poly::from_values(ring, ring.extended(self.level), |place, limb| {
                let terms = self.digits.iter().zip(parts).map(|(digit, part)| (digit.limb(place), part.limb(place)));
                ring.limb(place).dot(limb, &terms.collect::<Vec<_>>());
            })
        };
        [sum(&key.b), sum(&key.a)]
    }
}

/// Divides by the special primes and rounds.
pub(super) fn divide(ring: &Ring, poly: &Poly, level: usize) -> Poly {
    let (special, basis) = (ring.special(), ring.level(level));
    let lowest = poly.coefficients(ring, special);
    let mut rest = Poly::anything(ring, basis);
    let targets: Vec<usize> = (0..basis.count).collect();
    ring.conversion(special, basis.places().collect()).run(&lowest, rest.words_mut(), &targets);
    rest.each(ring, |place, limb| ring.transform(place).forward(limb));
    let mut quotient = poly.restricted(ring, basis);
    quotient.each(ring, |place, limb| {
        let limbs = ring.limb(place);
        limbs.sub_scale(limb, rest.limb(place), limbs.prime().inverse(ring.special_product(place)));
    });
    quotient
}

/// A polynomial times one secret, as a pair under another.
pub(super) fn switch(ring: &Ring, poly: &Poly, level: usize, key: &SwitchKey) -> [Poly; 2] {
    let sums = Raised::new(ring, poly, level).times(ring, key);
    let [b, a] = &sums;
    let (b, a) = parallel::join(|| divide(ring, b, level), || divide(ring, a, level));
    [b, a]
}
