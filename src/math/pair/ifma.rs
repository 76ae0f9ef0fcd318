//! The kernel for processors with AVX-512 IFMA: 52-bit digits, eight numbers at a time.
//!
//! One instruction multiplies a digit of each of eight numbers, and adds the low or the high 52 bits of the products to eight
//! sums (S. Gueron and V. Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions", ARITH 2016). Sums are 64
//! bits wide and normalised only at the end: a column collects at most `6 k` halves below 2^52 (`k` is at most 79), which stays
//! below 2^61.
//!
//! Both halves of the pair are processed in the same loop: row `i` adds digit `i` of `b` times all of `a`, computes the
//! quotient digits that make the lowest columns vanish, adds `n` times these, and shifts down by one digit. The half `h` needs
//! the quotient digits of `l` one by one, so both halves advance together. Rows are processed in pairs, because reading and
//! writing the sums takes as long as half of a row's instructions. If the number of rows is odd, the first is processed alone.
//!
//! The algorithm is written once, for any [`Vector`]. The `twin` emulates the instructions on plain numbers, so that machines
//! without them can test it.
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
/// An upper bound on the number of digits.
const MAX: usize = 80;

/// A vector of 64-bit words.
///
/// # Safety
/// For all functions: the processor has the instructions that the implementation uses. For `load` and `store`: there are
/// [`Self::LANES`] words behind the pointer.
trait Vector: Copy {
    const LANES: usize;
    unsafe fn splat(word: u64) -> Self;
    unsafe fn load(from: *const u64) -> Self;
    unsafe fn store(self, to: *mut u64);
    /// `self` plus the lower 52 bits of the product of the lower 52 bits of `a` and `b`.
    unsafe fn low(self, a: Self, b: Self) -> Self;
    /// `self` plus the upper 52 bits of that product.
    unsafe fn high(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn and(self, b: Self) -> Self;
    /// Shifted left by one bit.
    unsafe fn double(self) -> Self;
    /// Shifted right by `N` bits.
    unsafe fn shift<const N: u32>(self) -> Self;
}

/// `out = a b / R`, where the modulus has `k` digits and the arrays have room for `K`. If `k` is a constant, so are all
/// lengths.
///
/// # Safety
/// See [`Vector`]. All slices are `2 k` vectors long, and `3 <= k <= K`.
#[inline(always)]
unsafe fn mul<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let (al, ah) = (digits::<V, K>(a, 0, k), digits::<V, K>(a, k, k));
        let of_row = |i: usize| {
            let (x, y) = (digit::<V>(b, i), digit::<V>(b, k + i));
            ([x], [y, x])
        };
        let of_column = |j: usize| ([al[j]], [al[j], ah[j]]);
        let none = [V::splat(0); K];
        rows(k, modulus, out, (none, none), of_column, of_row);
    }
}

/// `out = a a / R`, where products of two different digits are computed once.
///
/// The square of the lower half is computed before the rows. The upper half is twice the product of both halves. The
/// instructions take only 52 bits, so the lower half is doubled first and cut into digits again.
///
/// # Safety
/// See [`mul`].
#[inline(always)]
unsafe fn square<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let zero = V::splat(0);
        let x = digits::<V, K>(a, 0, k);
        let mut doubled = [zero; K];
        let mut carry = zero;
        for (doubled, x) in doubled[..k].iter_mut().zip(x) {
            *doubled = x.double().and(V::splat(digit_mask(BITS))).add(carry);
            carry = x.shift::<{ BITS - 1 }>();
        }
        let mut squares = ([zero; K], [zero; K]);
        let mut upper = zero;
        for column in 0..2 * k {
            // The upper halves of the products one column below, then the lower halves of those in this column, all doubled.
            let mut lower = upper;
            upper = zero;
            for i in (column + 1).saturating_sub(k)..column.div_ceil(2) {
                lower = lower.low(x[i], x[column - i]);
                upper = upper.high(x[i], x[column - i]);
            }
            let (middle, sum) = (x[column / 2], lower.double());
            let sum = if column % 2 == 0 { sum.low(middle, middle) } else { sum.high(middle, middle) };
            if column < k {
                squares.0[column] = sum;
            } else {
                squares.1[column - k] = sum;
            }
        }
        rows(k, modulus, out, squares, |j| ([], [doubled[j]]), |i| ([], [digit::<V>(a, k + i)]));
    }
}

/// `out = a / R` modulo `n^2`, for a number `a` of `k` digits, for less than half of a product's work.
///
/// # Safety
/// See [`mul`], but `a` is `k` vectors long.
#[inline(always)]
unsafe fn reduce<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        rows(k, modulus, out, (digits(a, 0, k), [V::splat(0); K]), |_| ([], []), |_| ([], []));
    }
}

/// Processes all rows. The sums of the lower half start with `l`, and the digits of `above` move in from the top, one per row.
/// Row `i` adds the digits `of_column` times the factors `of_row`, and the multiple of the modulus that makes the lowest column
/// vanish.
///
/// # Safety
/// See [`mul`].
#[inline(always)]
unsafe fn rows<V: Vector, const K: usize, const L: usize, const H: usize>(
    k: usize,
    modulus: &Constants,
    out: &mut [u64],
    (mut l, above): ([V; K], [V; K]),
    of_column: impl Fn(usize) -> ([V; L], [V; H]),
    of_row: impl Fn(usize) -> ([V; L], [V; H]),
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let (zero, inverse, mask) = (V::splat(0), V::splat(modulus.inverse), V::splat(digit_mask(BITS)));
        let modulus_digits = &modulus.digits[..k];
        let column = |j: usize| (of_column(j), V::splat(modulus_digits[j]));
        let mut h: [V; K] = std::array::from_fn(|j| V::splat(if j < k { modulus.start[j] } else { 0 }));
        let (first, second) = (column(0), column(1));
        // The carries into the lowest column from the columns below.
        let (mut carry_l, mut carry_h) = (zero, zero);
        let mut done = 0;
        if k % 2 == 1 {
            let (x, y) = of_row(0);
            let (m, carry) = quotient(lower(l[0], first.0.0, x), first.1, inverse);
            let (m2, carry2) = quotient(lower(h[0], first.0.1, y).add(mask.sub(m)), first.1, inverse);
            (carry_l, carry_h) = (carry, carry2);
            let mut p = first;
            for j in 1..k {
                let q = column(j);
                l[j - 1] = both(both(l[j], p.0.0, q.0.0, x), [p.1], [q.1], [m]);
                h[j - 1] = both(both(h[j], p.0.1, q.0.1, y), [p.1], [q.1], [m2]);
                p = q;
            }
            l[k - 1] = upper(upper(above[0], p.0.0, x), [p.1], [m]);
            h[k - 1] = upper(upper(zero, p.0.1, y), [p.1], [m2]);
            done = 1;
        }
        for i in (done..k).step_by(2) {
            // The two lowest columns. The terms that do not depend on quotient digits come first.
            let (mut p, mut q) = (first, second);
            let ((x, y), (s, t)) = (of_row(i), of_row(i + 1));
            let low = lower(both(l[1], p.0.0, q.0.0, x), p.0.0, s);
            let high = lower(both(h[1], p.0.1, q.0.1, y), p.0.1, t);
            let (m, carry) = quotient(lower(l[0], p.0.0, x).add(carry_l), p.1, inverse);
            let (n, carry) = quotient(both(low, [p.1], [q.1], [m]).add(carry), p.1, inverse);
            carry_l = carry;
            let (m2, carry) = quotient(lower(h[0], p.0.1, y).add(carry_h).add(mask.sub(m)), p.1, inverse);
            let sum = both(high, [p.1], [q.1], [m2]).add(mask.sub(n)).add(carry);
            let (n2, carry) = quotient(sum, p.1, inverse);
            carry_h = carry;
            for j in 2..k {
                let r = column(j);
                let sum = both(both(l[j], q.0.0, r.0.0, x), p.0.0, q.0.0, s);
                l[j - 2] = both(both(sum, [q.1], [r.1], [m]), [p.1], [q.1], [n]);
                // Two separate sums, so that one row does not wait for the other.
                let sum = both(both(h[j], q.0.1, r.0.1, y), [q.1], [r.1], [m2]);
                h[j - 2] = sum.add(both(both(zero, p.0.1, q.0.1, t), [p.1], [q.1], [n2]));
                (p, q) = (q, r);
            }
            let sum = both(upper(above[i], q.0.0, x), p.0.0, q.0.0, s);
            l[k - 2] = both(upper(sum, [q.1], [m]), [p.1], [q.1], [n]);
            l[k - 1] = upper(upper(above[i + 1], q.0.0, s), [q.1], [n]);
            let sum = both(upper(zero, q.0.1, y), p.0.1, q.0.1, t);
            h[k - 2] = both(upper(sum, [q.1], [m2]), [p.1], [q.1], [n2]);
            h[k - 1] = upper(upper(zero, q.0.1, t), [q.1], [n2]);
        }
        (l[0], h[0]) = (l[0].add(carry_l), h[0].add(carry_h));
        let (low, high) = out.split_at_mut(k * V::LANES);
        normalise(low, &l[..k]);
        normalise(high, &h[..k]);
    }
}

/// `out = a b / R` modulo `n`: only the lower halves.
///
/// # Safety
/// See [`mul`], but all slices are `k` vectors long.
#[inline(always)]
unsafe fn mul_low<V: Vector, const K: usize>(k: usize, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]) {
    // SAFETY: upheld by the caller.
    unsafe {
        let n = &modulus.digits[..k];
        let (zero, inverse) = (V::splat(0), V::splat(modulus.inverse));
        let a = digits::<V, K>(a, 0, k);
        let mut l = [zero; K];
        for i in 0..k {
            let x = digit::<V>(b, i);
            let (mut a0, mut n0) = (a[0], V::splat(n[0]));
            let first = l[0].low(a0, x);
            let m = zero.low(first, inverse);
            l[1] = l[1].add(first.low(n0, m).shift::<BITS>());
            for j in 1..k {
                let (a1, n1) = (a[j], V::splat(n[j]));
                l[j - 1] = l[j].high(a0, x).high(n0, m).low(a1, x).low(n1, m);
                (a0, n0) = (a1, n1);
            }
            l[k - 1] = zero.high(a0, x).high(n0, m);
        }
        normalise(out, &l[..k]);
    }
}

/// Adds the lower halves of products.
#[inline(always)]
unsafe fn lower<V: Vector, const T: usize>(mut sum: V, digits: [V; T], factors: [V; T]) -> V {
    // SAFETY: upheld by the caller.
    unsafe {
        for t in 0..T {
            sum = sum.low(digits[t], factors[t]);
        }
        sum
    }
}

/// Adds the upper halves of products.
#[inline(always)]
unsafe fn upper<V: Vector, const T: usize>(mut sum: V, digits: [V; T], factors: [V; T]) -> V {
    // SAFETY: upheld by the caller.
    unsafe {
        for t in 0..T {
            sum = sum.high(digits[t], factors[t]);
        }
        sum
    }
}

/// Adds a row's products to a column: the upper halves of those with the digits `before`, and the lower halves of those with
/// the digits `here`.
#[inline(always)]
unsafe fn both<V: Vector, const T: usize>(sum: V, before: [V; T], here: [V; T], factors: [V; T]) -> V {
    // SAFETY: upheld by the caller.
    unsafe { lower(upper(sum, before, factors), here, factors) }
}

/// The quotient digit that makes the lowest column vanish, and the carry from that column to the next.
#[inline(always)]
unsafe fn quotient<V: Vector>(sum: V, n0: V, inverse: V) -> (V, V) {
    // SAFETY: upheld by the caller.
    unsafe {
        let m = V::splat(0).low(sum, inverse);
        (m, sum.low(n0, m).shift::<BITS>())
    }
}

#[inline(always)]
unsafe fn digit<V: Vector>(words: &[u64], digit: usize) -> V {
    // SAFETY: upheld by the caller; the slice guarantees that the words exist.
    unsafe { V::load(words[digit * V::LANES..][..V::LANES].as_ptr()) }
}

/// `count` digits, starting at digit `first`.
#[inline(always)]
unsafe fn digits<V: Vector, const K: usize>(words: &[u64], first: usize, count: usize) -> [V; K] {
    // SAFETY: upheld by the caller.
    unsafe {
        let mut digits = [V::splat(0); K];
        for (j, digit) in digits[..count].iter_mut().enumerate() {
            *digit = self::digit(words, first + j);
        }
        digits
    }
}

/// Carries the bits above the lowest 52 of each sum to the next one.
#[inline(always)]
unsafe fn normalise<V: Vector>(out: &mut [u64], sums: &[V]) {
    // SAFETY: upheld by the caller; `out` has as many words as `sums`.
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
