//! Four numbers at a time with AVX2 and FMA.

use std::arch::x86_64::{
    __m256d, __m256i, _mm256_add_epi64, _mm256_and_pd, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_fmadd_pd,
    _mm256_loadu_pd, _mm256_or_pd, _mm256_set1_pd, _mm256_srli_epi64, _mm256_storeu_pd, _mm256_sub_epi64,
    _mm256_sub_pd,
};

use super::super::Kernel;
use super::{BITS, Vector};

const LANES: usize = 4;

/// Exists only if the processor has the instructions.
struct Avx2;

/// The kernel, if this processor supports it.
pub(crate) fn detect() -> Option<&'static dyn Kernel> {
    (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&Avx2 as &dyn Kernel)
}

// The numbers of digits for the primes and moduli of keys: 21, 31 and 41 for primes; 41, 61 and 81 for moduli.
vector_kernel!(Avx2, "avx2-fma", Four, #[target_feature(enable = "avx2,fma")], [21, 31, 41, 61, 81]);

/// Four 64-bit words.
#[derive(Clone, Copy)]
struct Four(__m256d);

#[inline(always)]
unsafe fn words(number: __m256i) -> Four {
    // SAFETY: upheld by the caller, here and below.
    Four(unsafe { _mm256_castsi256_pd(number) })
}

#[inline(always)]
unsafe fn numbers(words: Four) -> __m256i {
    // SAFETY: see above.
    unsafe { _mm256_castpd_si256(words.0) }
}

// SAFETY of all functions: upheld by the caller; the features exist, and there are enough words behind each pointer.
impl Vector for Four {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        Self(unsafe { _mm256_set1_pd(f64::from_bits(word)) })
    }

    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        Self(unsafe { _mm256_loadu_pd(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        unsafe { _mm256_storeu_pd(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_fmadd_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn minus(self, b: Self) -> Self {
        Self(unsafe { _mm256_sub_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        unsafe { words(_mm256_add_epi64(numbers(self), numbers(b))) }
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        unsafe { words(_mm256_sub_epi64(numbers(self), numbers(b))) }
    }

    #[inline(always)]
    unsafe fn and(self, b: Self) -> Self {
        Self(unsafe { _mm256_and_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn or(self, b: Self) -> Self {
        Self(unsafe { _mm256_or_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn shift(self) -> Self {
        unsafe { words(_mm256_srli_epi64::<{ BITS.cast_signed() }>(numbers(self))) }
    }
}
