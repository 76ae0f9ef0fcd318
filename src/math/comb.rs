//! Powers of one base with many exponents, from a table made once.
//!
//! The table holds `base^(d * 2^(w i))` for every digit `d` from 1 to `2^w - 1` of every window `i` of `w` bits of the
//! exponent. A power is then one product for each window and no squaring (E. F. Brickell and others, "Fast exponentiation
//! with precomputation", EUROCRYPT 1992). Wider windows mean fewer products and a larger table: [`Comb::window`] weighs
//! them.
//!
//! Which entries are read depends on the exponent. Where somebody may watch this machine's caches, [`Lookup::Scan`] reads
//! every entry of a window each time instead.

use num_bigint::BigUint;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::pair::{Batch, PairModulus};

/// How table entries are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// By their address, which is fast.
    #[default]
    Direct,
    /// By reading the whole window, so that memory accesses do not depend on secrets.
    Scan,
}

/// The largest table of one base, in bytes.
const MAX_BYTES: u64 = 48 << 20;
/// The widest window, in bits.
const MAX_WINDOW: u64 = 10;
/// How many products it takes to read a window's entry by scanning, as a share of the entries.
const ENTRIES_PER_PRODUCT: u64 = 24;

/// The table of one base.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Comb {
    #[zeroize(skip)]
    lookup: Lookup,
    window: u64,
    /// Words of an entry.
    size: usize,
    /// For each window, least significant first, its entries, each as the digits of one lane.
    windows: Vec<Vec<u64>>,
}

impl Comb {
    /// The window, in bits, with which `count` powers with exponents of `bits` bits cost the fewest products, the table
    /// included.
    #[must_use]
    pub fn window(modulus: &PairModulus, bits: u64, count: u64, lookup: Lookup) -> u64 {
        let entry = modulus.lane_words() as u64 * 8;
        let cost = |window: u64| {
            let entries = (1 << window) - 1;
            let scan = if lookup == Lookup::Scan { count * entries / ENTRIES_PER_PRODUCT } else { 0 };
            bits.div_ceil(window) * (entries + count + scan)
        };
        let fits = |window: &u64| bits.div_ceil(*window) * ((1 << window) - 1) * entry <= MAX_BYTES;
        (1..=MAX_WINDOW).filter(fits).min_by_key(|&window| cost(window)).unwrap_or(1)
    }

    /// Makes the table for exponents of up to `bits` bits.
    #[must_use]
    pub fn new(modulus: &PairModulus, base: &BigUint, bits: u64, window: u64, lookup: Lookup) -> Self {
        let lanes = modulus.lanes();
        let count = usize::try_from(bits.div_ceil(window)).unwrap_or(usize::MAX);
        let entries = (1usize << window) - 1;
        let mut power = modulus.broadcast(base);
        let mut scratch = modulus.empty();
        let mut windows = Vec::with_capacity(count);
        while windows.len() < count {
            // As many windows at a time as there are lanes: each lane starts from the power for its own window.
            let mut starts = modulus.one().clone();
            let some = lanes.min(count - windows.len());
            for lane in 0..some {
                modulus.set_lane(&mut starts, lane, &modulus.lane(&power, 0));
                for _ in 0..window {
                    modulus.square(&mut scratch, &power);
                    std::mem::swap(&mut scratch, &mut power);
                }
            }
            let mut made = vec![Vec::with_capacity(entries * modulus.lane_words()); some];
            let mut entry = starts.clone();
            for digit in 1..=entries {
                for (lane, window) in made.iter_mut().enumerate() {
                    window.extend(modulus.lane(&entry, lane));
                }
                if digit < entries {
                    modulus.mul(&mut scratch, &entry, &starts);
                    std::mem::swap(&mut scratch, &mut entry);
                }
            }
            windows.append(&mut made);
        }
        Self { lookup, window, size: modulus.lane_words(), windows }
    }

    /// How entries are looked up.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        self.lookup
    }

    /// The width of a window in bits.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.window
    }

    /// The powers with these exponents, one for each lane at most. Lanes without exponent are one.
    #[must_use]
    pub fn powers(&self, modulus: &PairModulus, exponents: &[BigUint]) -> Batch {
        let digits: Vec<_> = exponents.iter().map(|exponent| self.digits(exponent)).collect();
        let one = modulus.lane(modulus.one(), 0);
        let mut product = modulus.one().clone();
        let mut factor = modulus.one().clone();
        let mut scratch = modulus.empty();
        let mut chosen = vec![0; self.size];
        for (position, window) in self.windows.iter().enumerate() {
            for (lane, digits) in digits.iter().enumerate() {
                let digit = digits[position];
                match self.lookup {
                    Lookup::Direct if digit == 0 => modulus.set_lane(&mut factor, lane, &one),
                    Lookup::Direct => {
                        let start = (usize::from(digit) - 1) * self.size;
                        modulus.set_lane(&mut factor, lane, &window[start..start + self.size]);
                    }
                    Lookup::Scan => {
                        scan(&mut chosen, &one, window, digit);
                        modulus.set_lane(&mut factor, lane, &chosen);
                    }
                }
            }
            modulus.mul(&mut scratch, &product, &factor);
            std::mem::swap(&mut scratch, &mut product);
        }
        factor.zeroize();
        scratch.zeroize();
        chosen.zeroize();
        product
    }

    /// An exponent in windows, least significant first.
    fn digits(&self, exponent: &BigUint) -> Vec<u16> {
        let bytes = exponent.to_bytes_le();
        let width = usize::try_from(self.window).unwrap_or(usize::MAX);
        let byte = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
        let digit = |window: usize| {
            let bit = window * width;
            let three = byte(bit / 8) | byte(bit / 8 + 1) << 8 | byte(bit / 8 + 2) << 16;
            u16::try_from(three >> (bit % 8) & ((1 << self.window) - 1)).unwrap_or(u16::MAX)
        };
        (0..self.windows.len()).map(digit).collect()
    }
}

/// Copies the entry for a digit, the one for 0 being `one`, by reading all.
fn scan(out: &mut [u64], one: &[u64], window: &[u64], digit: u16) {
    out.fill(0);
    for (index, entry) in (0u16..).zip(std::iter::once(one).chain(window.chunks_exact(one.len()))) {
        let difference = u64::from(index ^ digit);
        // All ones where the difference is zero.
        let mask = (difference.wrapping_sub(1) >> 63).wrapping_neg();
        for (out, &word) in out.iter_mut().zip(entry) {
            *out |= word & mask;
        }
    }
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
        for (window, lookup) in [(6, Lookup::Direct), (7, Lookup::Direct), (10, Lookup::Direct), (4, Lookup::Scan)] {
            let comb = Comb::new(&modulus, &base, 100, window, lookup);
            let exponents: Vec<BigUint> = (0..modulus.lanes())
                .map(|lane| (BigUint::from(0x0123_4567_89ab_cdef_u64) * (lane + 1)) << lane)
                .chain([BigUint::ZERO, BigUint::one(), (BigUint::one() << 100usize) - 1u8])
                .collect();
            for some in exponents.chunks(modulus.lanes()) {
                let powers = modulus.leave(&comb.powers(&modulus, some));
                for (exponent, power) in some.iter().zip(powers) {
                    assert_eq!(power, base.modpow(exponent, &squared), "{window} {lookup:?}");
                }
            }
        }
    }

    #[test]
    fn more_powers_deserve_wider_windows_up_to_a_limit() {
        let n = (BigUint::one() << 1536usize) - 3u8;
        let modulus = PairModulus::new(&n).expect("odd");
        let window = |count| Comb::window(&modulus, 1536, count, Lookup::Direct);
        assert!(window(10) < window(1000));
        assert!(window(1000) <= window(1 << 40));
        let largest =
            1536u64.div_ceil(window(1 << 40)) * ((1 << window(1 << 40)) - 1) * modulus.lane_words() as u64 * 8;
        assert!(largest <= MAX_BYTES);
        assert!(Comb::window(&modulus, 1536, 1 << 40, Lookup::Scan) <= 5);
    }
}
