//! Decodes polynomials to numbers.

use num_complex::Complex64;

use super::encode::{Encoder, residue};
use super::plaintext::Plaintext;
use super::ring::{Basis, Ring};
use crate::math::residue::{Factor, Prime};

impl Plaintext {
    /// Decodes the numbers.
    #[must_use]
    pub fn decode(&self, ring: &Ring, encoder: &Encoder) -> Vec<Complex64> {
        encoder.decode(&self.coefficients(ring), self.slots)
    }

    /// The largest coefficient that a vector with this number of slots should not have. In an honest result, these coefficients
    /// are noise. In units of the values; 0 if all slots are in use.
    #[must_use]
    pub fn beside(&self, ring: &Ring) -> f64 {
        let coefficients = self.coefficients(ring);
        let gap = coefficients.len() / (2 * self.slots);
        let beside = coefficients.iter().enumerate().filter(|(place, _)| place % gap != 0);
        beside.map(|(_, coefficient)| coefficient.abs()).fold(0.0, f64::max)
    }

    /// The coefficients closest to zero, divided by the scale.
    ///
    /// Two primes suffice for all numbers that fit into a float: higher mixed-radix digits are multiples of the product of both
    /// primes, about 2^90, and no plaintext is that large.
    #[expect(clippy::cast_precision_loss, reason = "that is what floats do")]
    fn coefficients(&self, ring: &Ring) -> Vec<f64> {
        let first = ring.level(0).first;
        let basis = Basis { first, count: (self.level + 1).min(PRIMES) };
        let words = self.poly.coefficients(ring, basis);
        let degree = ring.degree();
        let [low, high] = [words[..degree].iter(), words[(basis.count - 1) * degree..].iter()];
        let prime = ring.limb(first).prime();
        if basis.count == 1 {
            return low.map(|&low| centred(low, prime) as f64 / self.scale).collect();
        }
        let next = ring.limb(first + 1).prime();
        let inverse = Factor::new(next.inverse(next.residue(prime.value())), next);
        // Two digits of mixed radix (H. L. Garner, 1959), the lower one with a sign.
        let number = |(&low, &high): (&u64, &u64)| {
            let low = centred(low, prime);
            let digit = inverse.mul(next.sub(high, residue(low, next)), next);
            (low + centred(digit, next) * i128::from(prime.value())) as f64 / self.scale
        };
        low.zip(high).map(number).collect()
    }
}

/// The number of primes that are used.
const PRIMES: usize = 2;

/// The number closest to zero with this residue.
fn centred(residue: u64, prime: Prime) -> i128 {
    let (residue, q) = (i128::from(residue), i128::from(prime.value()));
    if residue > q / 2 { residue - q } else { residue }
}
