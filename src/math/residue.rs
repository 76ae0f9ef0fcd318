//! Integers modulo a prime below 2^50, for one limb of a residue number system.
//!
//! A residue is always below its prime, except where a name says `lazy`. No branch depends on a residue.

/// The maximum number of bits of a prime. Floats with 53 bits hold sums of a few residues exactly.
pub const MOST_BITS: u32 = 50;

/// A prime, with constants for fast reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prime {
    value: u64,
    /// `2^(2 bits) / value`, rounded down (Barrett 1986).
    ratio: u64,
    bits: u32,
}

impl Prime {
    /// The prime `value`, if it is odd and has at most [`MOST_BITS`] bits.
    #[must_use]
    pub fn new(value: u64) -> Option<Self> {
        let bits = 64 - value.leading_zeros();
        if value < 3 || value.is_multiple_of(2) || bits > MOST_BITS {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the ratio has one bit more than the prime")]
        let this = Self { value, ratio: ((1 << (2 * bits)) / u128::from(value)) as u64, bits };
        this.is_prime().then_some(this)
    }

    /// The largest prime below `bound` (at most `2^`[`MOST_BITS`]) that is 1 modulo `order`, so that it has roots of unity of
    /// that order.
    #[must_use]
    pub fn below(bound: u64, order: u64) -> Option<Self> {
        let last = bound.checked_sub(2)? / order * order + 1;
        (0..last / order).find_map(|i| Self::new(last - i * order))
    }

    /// The Miller-Rabin test with the first twelve primes as bases, which is correct for all numbers below 2^64 (J. Sorenson,
    /// J. Webster, 2017). The arithmetic here works for any odd modulus.
    fn is_prime(self) -> bool {
        let twos = (self.value - 1).trailing_zeros();
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].into_iter().all(|base| {
            let base = self.residue(base);
            let mut power = self.pow(base, (self.value - 1) >> twos);
            let squares = (0..twos).any(|_| {
                let minus_one = power == self.value - 1;
                power = self.mul(power, power);
                minus_one
            });
            base == 0 || squares || self.pow(base, (self.value - 1) >> twos) == 1
        })
    }

    /// The prime itself.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.value
    }

    /// The residue of a product of two residues, or of any number below `2^(2 bits)`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "what is cut off is known to be zero, or of no account")]
    pub const fn reduce(self, number: u128) -> u64 {
        let quotient = ((number >> (self.bits - 1)) * self.ratio as u128) >> (self.bits + 1);
        let rest = (number as u64).wrapping_sub((quotient as u64).wrapping_mul(self.value));
        // The quotient is at most two too small.
        self.once(self.once(rest))
    }

    /// Subtracts the prime once if the number is not below it.
    const fn once(self, number: u64) -> u64 {
        let less = number.wrapping_sub(self.value);
        // All ones if the number was below the prime.
        let mask = (less >> 63).wrapping_neg();
        less.wrapping_add(self.value & mask)
    }

    /// The residue of any word.
    #[must_use]
    pub const fn residue(self, number: u64) -> u64 {
        number % self.value
    }

    /// The sum of two residues.
    #[must_use]
    pub const fn add(self, a: u64, b: u64) -> u64 {
        self.once(a + b)
    }

    /// The difference of two residues.
    #[must_use]
    pub const fn sub(self, a: u64, b: u64) -> u64 {
        self.once(a + self.value - b)
    }

    /// The product of two residues.
    #[must_use]
    pub const fn mul(self, a: u64, b: u64) -> u64 {
        self.reduce(a as u128 * b as u128)
    }

    /// Raises a residue to a public power.
    #[must_use]
    pub const fn pow(self, mut base: u64, mut exponent: u64) -> u64 {
        let mut power = 1;
        while exponent > 0 {
            if exponent % 2 == 1 {
                power = self.mul(power, base);
            }
            base = self.mul(base, base);
            exponent /= 2;
        }
        power
    }

    /// The inverse of a nonzero residue (Fermat).
    #[must_use]
    pub const fn inverse(self, number: u64) -> u64 {
        self.pow(number, self.value - 2)
    }

    /// A primitive root of unity of this order, a power of two, if there is one. It is always the same.
    #[must_use]
    pub fn root(self, order: u64) -> Option<u64> {
        if !order.is_power_of_two() || !(self.value - 1).is_multiple_of(order) {
            return None;
        }
        // A power has exactly this order if its power `order / 2` is -1 instead of 1. This is so for half of all numbers.
        (2..self.value)
            .map(|base| self.pow(base, (self.value - 1) / order))
            .find(|&root| order == 1 || self.pow(root, order / 2) == self.value - 1)
    }
}

/// A fixed factor, with a constant for fast multiplication (Shoup).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    pub(super) value: u64,
    /// `value 2^64 / q`, rounded down.
    quotient: u64,
}

impl Factor {
    /// Prepares a residue as a factor.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the residue is below the prime")]
    pub const fn new(value: u64, prime: Prime) -> Self {
        Self { value, quotient: (((value as u128) << 64) / prime.value as u128) as u64 }
    }

    /// The product with any word, reduced to less than twice the prime.
    #[must_use]
    pub const fn mul_lazy(self, number: u64, prime: Prime) -> u64 {
        let quotient = ((self.quotient as u128 * number as u128) >> 64) as u64;
        self.value.wrapping_mul(number).wrapping_sub(quotient.wrapping_mul(prime.value))
    }

    /// The product with any word.
    #[must_use]
    pub const fn mul(self, number: u64, prime: Prime) -> u64 {
        prime.once(self.mul_lazy(number, prime))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn primes_are_told_from_others() {
        for prime in [3, 5, 65_537, 1_000_003, (1 << 50) - 27] {
            assert!(Prime::new(prime).is_some(), "{prime}");
        }
        // Including Carmichael numbers and strong pseudoprimes to several bases.
        for other in
            [0, 1, 2, 9, 561, 3_215_031_751, 3_825_123_056_546_413 >> 2, (1 << 50) - 1, 1 << 20, (1 << 51) - 129]
        {
            assert!(Prime::new(other).is_none(), "{other}");
        }
        let largest = Prime::below(1 << 50, 1 << 17).unwrap();
        assert!(largest.value() % (1 << 17) == 1 && largest.value() > (1 << 50) - (1 << 23));
        assert_eq!(Prime::below(10, 64), None);
        assert_eq!(largest.root(1 << 18).is_some(), largest.value() % (1 << 18) == 1);
        let root = largest.root(1 << 17).unwrap();
        assert_eq!(largest.pow(root, 1 << 16), largest.value() - 1);
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_big_numbers(which in 0usize..4, x in any::<u64>(), y in any::<u64>(), edge in 0u8..4) {
            let prime = [3, 65_537, (1 << 50) - 27, Prime::below(1 << 45, 1 << 17).unwrap().value()][which];
            let prime = Prime::new(prime).unwrap();
            let q = prime.value();
            let (a, b) = match edge {
                0 => (q - 1, q - 1),
                1 => (0, prime.residue(y)),
                _ => (prime.residue(x), prime.residue(y)),
            };
            let big = |number: BigUint| number % q;
            prop_assert_eq!(BigUint::from(prime.mul(a, b)), big(BigUint::from(a) * b));
            prop_assert_eq!(BigUint::from(prime.add(a, b)), big(BigUint::from(a) + b));
            prop_assert_eq!(BigUint::from(prime.sub(a, b)), big(BigUint::from(a) + q - b));
            prop_assert_eq!(BigUint::from(Factor::new(a, prime).mul(y, prime)), big(BigUint::from(a) * y));
            if a > 0 {
                prop_assert_eq!(prime.mul(a, prime.inverse(a)), 1);
            }
        }
    }
}
