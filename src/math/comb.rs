//! Powers of one base with many exponents, from a table made once.
//!
//! The table holds `base^(d * 64^i)` for every digit `d` from 1 to 63 of every six-bit window `i` of the exponent. A
//! power is then one product for each window and no squaring (E. F. Brickell and others, "Fast exponentiation with
//! precomputation", EUROCRYPT 1992).
//! Which entries are read depends on the exponent; where somebody may watch this machine's caches, use
//! [`super::montgomery::Modulus::pow`], which reads its whole table.

use num_bigint::BigUint;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::pair::{Batch, PairModulus};

const WINDOW: u64 = 6;
const ENTRIES: usize = (1 << WINDOW) - 1;

/// The table of one base.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Comb {
    /// For each window, least significant first, the digits of its [`ENTRIES`] powers, each as one lane.
    windows: Vec<Vec<u64>>,
}

impl Comb {
    /// Makes the table for exponents of up to `bits` bits.
    #[must_use]
    pub fn new(modulus: &PairModulus, base: &BigUint, bits: u64) -> Self {
        let count = bits.div_ceil(WINDOW);
        let mut power = modulus.broadcast(base);
        let mut windows = Vec::new();
        for _ in 0..count {
            let mut entry = power.clone();
            let mut window = modulus.lane(&entry, 0);
            for _ in 1..ENTRIES {
                modulus.mul_assign(&mut entry, &power);
                window.extend(modulus.lane(&entry, 0));
            }
            // The 64th power starts the next window.
            modulus.mul_assign(&mut entry, &power);
            power = entry;
            windows.push(window);
        }
        Self { windows }
    }

    /// The powers with these exponents, one for each lane at most. Lanes without exponent are one.
    #[must_use]
    pub fn powers(&self, modulus: &PairModulus, exponents: &[BigUint]) -> Batch {
        let mut product = modulus.one().clone();
        let mut factor = modulus.empty();
        let one = modulus.lane(modulus.one(), 0);
        for (position, window) in (0u64..).zip(&self.windows) {
            for lane in 0..modulus.lanes() {
                let digit = exponents.get(lane).map_or(0, |exponent| digit(exponent, position));
                let entry = match digit {
                    0 => &one[..],
                    digit => &window[(digit - 1) * one.len()..digit * one.len()],
                };
                modulus.set_lane(&mut factor, lane, entry);
            }
            modulus.mul_assign(&mut product, &factor);
        }
        factor.zeroize();
        product
    }
}

fn digit(exponent: &BigUint, window: u64) -> usize {
    (0..WINDOW).fold(0, |sum, bit| sum | (usize::from(exponent.bit(window * WINDOW + bit)) << bit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::One as _;

    #[test]
    fn powers_agree_with_num_bigint() {
        let n = (BigUint::one() << 1024usize) - 105u8;
        let squared = &n * &n;
        let modulus = PairModulus::new(&n).expect("odd");
        let base = BigUint::from(3u8).pow(700);
        let comb = Comb::new(&modulus, &base, 100);
        let exponents: Vec<BigUint> = (0..modulus.lanes())
            .map(|lane| (BigUint::from(0x0123_4567_89ab_cdef_u64) * (lane + 1)) << lane)
            .chain([BigUint::ZERO, BigUint::one(), (BigUint::one() << 100usize) - 1u8])
            .collect();
        for some in exponents.chunks(modulus.lanes()) {
            let powers = modulus.leave(&comb.powers(&modulus, some));
            for (exponent, power) in some.iter().zip(powers) {
                assert_eq!(power, base.modpow(exponent, &squared));
            }
        }
    }
}
