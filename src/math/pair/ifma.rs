//! The kernel for processors with AVX-512 IFMA: 52-bit digits, eight numbers at a time.
//!
//! One instruction multiplies a digit of each of eight numbers and adds the low or the high 52 bits of the products to
//! eight sums (S. Gueron and V. Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions", ARITH 2016).
//! Sums are 64 bits wide and only normalised at the end: a column collects at most `6 k` halves below 2^52 (`k` at most
//! 79), which stays below 2^61.
//!
//! Both halves of the pair are worked on in the same loop: row `i` adds digit `i` of `b` times all of `a`, takes the
//! quotient digits that make the lowest columns vanish, adds `n` times these, and moves down by one digit. The half `h`
//! needs the quotient digits of `l` one by one, so it follows in step.
//!
//! The algorithm is written once, for any [`Vector`]. The `twin` does what the instructions do on plain numbers, so that
//! machines without them can test it.
#![allow(unsafe_code)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(test)]
pub(super) mod twin;

#[cfg(target_arch = "x86_64")]
pub(super) use avx512::detect;

use super::{Constants, digit_mask};

const BITS: u32 = 52;
/// The most digits.
const MAX: usize = 80;

/// Several 64-bit words.
///
/// # Safety
/// All functions: the processor has the instructions that the implementation is made of. `load` and `store`: there are
/// [`Self::LANES`] words behind the pointer.
trait Vector: Copy {
    const LANES: usize;
    unsafe fn splat(word: u64) -> Self;
    unsafe fn load(from: *const u64) -> Self;
    unsafe fn store(self, to: *mut u64);
    /// `self` and the lower 52 bits of the product of the lower 52 bits of `a` and `b`.
    unsafe fn low(self, a: Self, b: Self) -> Self;
    /// `self` and the upper 52 bits of that product.
    unsafe fn high(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn and(self, b: Self) -> Self;
    /// Shifted left by one bit.
    unsafe fn double(self) -> Self;
    /// Shifted right by `N` bits.
    unsafe fn shift<const N: u32>(self) -> Self;
}

/// `out = a b / R`, where the modulus has `k` digits and there is room for `K`. Where `k` is a constant, so is all else.
///
/// # Safety
/// As [`Vector`]. All slices are `2 k` vectors long, and `k <= K`.
#[inline(always)]
unsafe fn mul<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe {
        let n = &modulus.digits[..k];
        let (zero, inverse, mask) = (V::splat(0), V::splat(modulus.inverse), V::splat(digit_mask(BITS)));
        let (al, ah) = a.split_at(k * V::LANES);
        let mut l = [zero; K];
        let mut h = start::<V, K>(k, modulus);
        for i in 0..k {
            let (x, y) = (digit::<V>(b, i), digit::<V>(b, k + i));
            let (mut a0, mut b0, mut n0) = (digit::<V>(al, 0), digit::<V>(ah, 0), V::splat(n[0]));
            let first = l[0].low(a0, x);
            let m = zero.low(first, inverse);
            let mut carry_l = first.low(n0, m).shift::<BITS>();
            let first = h[0].add(mask.sub(m)).low(a0, y).low(b0, x);
            let m2 = zero.low(first, inverse);
            let mut carry_h = first.low(n0, m2).shift::<BITS>();
            for j in 1..k {
                let (a1, b1, n1) = (digit::<V>(al, j), digit::<V>(ah, j), V::splat(n[j]));
                l[j - 1] = l[j].add(carry_l).high(a0, x).high(n0, m).low(a1, x).low(n1, m);
                // Two sums, so that the additions need not wait for one another.
                let half = carry_h.high(a0, y).high(b0, x).low(a1, y);
                h[j - 1] = h[j].high(n0, m2).low(b1, x).low(n1, m2).add(half);
                (a0, b0, n0) = (a1, b1, n1);
                (carry_l, carry_h) = (zero, zero);
            }
            l[k - 1] = carry_l.high(a0, x).high(n0, m);
            h[k - 1] = carry_h.high(a0, y).high(b0, x).high(n0, m2);
        }
        write(out, &l[..k], &h[..k]);
    }
}

/// `out = a a / R`, where products of two different digits are computed once, with one of them doubled.
///
/// The instructions take 52 bits, so it is the number that is doubled: its digits are `d`. Of the digits above `i`, as
/// row `i` needs them, the lowest must be without what the doubling of digit `i` carried into it.
///
/// # Safety
/// As [`mul`].
#[inline(always)]
unsafe fn square<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe {
        let n = &modulus.digits[..k];
        let (zero, inverse, mask) = (V::splat(0), V::splat(modulus.inverse), V::splat(digit_mask(BITS)));
        let (al, ah) = a.split_at(k * V::LANES);
        let mut d = [zero; K];
        let mut carry = zero;
        for (j, d) in d[..k].iter_mut().enumerate() {
            let x = digit::<V>(al, j);
            *d = x.double().and(mask).add(carry);
            carry = x.shift::<{ BITS - 1 }>();
        }
        let mut l = [zero; K];
        let mut h = start::<V, K>(k, modulus);
        for i in 0..k {
            let (x, y) = (digit::<V>(al, i), digit::<V>(ah, i));
            let bare = |j: usize| if j == i { x } else { digit::<V>(al, j).double().and(mask) };
            let mut n0 = V::splat(n[0]);
            let first = if i == 0 { l[0].low(x, x) } else { l[0] };
            let m = zero.low(first, inverse);
            let mut carry_l = first.low(n0, m).shift::<BITS>();
            let first = h[0].add(mask.sub(m)).low(d[0], y);
            let m2 = zero.low(first, inverse);
            let mut carry_h = first.low(n0, m2).shift::<BITS>();
            for j in 1..k {
                let n1 = V::splat(n[j]);
                let mut sum = l[j].add(carry_l).high(n0, m).low(n1, m);
                if j >= i {
                    sum = sum.low(if j <= i + 1 { bare(j) } else { d[j] }, x);
                }
                if j > i {
                    sum = sum.high(if j <= i + 2 { bare(j - 1) } else { d[j - 1] }, x);
                }
                l[j - 1] = sum;
                let half = carry_h.high(d[j - 1], y).low(d[j], y);
                h[j - 1] = h[j].high(n0, m2).low(n1, m2).add(half);
                n0 = n1;
                (carry_l, carry_h) = (zero, zero);
            }
            let top = if k <= i + 2 { bare(k - 1) } else { d[k - 1] };
            l[k - 1] = carry_l.high(top, x).high(n0, m);
            h[k - 1] = carry_h.high(d[k - 1], y).high(n0, m2);
        }
        write(out, &l[..k], &h[..k]);
    }
}

/// `out = a b / R` modulo `n`: the lower halves alone.
///
/// # Safety
/// As [`mul`], but that slices are `k` vectors long.
#[inline(always)]
unsafe fn mul_low<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe {
        let n = &modulus.digits[..k];
        let (zero, inverse) = (V::splat(0), V::splat(modulus.inverse));
        let mut l = [zero; K];
        for i in 0..k {
            let x = digit::<V>(b, i);
            let (mut a0, mut n0) = (digit::<V>(a, 0), V::splat(n[0]));
            let first = l[0].low(a0, x);
            let m = zero.low(first, inverse);
            let mut carry = first.low(n0, m).shift::<BITS>();
            for j in 1..k {
                let (a1, n1) = (digit::<V>(a, j), V::splat(n[j]));
                l[j - 1] = l[j].add(carry).high(a0, x).high(n0, m).low(a1, x).low(n1, m);
                (a0, n0, carry) = (a1, n1, zero);
            }
            l[k - 1] = carry.high(a0, x).high(n0, m);
        }
        normalise(out, &l[..k]);
    }
}

/// `out = a / R` modulo `n^2`, for a number `a` of `k` digits: half of a product's work and less.
///
/// # Safety
/// As [`mul`], but that `a` is `k` vectors long.
#[inline(always)]
unsafe fn reduce<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: passed on to the caller.
    unsafe {
        let n = &modulus.digits[..k];
        let (zero, inverse, mask) = (V::splat(0), V::splat(modulus.inverse), V::splat(digit_mask(BITS)));
        let mut l = [zero; K];
        for (j, l) in l[..k].iter_mut().enumerate() {
            *l = digit(a, j);
        }
        let mut h = start::<V, K>(k, modulus);
        for _ in 0..k {
            let mut n0 = V::splat(n[0]);
            let m = zero.low(l[0], inverse);
            let mut carry_l = l[0].low(n0, m).shift::<BITS>();
            let first = h[0].add(mask.sub(m));
            let m2 = zero.low(first, inverse);
            let mut carry_h = first.low(n0, m2).shift::<BITS>();
            for j in 1..k {
                let n1 = V::splat(n[j]);
                l[j - 1] = l[j].add(carry_l).high(n0, m).low(n1, m);
                h[j - 1] = h[j].add(carry_h).high(n0, m2).low(n1, m2);
                (n0, carry_l, carry_h) = (n1, zero, zero);
            }
            l[k - 1] = carry_l.high(n0, m);
            h[k - 1] = carry_h.high(n0, m2);
        }
        write(out, &l[..k], &h[..k]);
    }
}

#[inline(always)]
unsafe fn digit<V: Vector>(words: &[u64], digit: usize) -> V {
    // SAFETY: passed on to the caller; the slice says that the words are there.
    unsafe { V::load(words[digit * V::LANES..][..V::LANES].as_ptr()) }
}

/// What the sums of `h` start from.
#[inline(always)]
unsafe fn start<V: Vector, const K: usize>(k: usize, modulus: &Constants) -> [V; K] {
    // SAFETY: passed on to the caller.
    std::array::from_fn(|digit| unsafe { V::splat(if digit < k { modulus.start[digit] } else { 0 }) })
}

/// Writes both halves of a pair from their sums.
#[inline(always)]
unsafe fn write<V: Vector>(out: &mut [u64], l: &[V], h: &[V]) {
    let (low, high) = out.split_at_mut(l.len() * V::LANES);
    // SAFETY: passed on to the caller.
    unsafe {
        normalise(low, l);
        normalise(high, h);
    }
}

/// Carries what is above 52 bits in each sum to the next one.
#[inline(always)]
unsafe fn normalise<V: Vector>(out: &mut [u64], sums: &[V]) {
    // SAFETY: passed on to the caller; `out` has as many words as `sums`.
    unsafe {
        let mask = V::splat(digit_mask(BITS));
        let mut carry = V::splat(0);
        for (out, &sum) in out.chunks_exact_mut(V::LANES).zip(sums) {
            let number = sum.add(carry);
            carry = number.shift::<BITS>();
            number.and(mask).store(out.as_mut_ptr());
        }
    }
}
