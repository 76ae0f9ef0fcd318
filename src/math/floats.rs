//! Arithmetic modulo a prime of at most 50 bits on floats: products by fused multiply-add.
//!
//! Let `h` be the rounded product of `x` and `y`. The multiply-add gives the remainder `l = x y - h` exactly. If `c` is an
//! integer close to `x y / q`, the product is `h - c q + l` modulo `q`, again exactly, because every intermediate number is an
//! integer below 2^53 in absolute value (J. van der Hoeven, G. Lecerf, G. Quintin, "Modular SIMD arithmetic in Mathemagix",
//! 2016, section 3). To obtain the integer, 3 * 2^51 is added and subtracted, which leaves no room for a fraction.
//!
//! The numbers here are signed. Products are at most about `q / 2` in absolute value if their factors are small enough.
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

/// The maximum number of products of 50-bit words in a sum: their upper halves are below 2^48 each, and floats hold 2^52.
pub(crate) const MOST_TERMS: usize = 15;

/// The maximum number of products of 52-bit words in a sum whose value is read as three floats: 64-bit words hold the sums of
/// their lower and of their upper halves.
pub(crate) const MOST_WIDE_TERMS: usize = 1 << 11;

/// Adding this leaves no room for a fraction.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// A vector of floats.
///
/// # Safety
/// For all functions: the processor has the instructions that the implementation uses, and there are [`Self::LANES`] words
/// behind each pointer.
pub(crate) trait Floats: Copy {
    const LANES: usize;
    unsafe fn splat(number: f64) -> Self;
    unsafe fn load(from: *const f64) -> Self;
    unsafe fn store(self, to: *mut f64);
    /// Converts integers below 2^52 to floats.
    unsafe fn from_words(from: *const u64) -> Self;
    /// Converts nonnegative integral floats below 2^52 to integers.
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
    /// Adds `q` to the negative numbers.
    unsafe fn lift(self, q: Self) -> Self;
    /// Transposes [`Self::LANES`] vectors, the rows of a square.
    unsafe fn transpose(rows: &mut [Self]);

    /// Reorders the lanes if there are eight of them.
    unsafe fn ordered(self, _order: *const u64) -> Self {
        self
    }

    /// Whether the following instructions on 52-bit words exist. The words are kept in the same registers.
    const WORDS: bool = false;
    /// `self` plus the lower 52 bits of the product of two words.
    unsafe fn low(self, _a: Self, _b: Self) -> Self {
        self
    }
    /// `self` plus the upper 52 bits of the product of two words.
    unsafe fn high(self, _a: Self, _b: Self) -> Self {
        self
    }
    /// Two floats `low` and `high` such that the value of such sums is `high 2^52 + low`, for at most [`MOST_TERMS`] products.
    unsafe fn floats(low: Self, high: Self) -> [Self; 2] {
        [low, high]
    }
    /// Three floats `low`, `middle` and `high` such that the value of such sums is `high 2^104 + middle 2^52 + low`, for at
    /// most [`MOST_WIDE_TERMS`] products.
    unsafe fn wide_floats(low: Self, high: Self) -> [Self; 3] {
        [low, high, high]
    }
}

/// A computation that any kernel can run.
pub(crate) trait Work: Sized {
    /// Runs it on integers.
    fn portable(self);
    /// Runs it on floats.
    ///
    /// # Safety
    /// See [`Floats`].
    unsafe fn floats<V: Floats>(self);
}

/// A fixed factor `w`, at most `q / 2` in absolute value, and `w / q`.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) factor: f64,
    pub(crate) quotient: f64,
}

#[expect(clippy::cast_precision_loss, reason = "residues have 50 bits")]
impl Pair {
    /// The factor with this residue.
    pub(crate) fn new(value: u64, prime: Prime) -> Self {
        let q = prime.value();
        let factor = if value > q / 2 { -((q - value) as f64) } else { value as f64 };
        Self { factor, quotient: factor / q as f64 }
    }
}

/// Constants in registers.
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

// SAFETY of all functions: upheld by the caller.
impl<V: Floats> Twiddle<V> {
    #[inline(always)]
    pub(crate) unsafe fn splat(pair: &Pair) -> Self {
        unsafe { Self { factor: V::splat(pair.factor), quotient: V::splat(pair.quotient) } }
    }
}

// SAFETY of all functions: upheld by the caller.
impl<V: Floats> Fixed<V> {
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "primes have 50 bits")]
    pub(crate) unsafe fn new(prime: Prime) -> Self {
        let q = prime.value() as f64;
        unsafe { Self { q: V::splat(q), inverse: V::splat(1.0 / q), whole: V::splat(WHOLE) } }
    }

    /// `x y` modulo `q` for two residues, at most about `q / 2` in absolute value.
    #[inline(always)]
    pub(crate) unsafe fn product(self, x: V, y: V) -> V {
        unsafe {
            let high = x.mul(y);
            let low = x.fms(y, high);
            self.whole_times(high).fnma(self.q, high).add(low)
        }
    }

    /// Loads factors, one for each lane. Their quotients are rounded once more than those of [`Pair`]: for a number below
    /// `4 q`, the quotient is wrong by less than 1, and the product is still at most `q` in absolute value.
    #[inline(always)]
    pub(crate) unsafe fn twiddle(self, factors: *const f64) -> Twiddle<V> {
        unsafe {
            let factor = V::load(factors);
            Twiddle { factor, quotient: factor.mul(self.inverse) }
        }
    }

    /// The integer closest to `x / q`.
    #[inline(always)]
    unsafe fn whole_times(self, x: V) -> V {
        unsafe { x.fma(self.inverse, self.whole).sub(self.whole) }
    }

    /// The integer closest to a number below 2^51 in absolute value; ties go to the even one.
    #[inline(always)]
    pub(crate) unsafe fn round(self, x: V) -> V {
        unsafe { x.add(self.whole).sub(self.whole) }
    }

    /// The value of sums of products of words modulo `q`, below `2^52 + 2 q`, for at most [`MOST_TERMS`] products. `radix` is
    /// `2^52` modulo `q`.
    #[inline(always)]
    pub(crate) unsafe fn sums(self, low: V, high: V, radix: Twiddle<V>) -> V {
        unsafe {
            let [low, high] = V::floats(low, high);
            self.mul(high, radix).add(low)
        }
    }

    /// The same for at most [`MOST_WIDE_TERMS`] products, below `2^52 + 2 q`. `radix` is `2^52` and `2^104` modulo `q`.
    #[inline(always)]
    pub(crate) unsafe fn wide_sums(self, low: V, high: V, radix: [Twiddle<V>; 2]) -> V {
        unsafe {
            let [low, middle, high] = V::wide_floats(low, high);
            self.mul(middle, radix[0]).add(self.mul(high, radix[1])).add(low)
        }
    }

    /// The residue of an integer below 2^53 in absolute value.
    #[inline(always)]
    pub(crate) unsafe fn residue(self, x: V) -> V {
        unsafe { self.reduce(x).lift(self.q) }
    }

    /// `x w` modulo `q`, at most `q` in absolute value.
    #[inline(always)]
    pub(crate) unsafe fn mul(self, x: V, w: Twiddle<V>) -> V {
        unsafe {
            let high = x.mul(w.factor);
            let low = x.fms(w.factor, high);
            let quotient = x.fma(w.quotient, self.whole).sub(self.whole);
            quotient.fnma(self.q, high).add(low)
        }
    }

    /// `x` modulo `q`, at most about `q / 2` in absolute value.
    #[inline(always)]
    pub(crate) unsafe fn reduce(self, x: V) -> V {
        unsafe { self.whole_times(x).fnma(self.q, x) }
    }
}
