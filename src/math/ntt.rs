//! The number-theoretic transform of polynomials modulo `X^N + 1`, and products after it.
//!
//! A transformed polynomial is its values at the odd powers of a root of unity `psi` of order `2 N`: place `i` has the value
//! at `psi^(2 rev(i) + 1)`, where `rev` reads the bits of `i` backwards. Products of polynomials are then products place by
//! place. The transform goes in `log N` layers, forward with butterflies of Cooley and Tukey, back with those of Gentleman
//! and Sande, and `psi` is woven into the layers' factors (P. Longa, M. Naehrig, "Speeding up the number theoretic
//! transform for faster ideal lattice-based cryptography", CANS 2016).
//!
//! All kernels give the same residues. [`Kernel::best`] is the fastest that this machine has.

#[cfg(any(target_arch = "x86_64", test))]
mod float;
mod portable;

use crate::math::residue::{Factor, Prime};

/// A way to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Whole numbers of 64 bits, everywhere.
    Portable,
    /// Floats, four at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Floats, one at a time, for tests.
    #[cfg(test)]
    Twin,
}

impl Kernel {
    /// All that this machine can use.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let all = [
            Some(Self::Portable),
            #[cfg(target_arch = "x86_64")]
            float::has_avx2().then_some(Self::Avx2),
            #[cfg(test)]
            Some(Self::Twin),
        ];
        all.into_iter().flatten().collect()
    }

    /// The fastest that this machine can use.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if float::has_avx2() {
            return Self::Avx2;
        }
        Self::Portable
    }
}

/// The transform for one degree and one prime.
pub struct Transform {
    prime: Prime,
    /// `psi^rev(i)`, and `psi^-rev(i)`: the factors of layer after layer.
    forward: Vec<Factor>,
    backward: Vec<Factor>,
    /// `1 / N`.
    scale: Factor,
    /// What kernels on floats need.
    #[cfg(any(target_arch = "x86_64", test))]
    floats: Option<float::Tables>,
}

impl Transform {
    /// For polynomials of `degree` coefficients, a power of two from 16 on. None if the prime has no root of unity of twice
    /// that order.
    #[must_use]
    pub fn new(
        prime: Prime,
        degree: usize,
        #[cfg_attr(not(any(target_arch = "x86_64", test)), expect(unused_variables))] kernel: Kernel,
    ) -> Option<Self> {
        if !degree.is_power_of_two() || degree < 16 {
            return None;
        }
        let psi = prime.root(2 * degree as u64)?;
        let powers = |root: u64| {
            let mut powers = vec![1; degree];
            for i in 1..degree {
                powers[i] = prime.mul(powers[i - 1], root);
            }
            let shift = usize::BITS - degree.trailing_zeros();
            (0..degree).map(|i| Factor::new(powers[i.reverse_bits() >> shift], prime)).collect::<Vec<_>>()
        };
        let (forward, backward) = (powers(psi), powers(prime.inverse(psi)));
        let scale = Factor::new(prime.inverse(prime.residue(degree as u64)), prime);
        Some(Self {
            #[cfg(any(target_arch = "x86_64", test))]
            floats: float::Tables::new(prime, kernel, &forward, &backward, scale),
            prime,
            forward,
            backward,
            scale,
        })
    }

    /// The prime.
    #[must_use]
    pub const fn prime(&self) -> Prime {
        self.prime
    }

    /// From coefficients to values, in place.
    ///
    /// # Panics
    /// If there are not as many as the degree says.
    pub fn forward(&self, polynomial: &mut [u64]) {
        assert_eq!(polynomial.len(), self.forward.len());
        #[cfg(any(target_arch = "x86_64", test))]
        if let Some(tables) = &self.floats {
            return tables.forward(polynomial);
        }
        portable::forward(self, polynomial);
    }

    /// From values to coefficients, in place.
    ///
    /// # Panics
    /// If there are not as many as the degree says.
    pub fn backward(&self, polynomial: &mut [u64]) {
        assert_eq!(polynomial.len(), self.forward.len());
        #[cfg(any(target_arch = "x86_64", test))]
        if let Some(tables) = &self.floats {
            return tables.backward(polynomial);
        }
        portable::backward(self, polynomial);
    }
}

#[cfg(test)]
mod tests;
