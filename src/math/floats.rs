//! Arithmetic modulo a prime of at most 50 bits on floats: products by fused multiply-add.
//!
//! With `h` the rounded product of `x` and `y`, the multiply-add gives the rest `l = x y - h` exactly. With `c` a whole
//! number close to `x y / q`, the product is `h - c q + l` modulo `q`, again exact: every number on the way is a whole
//! number below 2^53 in size (J. van der Hoeven, G. Lecerf, G. Quintin, "Modular SIMD arithmetic in Mathemagix", 2016,
//! section 3). The whole number comes from adding and taking away 3 * 2^51, which leaves no room for a fraction.
//!
//! Numbers have signs here, and products are at most about `q / 2` in size where their factors are small enough.
#![allow(unsafe_code)]
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test)),
    allow(dead_code, reason = "there are no kernels on floats elsewhere")
)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub(super) mod relaxed;
#[cfg(test)]
pub(super) mod twin;

use super::residue::Prime;

/// How many products of words of 50 bits a sum may have: their upper halves are below 2^48 each, and floats hold 2^52.
pub(crate) const MOST_TERMS: usize = 15;

/// What leaves no room for a fraction.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// A few floats.
///
/// # Safety
/// All functions: the processor has the instructions that the implementation is made of, and there are [`Self::LANES`]
/// words behind each pointer.
pub(crate) trait Floats: Copy {
    const LANES: usize;
    unsafe fn splat(number: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    /// Whole numbers below 2^52 become floats.
    unsafe fn from_words(from: *const u64) -> Self;
    /// Whole floats from 0 on, below 2^52, become numbers.
    unsafe fn to_words(self, to: *mut u64);
    unsafe fn add(self, b: Self) -> Self;
    unsafe fn sub(self, b: Self) -> Self;
    unsafe fn mul(self, b: Self) -> Self;
    /// `self b + c`, rounded once.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// `self b - c`, rounded once.
    unsafe fn fms(self, b: Self, c: Self) -> Self;
    /// `c - self b`, rounded once.
    unsafe fn fnma(self, b: Self, c: Self) -> Self;
    /// Adds `q` where the number is below zero.
    unsafe fn lift(self, q: Self) -> Self;
    /// [`Self::LANES`] vectors as rows become columns.
    unsafe fn transpose(rows: &mut [Self]);

    /// The lanes in another order, where there are eight of them.
    unsafe fn ordered(self, _order: *const u64) -> Self {
        self
    }

    /// Whether there are the following instructions on words of 52 bits, which are kept in the same registers.
    const WORDS: bool = false;
    /// `self` and the lower 52 bits of the product of two words.
    unsafe fn low(self, _a: Self, _b: Self) -> Self {
        self
    }
    /// `self` and the upper 52 bits of the product of two words.
    unsafe fn high(self, _a: Self, _b: Self) -> Self {
        self
    }
    /// What such sums stand for, `high 2^52 + low`, in floats.
    unsafe fn floats(low: Self, high: Self) -> [Self; 2] {
        [low, high]
    }
}

/// Something to compute.
pub(crate) trait Work: Sized {
    /// On whole numbers.
    fn portable(self);
    /// On floats.
    ///
    /// # Safety
    /// As [`Floats`].
    unsafe fn floats<V: Floats>(self);
}

/// A fixed factor `w`, at most `q / 2` in size, and `w / q`.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) factor: f64,
    pub(crate) quotient: f64,
}

#[expect(clippy::cast_precision_loss, reason = "residues have 50 bits")]
impl Pair {
    /// Of a residue.
    pub(crate) fn new(value: u64, prime: Prime) -> Self {
        let q = prime.value();
        let factor = if value > q / 2 { -((q - value) as f64) } else { value as f64 };
        Self { factor, quotient: factor / q as f64 }
    }
}

/// The constants in registers.
#[derive(Clone, Copy)]
pub(crate) struct Fixed<V> {
    pub(crate) q: V,
    inverse: V,
    whole: V,
}

/// A factor in registers.
#[derive(Clone, Copy)]
pub(crate) struct Twiddle<V> {
    factor: V,
    quotient: V,
}

// SAFETY of all of them: passed on to the caller.
impl<V: Floats> Twiddle<V> {
    #[inline(always)]
    pub(crate) unsafe fn splat(pair: &Pair) -> Self {
        unsafe { Self { factor: V::splat(pair.factor), quotient: V::splat(pair.quotient) } }
    }
}

// SAFETY of all of them: passed on to the caller.
impl<V: Floats> Fixed<V> {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "primes have 50 bits")]
    pub(crate) unsafe fn new(prime: Prime) -> Self {
        let q = prime.value() as f64;
        unsafe { Self { q: V::splat(q), inverse: V::splat(1.0 / q), whole: V::splat(WHOLE) } }
    }

    /// `x y` modulo `q` for two residues, at most about `q / 2` in size.
    #[inline(always)]
    pub(crate) unsafe fn product(self, x: V, y: V) -> V {
        unsafe {
            let high = x.mul(y);
            let low = x.fms(y, high);
            self.whole_times(high).fnma(self.q, high).add(low)
        }
    }

    /// Factors, one for each lane. Their quotients are rounded once more than those of [`Pair`]: with something below `4 q` the
    /// quotient is wrong by less than 1, and the product still at most `q` in size.
    #[inline(always)]
    pub(crate) unsafe fn twiddle(self, factors: *const f64) -> Twiddle<V> {
        unsafe {
            let factor = V::load(factors);
            Twiddle { factor, quotient: factor.mul(self.inverse) }
        }
    }

    /// The whole number closest to `x / q`.
    #[inline(always)]
    unsafe fn whole_times(self, x: V) -> V {
        unsafe { x.fma(self.inverse, self.whole).sub(self.whole) }
    }

    /// The whole number closest to a number below 2^51 in size; of two, the even one.
    #[inline(always)]
    pub(crate) unsafe fn round(self, x: V) -> V {
        unsafe { x.add(self.whole).sub(self.whole) }
    }

    /// What sums of products of words stand for, modulo `q`, below `2^52 + 2 q`. There were at most [`MOST_TERMS`] of them. The
    /// factor is `2^52` modulo `q`.
    #[inline(always)]
    pub(crate) unsafe fn sums(self, low: V, high: V, radix: Twiddle<V>) -> V {
        unsafe {
            let [low, high] = V::floats(low, high);
            self.mul(high, radix).add(low)
        }
    }

    /// The residue of a whole number below 2^53 in size.
    #[inline(always)]
    pub(crate) unsafe fn residue(self, x: V) -> V {
        unsafe { self.reduce(x).lift(self.q) }
    }

    /// `x w` modulo `q`, at most `q` in size.
    #[inline(always)]
    pub(crate) unsafe fn mul(self, x: V, w: Twiddle<V>) -> V {
        unsafe {
            let high = x.mul(w.factor);
            let low = x.fms(w.factor, high);
            let quotient = x.fma(w.quotient, self.whole).sub(self.whole);
            quotient.fnma(self.q, high).add(low)
        }
    }

    /// `x` modulo `q`, at most about `q / 2` in size.
    #[inline(always)]
    pub(crate) unsafe fn reduce(self, x: V) -> V {
        unsafe { self.whole_times(x).fnma(self.q, x) }
    }
}
