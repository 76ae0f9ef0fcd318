//! Polynomials, stored as values: one limb for each prime of the basis.

use zeroize::Zeroize;

use super::pool::Room;
use super::{Basis, Ring};
use crate::math::parallel;

/// A polynomial modulo the primes of its basis, transformed so that products are pointwise.
#[derive(Clone, Debug, PartialEq, Eq, Zeroize)]
pub struct Poly {
    #[zeroize(skip)]
    basis: Basis,
    words: Room,
}

impl Poly {
    /// The zero polynomial.
    #[must_use]
    pub fn zero(ring: &Ring, basis: Basis) -> Self {
        Self::from_values(ring, basis, |_, limb| limb.fill(0))
    }

    /// The polynomial whose coefficients have the residues that `fill(place of the prime, limb)` writes. `fill` must overwrite
    /// each limb completely, because the previous content is arbitrary.
    #[must_use]
    pub fn from_coefficients(ring: &Ring, basis: Basis, fill: impl Fn(usize, &mut [u64]) + Sync + Send) -> Self {
        Self::from_values(ring, basis, |place, limb| {
            fill(place, limb);
            ring.transform(place).forward(limb);
        })
    }

    /// Like [`Poly::from_coefficients`], for values.
    #[must_use]
    pub fn from_values(ring: &Ring, basis: Basis, fill: impl Fn(usize, &mut [u64]) + Sync + Send) -> Self {
        let mut this = Self::anything(ring, basis);
        this.each(ring, fill);
        this
    }

    /// The polynomial with these values, limb after limb, each below its prime.
    pub(crate) fn from_words(ring: &Ring, basis: Basis, words: &[u64]) -> Self {
        Self::from_values(ring, basis, |place, limb| {
            limb.copy_from_slice(&words[(place - basis.first) * limb.len()..][..limb.len()]);
        })
    }

    /// Creates two polynomials at once from their values.
    pub(in super::super) fn pair(
        ring: &Ring,
        basis: Basis,
        fill: impl Fn(usize, &mut [u64], &mut [u64]) + Sync + Send,
    ) -> [Self; 2] {
        let [mut first, mut second] = [(); 2].map(|()| Self::anything(ring, basis));
        parallel::each_two(&mut first.words, &mut second.words, ring.degree(), |i, first, second| {
            fill(basis.first + i, first, second);
        });
        [first, second]
    }

    /// Creates three polynomials at once from their values.
    pub(in super::super) fn triple(
        ring: &Ring,
        basis: Basis,
        fill: impl Fn(usize, &mut [u64], &mut [u64], &mut [u64]) + Sync + Send,
    ) -> [Self; 3] {
        let [mut first, mut second, mut third] = [(); 3].map(|()| Self::anything(ring, basis));
        let degree = ring.degree();
        parallel::each_three(
            [(&mut first.words, degree), (&mut second.words, degree), (&mut third.words, degree)],
            |i, pieces| {
                let [first, second, third] = pieces;
                fill(basis.first + i, first, second, third);
            },
        );
        [first, second, third]
    }

    /// A polynomial with arbitrary content, to be overwritten.
    pub(in super::super) fn anything(ring: &Ring, basis: Basis) -> Self {
        Self { basis, words: ring.room(basis.count * ring.degree()) }
    }

    /// The polynomial with small signed coefficients.
    #[must_use]
    pub fn from_small(ring: &Ring, basis: Basis, coefficients: &[i8]) -> Self {
        Self::from_values(ring, basis, |place, limb| Self::small_limb(ring, coefficients, place, limb))
    }

    /// Writes one limb of [`Poly::from_small`].
    pub(in super::super) fn small_limb(ring: &Ring, coefficients: &[i8], place: usize, limb: &mut [u64]) {
        let q = ring.limb(place).prime().value();
        for (residue, &coefficient) in limb.iter_mut().zip(coefficients) {
            // The sign's bits, all ones or zeros, without a branch.
            let sign = i64::from(coefficient >> 7).cast_unsigned();
            *residue = i64::from(coefficient).cast_unsigned().wrapping_add(q & sign);
        }
        ring.transform(place).forward(limb);
    }

    /// The primes of the polynomial.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// All residues: limb after limb.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The values modulo the prime at a place.
    #[must_use]
    pub fn limb(&self, place: usize) -> &[u64] {
        let degree = self.words.len() / self.basis.count;
        &self.words[(place - self.basis.first) * degree..][..degree]
    }

    /// All residues, for writing.
    pub(in super::super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// The residues modulo the primes of a basis within this polynomial's.
    fn part(&self, ring: &Ring, basis: Basis) -> Room {
        debug_assert!(self.basis.contains(basis));
        let degree = ring.degree();
        let mut words = ring.room(basis.count * degree);
        words.copy_from_slice(&self.words[(basis.first - self.basis.first) * degree..][..basis.count * degree]);
        words
    }

    /// The coefficients modulo the primes of a basis within this polynomial's, limb after limb.
    #[must_use]
    pub fn coefficients(&self, ring: &Ring, basis: Basis) -> Room {
        let mut words = ring.room(basis.count * ring.degree());
        parallel::each(&mut words, ring.degree(), |i, limb| {
            let place = basis.first + i;
            ring.transform(place).backward_of(self.limb(place), limb);
        });
        words
    }

    /// The polynomial modulo only the primes of a basis within its own.
    #[must_use]
    pub fn restricted(&self, ring: &Ring, basis: Basis) -> Self {
        Self { basis, words: self.part(ring, basis) }
    }

    /// `self += other`, whose basis may be larger.
    pub fn add(&mut self, ring: &Ring, other: &Self) {
        self.each(ring, |place, limb| ring.limb(place).add(limb, other.limb(place)));
    }

    /// `self -= other`, whose basis may be larger.
    pub fn sub(&mut self, ring: &Ring, other: &Self) {
        self.each(ring, |place, limb| ring.limb(place).sub(limb, other.limb(place)));
    }

    /// `self = -self`.
    pub fn negate(&mut self, ring: &Ring) {
        self.each(ring, |place, limb| ring.limb(place).negate(limb));
    }

    /// `self *= other`, whose basis may be larger.
    pub fn mul(&mut self, ring: &Ring, other: &Self) {
        self.each(ring, |place, limb| ring.limb(place).mul(limb, other.limb(place)));
    }

    /// `self += a b`, whose bases may be larger.
    pub fn mul_add(&mut self, ring: &Ring, a: &Self, b: &Self) {
        self.each(ring, |place, limb| ring.limb(place).mul_add(limb, a.limb(place), b.limb(place)));
    }

    /// `self -= a b`, whose bases may be larger.
    pub fn mul_sub(&mut self, ring: &Ring, a: &Self, b: &Self) {
        self.each(ring, |place, limb| ring.limb(place).mul_sub(limb, a.limb(place), b.limb(place)));
    }

    /// `self(X^element)`.
    #[must_use]
    pub fn automorphism(&self, ring: &Ring, element: u64) -> Self {
        self.automorphism_within(ring, self.basis, element)
    }

    /// `self(X^element)` modulo the primes of a basis within this polynomial's.
    #[must_use]
    pub(in super::super) fn automorphism_within(&self, ring: &Ring, basis: Basis, element: u64) -> Self {
        let permutation = ring.permutation(element);
        Self::from_values(ring, basis, |place, limb| permutation.apply(ring.limb(place), self.limb(place), limb))
    }

    /// Applies `work` to each limb, on all cores.
    pub(in super::super) fn each(&mut self, ring: &Ring, work: impl Fn(usize, &mut [u64]) + Sync + Send) {
        let first = self.basis.first;
        parallel::each(&mut self.words, ring.degree(), |i, limb| work(first + i, limb));
    }
}
