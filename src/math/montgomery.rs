//! Multiplication and powers modulo an odd number, in Montgomery form.
//!
//! A residue is a fixed number of limbs, least significant first. Limbs are machine words: 64 bits natively, and 32 bits in
//! WebAssembly, where a 64-bit product takes one instruction but a 128-bit product does not. The product is the interleaved
//! (CIOS) method of Koç, Acar and Kaliski, "Analyzing and comparing Montgomery multiplication algorithms" (1996).
//!
//! Branches and memory addresses depend only on the lengths of residues and exponents, never on their values.

use num_bigint::BigUint;
use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(not(target_arch = "wasm32"))]
mod word {
    /// One machine word of a residue.
    pub type Limb = u64;
    pub(super) type Wide = u128;
}
#[cfg(target_arch = "wasm32")]
mod word {
    /// One machine word of a residue.
    pub type Limb = u32;
    pub(super) type Wide = u64;
}
pub use word::Limb;
use word::Wide;

const BITS: u32 = Limb::BITS;
const BYTES: usize = (BITS / 8) as usize;

/// The largest modulus, in limbs: the square of a 4096-bit number.
pub const MAX_LIMBS: usize = 8192 / BITS as usize;

const WINDOW: u64 = Exponent::WINDOW;

/// An odd modulus, prepared for Montgomery multiplication.
///
/// It may be secret (a factor of a key), so it is wiped when dropped and has no `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Modulus {
    limbs: Vec<Limb>,
    /// `-1 / modulus` modulo the word size.
    inverse: Limb,
    /// `R mod modulus`: one in Montgomery form, where `R` is the word size to the power of the number of limbs.
    one: Vec<Limb>,
    /// `R * R mod modulus`: multiplying a number by it converts the number to Montgomery form.
    square: Vec<Limb>,
}

impl Modulus {
    /// Prepares a modulus. Returns `None` unless it is odd, at least 3, and at most [`MAX_LIMBS`] limbs long.
    #[must_use]
    pub fn new(modulus: &BigUint) -> Option<Self> {
        let bits = modulus.bits();
        if !modulus.bit(0) || bits < 2 || bits > (MAX_LIMBS as u64) * u64::from(BITS) {
            return None;
        }
        let width = usize::try_from(bits.div_ceil(u64::from(BITS))).ok()?;
        let limbs = to_limbs(modulus, width);
        let r = BigUint::from(1u8) << (width * BITS as usize);
        let one = to_limbs(&(&r % modulus), width);
        let square = to_limbs(&((&r * &r) % modulus), width);
        let inverse = word_inverse(limbs[0]).wrapping_neg();
        Some(Self { limbs, inverse, one, square })
    }

    /// The number of limbs in a residue.
    #[must_use]
    pub fn width(&self) -> usize {
        self.limbs.len()
    }

    /// One, in Montgomery form.
    #[must_use]
    pub fn one(&self) -> &[Limb] {
        &self.one
    }

    /// `out = a * b / R`: the product of two residues in Montgomery form. All slices are [`Self::width`] limbs long.
    pub fn mul(&self, out: &mut [Limb], a: &[Limb], b: &[Limb]) {
        let width = self.limbs.len();
        let (a, b) = (&a[..width], &b[..width]);
        let mut scratch = [0; MAX_LIMBS];
        let sum = &mut scratch[..width];
        // The sum consists of `sum` and one more word, `top`, which never exceeds 1 between rounds.
        let mut top: Limb = 0;
        for &digit in b {
            let carry = add_product(sum, a, digit);
            let (high, overflow) = top.overflowing_add(carry);
            let multiple = sum[0].wrapping_mul(self.inverse);
            let carry = add_product_shifted(sum, &self.limbs, multiple);
            let (last, overflow2) = high.overflowing_add(carry);
            sum[width - 1] = last;
            top = Limb::from(overflow) + Limb::from(overflow2);
        }
        self.subtract_once(&mut out[..width], sum, top);
    }

    /// `a = a * b / R` in place.
    pub fn mul_assign(&self, a: &mut [Limb], b: &[Limb]) {
        let mut copy = [0; MAX_LIMBS];
        let copy = &mut copy[..self.width()];
        copy.copy_from_slice(a);
        self.mul(a, copy, b);
    }

    /// `a = a * a / R` in place.
    pub fn square_assign(&self, a: &mut [Limb]) {
        let mut copy = [0; MAX_LIMBS];
        let copy = &mut copy[..self.width()];
        copy.copy_from_slice(a);
        self.mul(a, copy, copy);
    }

    /// Converts a residue to Montgomery form, in place.
    pub fn enter(&self, a: &mut [Limb]) {
        self.mul_assign(a, &self.square);
    }

    /// Converts a residue from Montgomery form, in place.
    pub fn leave(&self, a: &mut [Limb]) {
        let mut unit = [0; MAX_LIMBS];
        unit[0] = 1;
        self.mul_assign(a, &unit[..self.width()]);
    }

    /// The residue of a number, in Montgomery form.
    #[must_use]
    pub fn residue(&self, number: &BigUint) -> Vec<Limb> {
        let mut limbs = to_limbs(&(number % from_limbs(&self.limbs)), self.width());
        self.enter(&mut limbs);
        limbs
    }

    /// The number that a residue in Montgomery form represents.
    #[must_use]
    pub fn number(&self, residue: &[Limb]) -> BigUint {
        let mut limbs = residue.to_vec();
        self.leave(&mut limbs);
        from_limbs(&limbs)
    }

    /// `base ^ exponent`, with base and result in Montgomery form.
    ///
    /// The time depends on the exponent's length, not on its bits: every window takes the same number of products, and the
    /// whole table of powers is read.
    #[must_use]
    pub fn pow(&self, base: &[Limb], exponent: &Exponent) -> Vec<Limb> {
        let width = self.width();
        let mut table = vec![0; width << WINDOW];
        table[..width].copy_from_slice(&self.one);
        for entry in 1..1usize << WINDOW {
            let (done, rest) = table.split_at_mut(entry * width);
            self.mul(&mut rest[..width], &done[(entry - 1) * width..], base);
        }
        let mut result = self.one.clone();
        let mut factor = vec![0; width];
        for (position, &digit) in exponent.windows.iter().rev().enumerate() {
            if position > 0 {
                for _ in 0..WINDOW {
                    self.square_assign(&mut result);
                }
            }
            select(&mut factor, &table, digit);
            self.mul_assign(&mut result, &factor);
        }
        table.zeroize();
        factor.zeroize();
        result
    }

    /// `out = value - modulus` if the value, with `top` as its highest word, is not below the modulus; otherwise `value`.
    fn subtract_once(&self, out: &mut [Limb], value: &[Limb], top: Limb) {
        let mut borrow = false;
        for ((out, &v), &m) in out.iter_mut().zip(value).zip(&self.limbs) {
            let (difference, b1) = v.overflowing_sub(m);
            let (difference, b2) = difference.overflowing_sub(Limb::from(borrow));
            *out = difference;
            borrow = b1 | b2;
        }
        // Keeps the value where the subtraction went below zero.
        let keep = (Limb::from(borrow) & !top & 1).wrapping_neg();
        for (out, &v) in out.iter_mut().zip(value) {
            *out = (*out & !keep) | (v & keep);
        }
    }
}

/// An exponent cut into windows. It may be secret, so it is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Exponent {
    /// Least significant window first.
    windows: Vec<u8>,
}

impl Exponent {
    /// The number of bits in a window.
    pub(super) const WINDOW: u64 = 5;

    /// The windows, least significant first.
    pub(super) fn windows(&self) -> impl DoubleEndedIterator<Item = u8> + ExactSizeIterator {
        self.windows.iter().copied()
    }

    /// Cuts a number into windows.
    #[must_use]
    pub fn new(number: &BigUint) -> Self {
        let count = number.bits().div_ceil(WINDOW).max(1);
        let digit =
            |window: u64| (0..WINDOW).fold(0u8, |sum, bit| sum | (u8::from(number.bit(window * WINDOW + bit)) << bit));
        Self { windows: (0..count).map(digit).collect() }
    }
}

/// `sum += a * digit`; returns the carry.
pub(super) fn add_product(sum: &mut [Limb], a: &[Limb], digit: Limb) -> Limb {
    let mut carry: Limb = 0;
    for (sum, &a) in sum.iter_mut().zip(a) {
        let wide = Wide::from(a) * Wide::from(digit) + Wide::from(*sum) + Wide::from(carry);
        (*sum, carry) = split(wide);
    }
    carry
}

/// `sum = (sum + a * digit) / word size`, where the division is exact. Returns the carry, which the caller must store in the
/// highest limb of `sum`.
fn add_product_shifted(sum: &mut [Limb], a: &[Limb], digit: Limb) -> Limb {
    let mut carry = split(Wide::from(a[0]) * Wide::from(digit) + Wide::from(sum[0])).1;
    for i in 1..a.len().min(sum.len()) {
        let wide = Wide::from(a[i]) * Wide::from(digit) + Wide::from(sum[i]) + Wide::from(carry);
        (sum[i - 1], carry) = split(wide);
    }
    carry
}

/// The low and the high word of a double word.
#[expect(clippy::cast_possible_truncation, reason = "taking the words apart is the purpose")]
const fn split(wide: Wide) -> (Limb, Limb) {
    (wide as Limb, (wide >> BITS) as Limb)
}

/// Copies the entry at `index` from the table, reading every entry.
fn select(out: &mut [Limb], table: &[Limb], index: u8) {
    out.fill(0);
    for (entry, limbs) in table.chunks_exact(out.len()).enumerate() {
        let difference = Limb::from(u8::try_from(entry).unwrap_or(u8::MAX) ^ index);
        // All ones where the difference is zero.
        let mask = ((difference | difference.wrapping_neg()) >> (BITS - 1)).wrapping_sub(1);
        for (out, &limb) in out.iter_mut().zip(limbs) {
            *out |= limb & mask;
        }
    }
}

/// The inverse of an odd word modulo the word size, by Newton's iteration: each step doubles the number of correct bits.
fn word_inverse(odd: Limb) -> Limb {
    let mut inverse: Limb = odd;
    for _ in 0..6 {
        inverse = inverse.wrapping_mul((2 as Limb).wrapping_sub(odd.wrapping_mul(inverse)));
    }
    inverse
}

/// The limbs of a number, least significant first, padded with zeros to `width`.
///
/// # Panics
/// If the number is longer than `width` limbs.
#[must_use]
pub fn to_limbs(number: &BigUint, width: usize) -> Vec<Limb> {
    limbs_from_bytes(&number.to_bytes_le(), width)
}

/// The number with these limbs.
#[must_use]
pub fn from_limbs(limbs: &[Limb]) -> BigUint {
    BigUint::from_bytes_le(&limbs_to_bytes(limbs))
}

/// The limbs of a number given as little-endian bytes, padded with zeros to `width`.
///
/// # Panics
/// If `width` limbs cannot hold all bytes.
#[must_use]
pub fn limbs_from_bytes(bytes: &[u8], width: usize) -> Vec<Limb> {
    let mut limbs = vec![0; width];
    assert!(bytes.len() <= width * BYTES, "a number is longer than its modulus");
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks(BYTES)) {
        let mut word = [0; BYTES];
        word[..chunk.len()].copy_from_slice(chunk);
        *limb = Limb::from_le_bytes(word);
    }
    limbs
}

/// Little-endian bytes of limbs.
#[must_use]
pub fn limbs_to_bytes(limbs: &[Limb]) -> Vec<u8> {
    limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(bits: usize) -> impl Strategy<Value = BigUint> {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), bits / 8).prop_map(|b| BigUint::from_bytes_le(&b)),
            // Long runs of ones and zeros, which propagate carries far.
            1 => (0..bits, 0..bits).prop_map(|(a, b)| (BigUint::from(1u8) << a.max(b)) - (BigUint::from(1u8) << a.min(b))),
            1 => Just(BigUint::from(0u8)),
            1 => Just(BigUint::from(1u8)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn products_agree_with_num_bigint(n in number(2048), a in number(2048), b in number(2048), top in any::<bool>()) {
            let mut n = n | BigUint::from(3u8);
            if top {
                n |= (BigUint::from(1u8) << 2048usize) - (BigUint::from(1u8) << 1900usize);
            }
            let modulus = Modulus::new(&n).expect("odd");
            for (a, b) in [(&a % &n, &b % &n), (&n - 1u8, &n - 1u8), (&n - 1u8, &b % &n)] {
                let mut product = vec![0; modulus.width()];
                modulus.mul(&mut product, &modulus.residue(&a), &modulus.residue(&b));
                prop_assert_eq!(modulus.number(&product), a * b % &n);
            }
        }

        #[test]
        fn powers_agree_with_num_bigint(n in number(512), base in number(512), exponent in number(256)) {
            let n = n | BigUint::from(3u8);
            let modulus = Modulus::new(&n).expect("odd");
            let power = modulus.pow(&modulus.residue(&base), &Exponent::new(&exponent));
            prop_assert_eq!(modulus.number(&power), base.modpow(&exponent, &n));
        }
    }

    #[test]
    fn even_tiny_and_huge_moduli_are_refused() {
        for bad in [BigUint::from(0u8), BigUint::from(1u8), BigUint::from(1000u32), BigUint::from(1u8) << 8192usize] {
            assert!(Modulus::new(&bad).is_none());
        }
        assert!(Modulus::new(&((BigUint::from(1u8) << 8192usize) + 1u8)).is_none());
        assert!(Modulus::new(&((BigUint::from(1u8) << 8192usize) - 1u8)).is_some());
    }
}
