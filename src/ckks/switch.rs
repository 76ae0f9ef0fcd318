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
pub(super) struct Raised<'a> {
    /// The digits' own primes: there a digit is the polynomial itself.
    poly: &'a Poly,
    level: usize,
    special: usize,
    digits: Vec<Poly>,
}

impl<'a> Raised<'a> {
    /// Raises a polynomial of this level to so many special primes.
    pub(super) fn new(ring: &Ring, poly: &'a Poly, level: usize, special: usize) -> Self {
        let (first, all) = (ring.level(level).first, ring.extended(level, special));
        let coefficients = poly.coefficients(ring, ring.level(level));
        let degree = ring.degree();
        let digits = parallel::map((level + 1).div_ceil(special), |digit| {
            let own = own(ring, digit, level, special);
            let others: Vec<usize> = all.places().filter(|place| !own.places().contains(place)).collect();
            let source = &coefficients[(own.first - first) * degree..][..own.count * degree];
            let mut raised = Poly::anything(ring, all);
            ring.conversion(own, others.clone()).run(
                source,
                raised.words_mut(),
                &others.iter().map(|place| place - all.first).collect::<Vec<_>>(),
            );
            raised.each(ring, |place, limb| {
                if !own.places().contains(&place) {
                    ring.transform(place).forward(limb);
                }
            });
            raised
        });
        Self { poly, level, special, digits }
    }

    /// The product with a key, still times the special primes. The key must be for this level or a higher one.
    pub(super) fn times(&self, ring: &Ring, key: &SwitchKey) -> [Poly; 2] {
        debug_assert!(self.level <= key.level && self.special == key.special);
        Poly::pair(ring, ring.extended(self.level, self.special), |place, first, second| {
            let terms =
                self.digits.iter().zip(key.b.iter().zip(&key.a)).enumerate().map(|(number, (digit, (b, a)))| {
                    let own = own(ring, number, self.level, self.special).places().contains(&place);
                    [if own { self.poly } else { digit }, b, a].map(|poly| poly.limb(place))
                });
            ring.limb(place).dot([first, second], &terms.collect::<Vec<_>>());
        })
    }
}

/// The primes of a digit.
fn own(ring: &Ring, digit: usize, level: usize, special: usize) -> Basis {
    let start = digit * special;
    Basis { first: ring.level(level).first + start, count: special.min(level + 1 - start) }
}

/// A polynomial that several keys are applied to, raised once for each number of special primes that they have.
pub(super) struct Hoisted<'a> {
    poly: &'a Poly,
    level: usize,
    raised: Vec<Raised<'a>>,
}

impl<'a> Hoisted<'a> {
    /// A polynomial of this level.
    pub(super) const fn new(poly: &'a Poly, level: usize) -> Self {
        Self { poly, level, raised: Vec::new() }
    }

    /// As [`Raised::times`].
    pub(super) fn times(&mut self, ring: &Ring, key: &SwitchKey) -> [Poly; 2] {
        let known = self.raised.iter().position(|raised| raised.special == key.special);
        let place = known.unwrap_or_else(|| {
            self.raised.push(Raised::new(ring, self.poly, self.level, key.special));
            self.raised.len() - 1
        });
        self.raised[place].times(ring, key)
    }
}

/// Divides by the special primes and rounds.
pub(super) fn divide(ring: &Ring, poly: &Poly, level: usize) -> Poly {
    let (special, basis) = (ring.special(poly.basis()), ring.level(level));
    let lowest = poly.coefficients(ring, special);
    let mut rest = Poly::anything(ring, basis);
    let targets: Vec<usize> = (0..basis.count).collect();
    ring.conversion(special, basis.places().collect()).run(&lowest, rest.words_mut(), &targets);
    rest.each(ring, |place, limb| {
        ring.transform(place).forward(limb);
        let limbs = ring.limb(place);
        limbs.sub_from_scale(limb, poly.limb(place), limbs.prime().inverse(ring.product(special, place)));
    });
    rest
}

/// The same for both halves.
pub(super) fn divide_both(ring: &Ring, [b, a]: &[Poly; 2], level: usize) -> [Poly; 2] {
    let (b, a) = parallel::join(|| divide(ring, b, level), || divide(ring, a, level));
    [b, a]
}

/// A polynomial times one secret, as a pair under another.
pub(super) fn switch(ring: &Ring, poly: &Poly, level: usize, key: &SwitchKey) -> [Poly; 2] {
    divide_both(ring, &Raised::new(ring, poly, level, key.special).times(ring, key), level)
}
