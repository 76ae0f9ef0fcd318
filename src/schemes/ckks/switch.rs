//! Key switching, which converts a polynomial times one secret to a pair under another.
//!
//! The polynomial is cut into digits, each with as many primes as there are special primes. Each digit is raised to all primes
//! and multiplied by its part of the key. The sum is divided by the special primes, which makes the errors small again (K. Han,
//! D. Ki, CT-RSA 2020). All of this happens modulo the primes of the polynomial's level.

use std::sync::Arc;

use super::keys::SwitchKey;
use super::ring::{Basis, Permutation, Poly, Ring, Room};
use crate::math::parallel;

/// A polynomial cut into digits and raised, to which several keys can be applied ("hoisting"; S. Halevi, V. Shoup, "Faster
/// homomorphic linear transformations in `HElib`", CRYPTO 2018).
pub(super) struct Raised<'a> {
    /// The polynomial itself, which equals each digit modulo the digit's own primes.
    poly: &'a Poly,
    level: usize,
    special: usize,
    /// For each prime, the limbs of all digits, so that a prime's transform tables are loaded once for all digits.
    limbs: Room,
}

impl<'a> Raised<'a> {
    /// Extends a polynomial at `level` to `special` special primes.
    pub(super) fn new(ring: &Ring, poly: &'a Poly, level: usize, special: usize) -> Self {
        let mut this = Self::coefficients(ring, poly, level, special);
        let (first, piece) = (ring.extended(level, special).first, this.digits() * ring.degree());
        let mut limbs = std::mem::replace(&mut this.limbs, ring.room(0));
        parallel::each(&mut limbs, piece, |i, limbs| this.transform(ring, first + i, limbs));
        this.limbs = limbs;
        this
    }

    /// Like [`Raised::new`], without the transform.
    fn coefficients(ring: &Ring, poly: &'a Poly, level: usize, special: usize) -> Self {
        let (first, all) = (ring.level(level).first, ring.extended(level, special));
        let coefficients = poly.coefficients(ring, ring.level(level));
        let degree = ring.degree();
        let digits = (level + 1).div_ceil(special);
        let mut limbs = ring.room(digits * all.count * degree);
        for digit in 0..digits {
            let own = own(ring, digit, level, special);
            let others: Vec<usize> = all.places().filter(|place| !own.places().contains(place)).collect();
            let source = &coefficients[(own.first - first) * degree..][..own.count * degree];
            let targets: Vec<usize> = others.iter().map(|place| (place - all.first) * digits + digit).collect();
            ring.conversion(own, others).run(source, &mut limbs, &targets);
        }
        Self { poly, level, special, limbs }
    }

    fn digits(&self) -> usize {
        (self.level + 1).div_ceil(self.special)
    }

    /// Transforms the limbs of all digits at a place.
    fn transform(&self, ring: &Ring, place: usize, limbs: &mut [u64]) {
        for (digit, limb) in limbs.chunks_exact_mut(ring.degree()).enumerate() {
            if !own(ring, digit, self.level, self.special).places().contains(&place) {
                ring.transform(place).forward(limb);
            }
        }
    }

    /// The sum of the digits' products with a key, at a place.
    fn dot(&self, ring: &Ring, key: &SwitchKey, place: usize, limbs: &[u64], out: [&mut [u64]; 2]) {
        let digits = limbs.chunks_exact(ring.degree()).zip(key.b.iter().zip(&key.a)).enumerate();
        let terms = digits.map(|(digit, (limb, (b, a)))| {
            let own = own(ring, digit, self.level, self.special).places().contains(&place);
            [if own { self.poly.limb(place) } else { limb }, b.limb(place), a.limb(place)]
        });
        ring.limb(place).dot(out, &terms.collect::<Vec<_>>());
    }

    /// The product with a key, still times the special primes, after an automorphism. The key must be for this level or a
    /// higher one. `add` first adds to the first half.
    pub(super) fn turned(
        &self,
        ring: &Ring,
        key: &SwitchKey,
        element: u64,
        add: impl Fn(usize, &mut [u64]) + Sync + Send,
    ) -> [Poly; 2] {
        debug_assert!(self.level <= key.level && self.special == key.special);
        let permutation = ring.permutation(element);
        Poly::pair(ring, ring.extended(self.level, self.special), |place, first, second| {
            let mut scratch = ring.room(2 * ring.degree());
            let (b, a) = scratch.split_at_mut(ring.degree());
            self.dot(ring, key, place, self.limbs(ring, place), [&mut *b, &mut *a]);
            add(place, b);
            permutation.apply(ring.limb(place), b, first);
            permutation.apply(ring.limb(place), a, second);
        })
    }

    /// The limbs of all digits at a place.
    fn limbs(&self, ring: &Ring, place: usize) -> &[u64] {
        let piece = self.digits() * ring.degree();
        &self.limbs[(place - ring.extended(self.level, self.special).first) * piece..][..piece]
    }

    /// Converts the polynomial times one secret to a pair under another: the product, divided by the special primes. Only the
    /// limbs modulo the special primes are stored before the division. Each other limb is divided as soon as it is computed.
    fn switch(&self, ring: &Ring, key: &SwitchKey, after: &After) -> [Poly; 2] {
        debug_assert!(self.level <= key.level && self.special == key.special);
        let all = ring.extended(self.level, self.special);
        let limbs = |place: usize| self.limbs(ring, place);
        let sums = Poly::pair(ring, ring.special(all), |place, first, second| {
            self.dot(ring, key, place, limbs(place), [first, second]);
        });
        let [mut b, mut a] = remainders(ring, &sums, self.level);
        let first = ring.level(self.level).first;
        parallel::each_two(b.words_mut(), a.words_mut(), ring.degree(), |i, b, a| {
            let place = first + i;
            after.divided(ring, all, place, [b, a], |out| self.dot(ring, key, place, limbs(place), out));
        });
        [b, a]
    }
}

/// The primes of a digit.
fn own(ring: &Ring, digit: usize, level: usize, special: usize) -> Basis {
    let start = digit * special;
    Basis { first: ring.level(level).first + start, count: special.min(level + 1 - start) }
}

/// A polynomial to which several keys are applied. It is raised once for each number of special primes that the keys have.
pub(super) struct Hoisted<'a> {
    poly: &'a Poly,
    level: usize,
    raised: Vec<Raised<'a>>,
}

impl<'a> Hoisted<'a> {
    /// A polynomial at `level`, not raised yet.
    pub(super) const fn new(poly: &'a Poly, level: usize) -> Self {
        Self { poly, level, raised: Vec::new() }
    }

    /// Converts the polynomial times one secret to a pair under another.
    pub(super) fn switch(&mut self, ring: &Ring, key: &SwitchKey, after: &After) -> [Poly; 2] {
        let known = self.raised.iter().position(|raised| raised.special == key.special);
        let place = known.unwrap_or_else(|| {
            self.raised.push(Raised::new(ring, self.poly, self.level, key.special));
            self.raised.len() - 1
        });
        self.raised[place].switch(ring, key, after)
    }
}

/// The operations on both halves that follow the division, applied while each limb is in the cache.
pub(super) struct After<'a> {
    /// Polynomials that are added to the halves.
    pub(super) add: [Option<&'a Poly>; 2],
    /// A permutation of the values, applied last.
    pub(super) permutation: Option<Arc<Permutation>>,
}

impl After<'_> {
    /// Computes limbs of both quotients from those of the remainders, then adds and permutes. `dividends` writes the dividends'
    /// limbs.
    fn divided(
        &self,
        ring: &Ring,
        all: Basis,
        place: usize,
        limbs: [&mut [u64]; 2],
        dividends: impl FnOnce([&mut [u64]; 2]),
    ) {
        let mut scratch = ring.room(2 * ring.degree());
        let (first, second) = scratch.split_at_mut(ring.degree());
        dividends([first, second]);
        let (limb_of, factor) = (ring.limb(place), inverse(ring, all, place));
        for ((limb, scratch), add) in limbs.into_iter().zip([first, second]).zip(self.add) {
            ring.transform(place).forward(limb);
            match add {
                Some(add) => limb_of.sub_scale_add(scratch, limb, factor, add.limb(place)),
                None => limb_of.sub_scale(scratch, limb, factor),
            }
            match &self.permutation {
                Some(permutation) => permutation.apply(limb_of, scratch, limb),
                None => limb.copy_from_slice(scratch),
            }
        }
    }
}

/// Divides both halves by the special primes, and rounds.
pub(super) fn divide_both(ring: &Ring, sums: &[Poly; 2], level: usize) -> [Poly; 2] {
    let (b, a) = parallel::join(|| divide(ring, &sums[0], level), || divide(ring, &sums[1], level));
    [b, a]
}

/// Divides a polynomial by the special primes, and rounds.
pub(super) fn divide(ring: &Ring, poly: &Poly, level: usize) -> Poly {
    let mut rest = remainder(ring, poly, level);
    rest.each(ring, |place, limb| {
        ring.transform(place).forward(limb);
        ring.limb(place).sub_from_scale(limb, poly.limb(place), inverse(ring, poly.basis(), place));
    });
    rest
}

/// The coefficients of the remainders of two polynomials, of which only the limbs modulo the special primes are read.
fn remainders(ring: &Ring, sums: &[Poly; 2], level: usize) -> [Poly; 2] {
    let (b, a) = parallel::join(|| remainder(ring, &sums[0], level), || remainder(ring, &sums[1], level));
    [b, a]
}

/// The coefficients of the remainder of a division by the special primes, modulo the primes of a level.
fn remainder(ring: &Ring, poly: &Poly, level: usize) -> Poly {
    let (special, basis) = (ring.special(poly.basis()), ring.level(level));
    let lowest = poly.coefficients(ring, special);
    let mut rest = Poly::anything(ring, basis);
    let targets: Vec<usize> = (0..basis.count).collect();
    ring.conversion(special, basis.places().collect()).run(&lowest, rest.words_mut(), &targets);
    rest
}

/// The inverse of the product of the special primes, modulo the prime at a place.
fn inverse(ring: &Ring, all: Basis, place: usize) -> u64 {
    ring.limb(place).prime().inverse(ring.product(ring.special(all), place))
}

/// Converts a polynomial times one secret to a pair under another, if no other key is applied to it: prime by prime, so that
/// the digits are multiplied while they are in the cache.
pub(super) fn switch(ring: &Ring, poly: &Poly, level: usize, key: &SwitchKey, after: &After) -> [Poly; 2] {
    debug_assert!(level <= key.level);
    let mut this = Raised::coefficients(ring, poly, level, key.special);
    let (all, degree) = (ring.extended(level, key.special), ring.degree());
    let (special, first) = (ring.special(all), ring.level(level).first);
    let piece = this.digits() * degree;
    let mut limbs = std::mem::replace(&mut this.limbs, ring.room(0));
    let (of_special, of_level) = limbs.split_at_mut(special.count * piece);
    let mut sums = [(); 2].map(|()| Poly::anything(ring, special));
    let [x, y] = &mut sums;
    let words = [(of_special, piece), (x.words_mut(), degree), (y.words_mut(), degree)];
    parallel::each_three(words, |i, [limbs, first, second]| {
        this.transform(ring, special.first + i, limbs);
        this.dot(ring, key, special.first + i, limbs, [first, second]);
    });
    let [mut b, mut a] = remainders(ring, &sums, level);
    let words = [(of_level, piece), (b.words_mut(), degree), (a.words_mut(), degree)];
    parallel::each_three(words, |i, [limbs, b, a]| {
        let place = first + i;
        this.transform(ring, place, limbs);
        after.divided(ring, all, place, [b, a], |out| this.dot(ring, key, place, limbs, out));
    });
    [b, a]
}
