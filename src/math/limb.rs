//! Pointwise arithmetic on limbs: rows of residues modulo one prime.
//!
//! A polynomial in a residue number system has one limb for each prime. Residues are always below their prime, and all kernels
//! return the same residues. All slices of a call have the same length, a multiple of 8.
#![allow(unsafe_code)]
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test)),
    allow(dead_code, reason = "there are no kernels on floats elsewhere")
)]
#![allow(clippy::inline_always, reason = "instructions exist only inside functions that may use them")]

mod blocks;
mod convert;
mod runs;
mod sums;

use super::floats::{Fixed, Floats, Pair, Twiddle, Work};
use super::kernel::Kernel;
use super::residue::{Factor, Prime};

pub use blocks::{BLOCK, Blocks};
pub use convert::Conversion;

/// Arithmetic modulo one prime.
#[derive(Clone, Copy, Debug)]
pub struct Limb {
    prime: Prime,
    kernel: Kernel,
}

impl Limb {
    /// Arithmetic modulo `prime`, with `kernel`.
    #[must_use]
    pub const fn new(prime: Prime, kernel: Kernel) -> Self {
        Self { prime, kernel }
    }

    /// The prime.
    #[must_use]
    pub const fn prime(self) -> Prime {
        self.prime
    }

    /// `a += b`.
    pub fn add(self, a: &mut [u64], b: &[u64]) {
        self.each(a, [b], (), |prime, a, [b], ()| prime.add(a, b), Add);
    }

    /// `a -= b`.
    pub fn sub(self, a: &mut [u64], b: &[u64]) {
        self.each(a, [b], (), |prime, a, [b], ()| prime.sub(a, b), Sub);
    }

    /// `a = -a`.
    pub fn negate(self, a: &mut [u64]) {
        self.each(a, [], (), |prime, a, [], ()| prime.sub(0, a), Negate);
    }

    /// `a *= b`.
    pub fn mul(self, a: &mut [u64], b: &[u64]) {
        self.each(a, [b], (), |prime, a, [b], ()| prime.mul(a, b), Mul);
    }

    /// `a += b c`.
    pub fn mul_add(self, a: &mut [u64], b: &[u64], c: &[u64]) {
        self.each(a, [b, c], (), |prime, a, [b, c], ()| prime.add(a, prime.mul(b, c)), MulAdd);
    }

    /// `a -= b c`.
    pub fn mul_sub(self, a: &mut [u64], b: &[u64], c: &[u64]) {
        self.each(a, [b, c], (), |prime, a, [b, c], ()| prime.sub(a, prime.mul(b, c)), MulSub);
    }

    /// `a = b + c`.
    pub fn sum(self, a: &mut [u64], b: &[u64], c: &[u64]) {
        self.each(a, [b, c], (), |prime, _, [b, c], ()| prime.add(b, c), Sum);
    }

    /// `a = b - c`.
    pub fn difference(self, a: &mut [u64], b: &[u64], c: &[u64]) {
        self.each(a, [b, c], (), |prime, _, [b, c], ()| prime.sub(b, c), Difference);
    }

    /// `a = (a + c) f`, for a summand `c` and a factor `f` below the prime.
    pub fn scale(self, a: &mut [u64], c: u64, f: u64) {
        let wide = Factor::new(f, self.prime);
        self.each(a, [], (c, f, wide), |prime, a, [], (c, _, f)| f.mul(a + c, prime), Scale);
    }

    /// `a = (b - a) f`, for a factor `f` below the prime.
    pub fn sub_from_scale(self, a: &mut [u64], b: &[u64], f: u64) {
        let wide = Factor::new(f, self.prime);
        self.each(a, [b], (f, wide), |prime, a, [b], (_, f)| f.mul(b + prime.value() - a, prime), SubFromScale);
    }

    /// `a = (a - b) f`, for a factor `f` below the prime.
    pub fn sub_scale(self, a: &mut [u64], b: &[u64], f: u64) {
        let wide = Factor::new(f, self.prime);
        self.each(a, [b], (f, wide), |prime, a, [b], (_, f)| f.mul(a + prime.value() - b, prime), SubScale);
    }

    /// `a = (a - b) f + c`, for a factor `f` below the prime.
    pub fn sub_scale_add(self, a: &mut [u64], b: &[u64], f: u64, c: &[u64]) {
        let wide = Factor::new(f, self.prime);
        let whole = |prime: Prime, a: u64, [b, c]: [u64; 2], (_, f): (u64, Factor)| {
            prime.add(f.mul(a + prime.value() - b, prime), c)
        };
        self.each(a, [b, c], (f, wide), whole, SubScaleAdd);
    }

    /// `a += b f`, for a factor `f` below the prime.
    pub fn scale_add(self, a: &mut [u64], b: &[u64], f: u64) {
        let wide = Factor::new(f, self.prime);
        self.each(a, [b], (f, wide), |prime, a, [b], (_, f)| prime.add(a, f.mul(b, prime)), ScaleAdd);
    }

    /// Converts residues modulo the prime `other` to residues modulo this one: `a = b`. Each residue stands for the number
    /// closest to zero.
    pub fn centred(self, a: &mut [u64], b: &[u64], other: Prime) {
        // A multiple of this prime, minus `other`, that makes negative numbers nonnegative.
        let lift = (other.value() / self.prime.value() + 1) * self.prime.value() - other.value();
        let whole = |prime: Prime, _, [b]: [u64; 1], (half, _, lift): (u64, u64, u64)| {
            prime.reduce(u128::from(b + if b > half { lift } else { 0 }))
        };
        self.each(a, [b], (other.value() / 2, other.value(), lift), whole, Centred);
    }

    #[inline]
    fn each<C: Copy, const T: usize>(
        self,
        a: &mut [u64],
        others: [&[u64]; T],
        constants: C,
        whole: impl Fn(Prime, u64, [u64; T], C) -> u64,
        float: impl Step<C, T>,
    ) {
        assert!(others.iter().all(|other| other.len() == a.len()) && a.len().is_multiple_of(MOST_LANES));
        self.kernel.run(Each { prime: self.prime, a, others, constants, whole, float });
    }
}

/// The maximum number of lanes of a vector.
const MOST_LANES: usize = 8;

/// The computation at each place, on floats. The result is an integer below 2^53 in absolute value.
trait Step<C, const T: usize> {
    /// # Safety
    /// See [`Floats`].
    unsafe fn step<V: Floats>(&self, prime: Prime, fixed: Fixed<V>, a: V, others: [V; T], constants: C) -> V;
}

struct Each<'a, C, W, F, const T: usize> {
    prime: Prime,
    a: &'a mut [u64],
    others: [&'a [u64]; T],
    constants: C,
    whole: W,
    float: F,
}

impl<C: Copy, W, F, const T: usize> Work for Each<'_, C, W, F, T>
where
    W: Fn(Prime, u64, [u64; T], C) -> u64,
    F: Step<C, T>,
{
    fn portable(self) {
        for (i, a) in self.a.iter_mut().enumerate() {
            *a = (self.whole)(self.prime, *a, self.others.map(|other| other[i]), self.constants);
        }
    }

    #[inline(always)]
    unsafe fn floats<V: Floats>(self) {
        // SAFETY: upheld by the caller; all slices are as long as `a`, a multiple of `MOST_LANES`.
        unsafe {
            let fixed = Fixed::<V>::new(self.prime);
            let a = self.a.as_mut_ptr();
            for i in (0..self.a.len()).step_by(V::LANES) {
                let mut others = [V::splat(0.0); T];
                for (vector, other) in others.iter_mut().zip(self.others) {
                    *vector = V::from_words(other.as_ptr().add(i));
                }
                let number = V::from_words(a.add(i));
                let result = self.float.step(self.prime, fixed, number, others, self.constants);
                fixed.residue(result).to_words(a.add(i));
            }
        }
    }
}

/// Defines a [`Step`] by an expression.
macro_rules! step {
    ($name:ident, $constants:ty, $others:literal, |$prime:pat_param, $fixed:pat_param, $a:pat_param, $b:pat_param, $c:pat_param| $body:expr) => {
        struct $name;

        impl Step<$constants, $others> for $name {
            #[inline(always)]
            unsafe fn step<V: Floats>(
                &self,
                $prime: Prime,
                $fixed: Fixed<V>,
                $a: V,
                $b: [V; $others],
                $c: $constants,
            ) -> V {
                // SAFETY: upheld by the caller.
                unsafe { $body }
            }
        }
    };
}

step!(Add, (), 1, |_, _, a, [b], ()| a.add(b));
step!(Sub, (), 1, |_, _, a, [b], ()| a.sub(b));
step!(Sum, (), 2, |_, _, _, [b, c], ()| b.add(c));
step!(Difference, (), 2, |_, _, _, [b, c], ()| b.sub(c));
step!(Negate, (), 0, |_, _, a, [], ()| V::splat(0.0).sub(a));
step!(Mul, (), 1, |_, fixed, a, [b], ()| fixed.product(a, b));
step!(MulAdd, (), 2, |_, fixed, a, [b, c], ()| fixed.product(b, c).add(a));
step!(MulSub, (), 2, |_, fixed, a, [b, c], ()| a.sub(fixed.product(b, c)));
step!(Scale, (u64, u64, Factor), 0, |prime, fixed, a, [], (c, f, _)| {
    fixed.mul(a.add(V::splat(float(c))), Twiddle::splat(&Pair::new(f, prime)))
});
step!(SubFromScale, (u64, Factor), 1, |prime, fixed, a, [b], (f, _)| {
    fixed.mul(b.sub(a), Twiddle::splat(&Pair::new(f, prime)))
});
step!(SubScale, (u64, Factor), 1, |prime, fixed, a, [b], (f, _)| {
    fixed.mul(a.sub(b), Twiddle::splat(&Pair::new(f, prime)))
});
step!(SubScaleAdd, (u64, Factor), 2, |prime, fixed, a, [b, c], (f, _)| {
    fixed.mul(a.sub(b), Twiddle::splat(&Pair::new(f, prime))).add(c)
});
step!(ScaleAdd, (u64, Factor), 1, |prime, fixed, a, [b], (f, _)| {
    fixed.mul(b, Twiddle::splat(&Pair::new(f, prime))).add(a)
});

step!(Centred, (u64, u64, u64), 1, |_, _, _, [b], (half, other, _)| {
    // The first difference is negative if the residue is its own representative.
    let (half, other) = (V::splat(float(half + 1)), V::splat(float(other)));
    b.sub(half).lift(other).add(half.sub(other))
});

#[expect(clippy::cast_precision_loss, reason = "residues have 50 bits")]
fn float(residue: u64) -> f64 {
    residue as f64
}

#[cfg(test)]
mod tests;
