//! The number-theoretic transform for products of polynomials modulo `X^N + 1`.
//!
//! A transformed polynomial consists of its values at the odd powers of a root of unity `psi` of order `2 N`: place `i` holds
//! the value at `psi^(2 rev(i) + 1)`, where `rev` reverses the bits of `i`. Products of polynomials are then pointwise
//! products. The transform has `log N` layers: Cooley-Tukey butterflies forward and Gentleman-Sande butterflies backward. The
//! powers of `psi` are merged into the layers' factors (P. Longa, M. Naehrig, "Speeding up the number theoretic transform for
//! faster ideal lattice-based cryptography", CANS 2016).
//!
//! All kernels return the same residues. [`Kernel::best`] is the fastest that this machine has.
#![allow(unsafe_code)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

mod float;
mod portable;

use crate::math::floats::{Floats, Work};
pub use crate::math::kernel::Kernel;
use crate::math::residue::{Factor, Prime};

/// The transform for one degree and one prime.
pub struct Transform {
    prime: Prime,
    degree: usize,
    kernel: Kernel,
    tables: Tables,
}

/// The factors of all layers, one layer after another, `psi^rev(i)` and `psi^-rev(i)`, and `1 / N`, in the form that the kernel
/// needs.
enum Tables {
    Whole { forward: Vec<Factor>, backward: Vec<Factor>, scale: Factor },
    Float(float::Tables),
}

impl Transform {
    /// The transform of polynomials with `degree` coefficients, a power of two of at least 16. Returns `None` if the prime has
    /// no root of unity of order `2 degree`.
    #[must_use]
    pub fn new(prime: Prime, degree: usize, kernel: Kernel) -> Option<Self> {
        if !degree.is_power_of_two() || degree < 16 {
            return None;
        }
        let psi = prime.root(2 * degree as u64)?;
        let powers = |root: u64| {
            let factor = Factor::new(root, prime);
            let mut powers = vec![1; degree];
            for i in 1..degree {
                powers[i] = factor.mul(powers[i - 1], prime);
            }
            let shift = usize::BITS - degree.trailing_zeros();
            (0..degree).map(|i| powers[i.reverse_bits() >> shift]).collect::<Vec<_>>()
        };
        let (forward, backward) = (powers(psi), powers(prime.inverse(psi)));
        let scale = prime.inverse(prime.residue(degree as u64));
        // Each block holds as many vectors as a vector has lanes.
        let kernel = if kernel.lanes().pow(2) > degree { Kernel::Portable } else { kernel };
        let factors = |residues: Vec<u64>| residues.into_iter().map(|residue| Factor::new(residue, prime)).collect();
        let tables = match float::Tables::new(prime, kernel, &forward, &backward, scale) {
            Some(tables) => Tables::Float(tables),
            None => Tables::Whole {
                forward: factors(forward),
                backward: factors(backward),
                scale: Factor::new(scale, prime),
            },
        };
        Some(Self { prime, degree, kernel, tables })
    }

    /// The prime.
    #[must_use]
    pub const fn prime(&self) -> Prime {
        self.prime
    }

    /// Transforms coefficients to values, in place.
    ///
    /// # Panics
    /// If the length is not the degree.
    pub fn forward(&self, polynomial: &mut [u64]) {
        assert_eq!(polynomial.len(), self.degree);
        self.kernel.run(Forward(self, polynomial));
    }

    /// Transforms values to coefficients, in place.
    ///
    /// # Panics
    /// If the length is not the degree.
    pub fn backward(&self, polynomial: &mut [u64]) {
        assert_eq!(polynomial.len(), self.degree);
        self.kernel.run(Backward(self, None, polynomial));
    }

    /// Transforms values to coefficients, written to `out`, whose previous content is arbitrary.
    ///
    /// # Panics
    /// If a length is not the degree.
    pub fn backward_of(&self, values: &[u64], out: &mut [u64]) {
        assert!(values.len() == self.degree && out.len() == self.degree);
        self.kernel.run(Backward(self, Some(values), out));
    }
}

struct Forward<'a>(&'a Transform, &'a mut [u64]);
/// Transforms other values if they are given, otherwise the polynomial itself.
struct Backward<'a>(&'a Transform, Option<&'a [u64]>, &'a mut [u64]);

impl Work for Forward<'_> {
    fn portable(self) {
        if let Tables::Whole { forward, .. } = &self.0.tables {
            portable::forward(self.0.prime, forward, self.1);
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        if let Tables::Float(tables) = &self.0.tables {
            // SAFETY: upheld by the caller.
            unsafe { float::forward::<V>(tables, self.1) }
        }
    }
}

impl Work for Backward<'_> {
    fn portable(self) {
        if let Tables::Whole { backward, scale, .. } = &self.0.tables {
            if let Some(values) = self.1 {
                self.2.copy_from_slice(values);
            }
            portable::backward(self.0.prime, backward, *scale, self.2);
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        if let Tables::Float(tables) = &self.0.tables {
            // SAFETY: upheld by the caller.
            unsafe { float::backward::<V>(tables, self.1, self.2) }
        }
    }
}

#[cfg(test)]
mod tests;
