//! The instructions themselves.

use std::arch::x86_64::{
    __m512i, _mm_cvtsi64_si128, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srl_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64,
};

use super::super::Kernel;
use super::Vector;

const LANES: usize = 8;

/// Exists only if the processor has the instructions.
struct Ifma;

/// The kernel, if this processor supports it.
pub(crate) fn detect() -> Option<&'static dyn Kernel> {
    (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")).then_some(&Ifma as &dyn Kernel)
}

// The numbers of digits for the primes and moduli of keys: 20, 30 and 40 for primes; 40, 60 and 79 for moduli.
vector_kernel!(Ifma, "avx512-ifma", Eight, #[target_feature(enable = "avx512f,avx512ifma")], [20, 30, 40, 60, 79]);

/// Eight 64-bit words.
#[derive(Clone, Copy)]
struct Eight(__m512i);

// SAFETY of all functions: upheld by the caller; the features exist, and there are enough words behind each pointer.
impl Vector for Eight {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(word: u64) -> Self {
        Self(unsafe { _mm512_set1_epi64(word.cast_signed()) })
    }

    #[inline(always)]
    unsafe fn load(from: *const u64) -> Self {
        Self(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u64) {
        unsafe { _mm512_storeu_si512(to.cast(), self.0) }
    }

    #[inline(always)]
    unsafe fn low(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn high(self, a: Self, b: Self) -> Self {
        Self(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(unsafe { _mm512_add_epi64(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm512_sub_epi64(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn and(self, b: Self) -> Self {
        Self(unsafe { _mm512_and_si512(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn double(self) -> Self {
        Self(unsafe { _mm512_slli_epi64::<1>(self.0) })
    }

    #[inline(always)]
    unsafe fn shift<const N: u32>(self) -> Self {
        Self(unsafe { _mm512_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(N))) })
    }
}
