//! The kernel for processors whose best multiplier is the floating-point one: 51-bit digits, several numbers at a time.
//!
//! A fused multiply-add rounds once, so two of them give all bits of the product `P` of two 51-bit digits (N. Emmart, F. Zheng,
//! C. Weems, "Faster modular exponentiation using double precision floating point arithmetic on the GPU", ARITH 2018, with
//! another rounding mode):
//!
//! ```text
//! high = P + 2^103                         rounded to a multiple of 2^51: the bits of 2^103, plus about P / 2^51
//! low  = P + (2^103 + 3 * 2^51 - high)     exact: the bits of 3 * 2^51, plus the signed remainder of high
//! ```
//!
//! Sums are 64-bit integers. The bits of `high` and `low` are added to them unchanged, and the contributions of the patterns of
//! `2^103` and `3 * 2^51` to each column are subtracted in advance ([`start`]). A column collects at most `6 k` halves below
//! 2^52 (`k` is at most 81 digits), which stays below 2^61. In a square, doubled digits give products below 2^103, the largest
//! that the scheme can hold.
//!
//! Both halves of the pair are processed in the same loop: row `i` adds digit `i` of `b` times all of `a`, computes the
//! quotient digits that make the lowest columns vanish, adds `n` times these, and shifts down by one digit. The half `h` needs
//! the quotient digits of `l` one by one, so both halves advance together.
//!
//! The algorithm is written once, for any [`Vector`]. The vector depends on the machine: `avx2` natively, `relaxed` in the
//! browser. The `twin` does the same on plain numbers, for the tests.
#![allow(unsafe_code)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
#[cfg(test)]
pub(super) mod twin;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::detect;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub(super) use relaxed::Relaxed;

use super::constants::float;
use super::{Constants, digit_mask};

pub(super) const BITS: u32 = 51;
/// One more than the maximum number of digits.
const MAX: usize = 82;

/// The bits of 2^52: they become a float when an integer below 2^52 is written into the lower bits.
const WHOLE: u64 = (1023 + 52) << 52;
/// The bits of 2^103.
const HIGH: u64 = (1023 + 103) << 52;
/// The bits of 3 * 2^51.
const LOW: u64 = WHOLE | 1 << 51;

/// A vector of 64-bit words, read as floats or as integers.
///
/// # Safety
/// For all functions: the processor has the instructions that the implementation uses. For `load` and `store`: there are
/// [`Self::LANES`] words behind the pointer.
pub(super) trait Vector: Copy {
    const LANES: usize;
    unsafe fn splat(word: u64) -> Self;
    unsafe fn load(from: *const u64) -> Self;
    unsafe fn store(self, to: *mut u64);
    /// `self * b + c`, rounded once.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// `self - b` as floats.
    unsafe fn minus(self, b: Self) -> Self;
    /// `self + b` as integers, modulo 2^64.
    unsafe fn add(self, b: Self) -> Self;
    /// `self - b` as integers, modulo 2^64.
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn and(self, b: Self) -> Self;
    unsafe fn or(self, b: Self) -> Self;
    /// Shifted right by 51 bits, filled with zeros.
    unsafe fn shift(self) -> Self;
}

/// Constants in registers.
#[derive(Clone, Copy)]
struct Fixed<V> {
    high: V,
    both: V,
    whole: V,
    mask: V,
    inverse: V,
    raise: V,
    lower: V,
}

impl<V: Vector> Fixed<V> {
    #[inline(always)]
    unsafe fn new(modulus: &Constants) -> Self {
        // SAFETY: upheld by the caller.
        unsafe {
            Self {
                high: V::splat(HIGH),
                both: V::splat((f64::from_bits(HIGH) + f64::from_bits(LOW)).to_bits()),
                whole: V::splat(WHOLE),
                mask: V::splat(digit_mask(BITS)),
                inverse: V::splat(float(modulus.inverse).to_bits()),
                raise: V::splat(1 << 62),
                lower: V::splat(1 << (62 - BITS)),
            }
        }
    }

    /// The bits of `high` and `low` (see the top of this file).
    #[inline(always)]
    unsafe fn product(self, a: V, b: V) -> (V, V) {
        // SAFETY: upheld by the caller.
        unsafe {
            let high = a.fma(b, self.high);
            (high, a.fma(b, self.both.minus(high)))
        }
    }

    /// Converts a digit to a float.
    #[inline(always)]
    unsafe fn float(self, digit: V) -> V {
        // SAFETY: upheld by the caller.
        unsafe { digit.or(self.whole).minus(self.whole) }
    }

    /// The quotient digit for the lowest column, as an integer and as a float. The patterns have no bits below 2^51, so it does
    /// not matter which of them the column still lacks.
    #[inline(always)]
    unsafe fn quotient(self, column: V) -> (V, V) {
        // SAFETY: upheld by the caller.
        unsafe {
            let digit = self.float(column.and(self.mask));
            let whole = self.product(digit, self.inverse).1.and(self.mask);
            (whole, self.float(whole))
        }
    }

    /// A signed number divided by 2^51, rounded down.
    #[inline(always)]
    unsafe fn carry(self, number: V) -> V {
        // SAFETY: upheld by the caller.
        unsafe { number.add(self.raise).shift().sub(self.lower) }
    }

    /// Writes both halves of a pair from their signed sums.
    #[inline(always)]
    unsafe fn write(self, out: &mut [u64], l: &[V], h: &[V]) {
        let (low, high) = out.split_at_mut(l.len() * V::LANES);
        // SAFETY: upheld by the caller.
        unsafe {
            self.normalise(low, l);
            self.normalise(high, h);
        }
    }

    /// Converts signed sums to digits.
    #[inline(always)]
    unsafe fn normalise(self, out: &mut [u64], sums: &[V]) {
        // SAFETY: upheld by the caller; `out` has as many words as `sums`.
        unsafe {
            let mut carry = V::splat(0);
            for (out, &sum) in out.chunks_exact_mut(V::LANES).zip(sums) {
                let number = sum.add(carry);
                carry = self.carry(number);
                number.and(self.mask).store(out.as_mut_ptr());
            }
        }
    }
}

/// `out = a b / R`, where the modulus has `k` digits and the arrays have room for `K`. If `k` is a constant, so are all
/// lengths.
///
/// # Safety
/// See [`Vector`]. All slices are `2 k` vectors long, and `k <= K`.
#[inline(always)]
pub(super) unsafe fn mul<V: Vector, const K: usize>(
    k: usize,
    modulus: &Constants,
    out: &mut [u64],
    a: &[u64],
    b: &[u64],
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(modulus);
        let n = &modulus.floats[..k];
        let (al, ah) = (floats::<V, K>(fixed, a, 0, k), floats::<V, K>(fixed, a, k, k));
        let terms = |count| move |column| count * touches(column, k);
        let mut l = starts::<V, K>(k, terms(2));
        let mut h = starts_of_h::<V, K>(k, modulus, terms(3));
        for i in 0..k {
            let x = fixed.float(V::load(b[i * V::LANES..].as_ptr()));
            let y = fixed.float(V::load(b[(k + i) * V::LANES..].as_ptr()));
            let n0 = V::splat(n[0].to_bits());

            let (high, low) = fixed.product(al[0], x);
            let (quotient, m) = fixed.quotient(l[0].add(low));
            let (high2, low2) = fixed.product(n0, m);
            let mut carry_l = high.add(high2).add(fixed.carry(l[0].add(low).add(low2)));

            let (high, low) = fixed.product(al[0], y);
            let (high2, low2) = fixed.product(ah[0], x);
            let first = h[0].add(fixed.mask.sub(quotient)).add(low).add(low2);
            let (_, m2) = fixed.quotient(first);
            let (high3, low3) = fixed.product(n0, m2);
            let mut carry_h = high.add(high2).add(high3).add(fixed.carry(first.add(low3)));

            for j in 1..k {
                let n = V::splat(n[j].to_bits());
                let (high, low) = fixed.product(al[j], x);
                let (high2, low2) = fixed.product(n, m);
                l[j - 1] = l[j].add(carry_l).add(low).add(low2);
                carry_l = high.add(high2);

                let (high, low) = fixed.product(al[j], y);
                let (high2, low2) = fixed.product(ah[j], x);
                let (high3, low3) = fixed.product(n, m2);
                h[j - 1] = h[j].add(carry_h).add(low).add(low2).add(low3);
                carry_h = high.add(high2).add(high3);
            }
            l[k - 1] = carry_l.add(V::splat(start(k + i, terms(2))));
            h[k - 1] = carry_h.add(V::splat(start(k + i, terms(3))));
        }
        fixed.write(out, &l[..k], &h[..k]);
    }
}

/// `out = a a / R`, where products of two different digits are computed once and doubled.
///
/// # Safety
/// See [`mul`].
#[inline(always)]
pub(super) unsafe fn square<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(modulus);
        let n = &modulus.floats[..k];
        let al = floats::<V, K>(fixed, a, 0, k);
        let of_l = |column| touches(column, k) + touches_of_square(column, k);
        let of_h = |column| 2 * touches(column, k);
        let mut l = starts::<V, K>(k, of_l);
        let mut h = starts_of_h::<V, K>(k, modulus, of_h);
        for i in 0..k {
            let x = al[i];
            let twice = double(x);
            let y = double(fixed.float(V::load(a[(k + i) * V::LANES..].as_ptr())));
            let n0 = V::splat(n[0].to_bits());

            let mut first = l[0];
            let mut carry_l = V::splat(0);
            if i == 0 {
                let (high, low) = fixed.product(x, x);
                first = first.add(low);
                carry_l = high;
            }
            let (quotient, m) = fixed.quotient(first);
            let (high, low) = fixed.product(n0, m);
            carry_l = carry_l.add(high).add(fixed.carry(first.add(low)));

            let (high, low) = fixed.product(al[0], y);
            let first = h[0].add(fixed.mask.sub(quotient)).add(low);
            let (_, m2) = fixed.quotient(first);
            let (high2, low2) = fixed.product(n0, m2);
            let mut carry_h = high.add(high2).add(fixed.carry(first.add(low2)));

            for j in 1..k {
                let n = V::splat(n[j].to_bits());
                let (high, low) = fixed.product(n, m);
                let mut sum = l[j].add(carry_l).add(low);
                carry_l = high;
                if j >= i {
                    let (high, low) = fixed.product(al[j], if j == i { x } else { twice });
                    sum = sum.add(low);
                    carry_l = carry_l.add(high);
                }
                l[j - 1] = sum;

                let (high, low) = fixed.product(al[j], y);
                let (high2, low2) = fixed.product(n, m2);
                h[j - 1] = h[j].add(carry_h).add(low).add(low2);
                carry_h = high.add(high2);
            }
            l[k - 1] = carry_l.add(V::splat(start(k + i, of_l)));
            h[k - 1] = carry_h.add(V::splat(start(k + i, of_h)));
        }
        fixed.write(out, &l[..k], &h[..k]);
    }
}

/// `out = a b / R` modulo `n`: only the lower halves.
///
/// # Safety
/// See [`mul`], but all slices are `k` vectors long.
#[inline(always)]
pub(super) unsafe fn mul_low<V: Vector, const K: usize>(
    k: usize,
    modulus: &Constants,
    out: &mut [u64],
    a: &[u64],
    b: &[u64],
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(modulus);
        let n = &modulus.floats[..k];
        let al = floats::<V, K>(fixed, a, 0, k);
        let terms = |column| 2 * touches(column, k);
        let mut l = starts::<V, K>(k, terms);
        for i in 0..k {
            let x = fixed.float(V::load(b[i * V::LANES..].as_ptr()));
            let (high, low) = fixed.product(al[0], x);
            let (_, m) = fixed.quotient(l[0].add(low));
            let (high2, low2) = fixed.product(V::splat(n[0].to_bits()), m);
            let mut carry = high.add(high2).add(fixed.carry(l[0].add(low).add(low2)));
            for j in 1..k {
                let (high, low) = fixed.product(al[j], x);
                let (high2, low2) = fixed.product(V::splat(n[j].to_bits()), m);
                l[j - 1] = l[j].add(carry).add(low).add(low2);
                carry = high.add(high2);
            }
            l[k - 1] = carry.add(V::splat(start(k + i, terms)));
        }
        fixed.normalise(out, &l[..k]);
    }
}

/// `out = a / R` modulo `n^2`, for a number `a` of `k` digits, for less than half of a product's work.
///
/// # Safety
/// See [`mul`], but `a` is `k` vectors long.
#[inline(always)]
pub(super) unsafe fn reduce<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let fixed = Fixed::<V>::new(modulus);
        let n = &modulus.floats[..k];
        let terms = |column| touches(column, k);
        let mut l = starts::<V, K>(k, terms);
        let mut h = starts_of_h::<V, K>(k, modulus, terms);
        for (j, sum) in l[..k].iter_mut().enumerate() {
            *sum = sum.add(V::load(a[j * V::LANES..].as_ptr()));
        }
        for i in 0..k {
            let n0 = V::splat(n[0].to_bits());
            let (quotient, m) = fixed.quotient(l[0]);
            let (high, low) = fixed.product(n0, m);
            let mut carry_l = high.add(fixed.carry(l[0].add(low)));
            let first = h[0].add(fixed.mask.sub(quotient));
            let (_, m2) = fixed.quotient(first);
            let (high, low) = fixed.product(n0, m2);
            let mut carry_h = high.add(fixed.carry(first.add(low)));
            for j in 1..k {
                let n = V::splat(n[j].to_bits());
                let (high, low) = fixed.product(n, m);
                l[j - 1] = l[j].add(carry_l).add(low);
                carry_l = high;
                let (high, low) = fixed.product(n, m2);
                h[j - 1] = h[j].add(carry_h).add(low);
                carry_h = high;
            }
            l[k - 1] = carry_l.add(V::splat(start(k + i, terms)));
            h[k - 1] = carry_h.add(V::splat(start(k + i, terms)));
        }
        fixed.write(out, &l[..k], &h[..k]);
    }
}

/// The number of digit products in a column of a `k` by `k` multiplication.
#[inline(always)]
fn touches(column: usize, k: usize) -> u64 {
    (column + 1).min((2 * k).saturating_sub(column + 1)) as u64
}

/// The same for a square whose mixed products are counted once: `i` from `column - k + 1` (at least 0) to `column / 2`.
#[inline(always)]
fn touches_of_square(column: usize, k: usize) -> u64 {
    (column / 2 + 1).saturating_sub((column + 1).saturating_sub(k)) as u64
}

/// The initial value of a column. It cancels out the patterns of the column's `low` halves and of the `high` halves from the
/// column below. `count` returns the number of products in a column.
#[inline(always)]
fn start(column: usize, count: impl Fn(usize) -> u64) -> u64 {
    let below = column.checked_sub(1).map_or(0, &count);
    0u64.wrapping_sub(count(column).wrapping_mul(LOW)).wrapping_sub(below.wrapping_mul(HIGH))
}

#[inline(always)]
unsafe fn starts<V: Vector, const K: usize>(k: usize, count: impl Fn(usize) -> u64 + Copy) -> [V; K] {
    // SAFETY: upheld by the caller.
    std::array::from_fn(|column| unsafe { V::splat(if column < k { start(column, count) } else { 0 }) })
}

/// The same for the upper half, from which the quotient is subtracted (see [`Constants::start`]).
#[inline(always)]
unsafe fn starts_of_h<V: Vector, const K: usize>(
    k: usize,
    modulus: &Constants,
    count: impl Fn(usize) -> u64 + Copy,
) -> [V; K] {
    // SAFETY: upheld by the caller.
    unsafe {
        let mut h = starts::<V, K>(k, count);
        for (sum, &digit) in h[..k].iter_mut().zip(&modulus.start) {
            *sum = sum.add(V::splat(digit));
        }
        h
    }
}

/// The digits from number `first` on, as floats.
#[inline(always)]
unsafe fn floats<V: Vector, const K: usize>(fixed: Fixed<V>, words: &[u64], first: usize, k: usize) -> [V; K] {
    std::array::from_fn(|digit| {
        let digit = digit.min(k - 1);
        // SAFETY: upheld by the caller.
        unsafe { fixed.float(V::load(words[(first + digit) * V::LANES..].as_ptr())) }
    })
}

/// Twice a float.
#[inline(always)]
unsafe fn double<V: Vector>(x: V) -> V {
    // SAFETY: upheld by the caller.
    unsafe { x.fma(V::splat(2f64.to_bits()), V::splat(0)) }
}
