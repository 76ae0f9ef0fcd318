//! Floats, four at a time, with AVX2 and FMA.

use std::arch::x86_64::{
    __m256d, _CMP_LT_OQ, _mm256_add_pd, _mm256_and_pd, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_cmp_pd,
    _mm256_fmadd_pd, _mm256_fmsub_pd, _mm256_fnmadd_pd, _mm256_loadu_pd, _mm256_loadu_si256, _mm256_mul_pd,
    _mm256_or_si256, _mm256_permute2f128_pd, _mm256_set1_pd, _mm256_setzero_pd, _mm256_storeu_pd, _mm256_storeu_si256,
    _mm256_sub_pd, _mm256_unpackhi_pd, _mm256_unpacklo_pd, _mm256_xor_si256,
};

use super::{Floats, Work};

pub(in super::super) const LANES: usize = 4;

/// 2^52: its bit pattern becomes a float when an integer below 2^52 is written into the lower bits.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// Whether this processor has the instructions.
pub(in super::super) fn detect() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// # Safety
/// The processor has the instructions.
#[target_feature(enable = "avx2,fma")]
pub(in super::super) unsafe fn run(work: impl Work) {
    // SAFETY: upheld by the caller.
    unsafe { work.floats::<Four>() }
}

#[derive(Clone, Copy)]
struct Four(__m256d);

// SAFETY of all functions: upheld by the caller; the features exist, and there are enough words behind each pointer.
impl Floats for Four {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(number: f64) -> Self {
        Self(unsafe { _mm256_set1_pd(number) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        Self(unsafe { _mm256_loadu_pd(from) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        unsafe { _mm256_storeu_pd(to, self.0) }
    }

    #[inline(always)]
    unsafe fn from_words(from: *const u64) -> Self {
        unsafe {
            let whole = _mm256_set1_pd(WHOLE);
            let bits = _mm256_or_si256(_mm256_loadu_si256(from.cast()), _mm256_castpd_si256(whole));
            Self(_mm256_sub_pd(_mm256_castsi256_pd(bits), whole))
        }
    }

    #[inline(always)]
    unsafe fn to_words(self, to: *mut u64) {
        unsafe {
            let whole = _mm256_set1_pd(WHOLE);
            let bits = _mm256_castpd_si256(_mm256_add_pd(self.0, whole));
            _mm256_storeu_si256(to.cast(), _mm256_xor_si256(bits, _mm256_castpd_si256(whole)));
        }
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        Self(unsafe { _mm256_add_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, b: Self) -> Self {
        Self(unsafe { _mm256_sub_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn mul(self, b: Self) -> Self {
        Self(unsafe { _mm256_mul_pd(self.0, b.0) })
    }

    #[inline(always)]
    unsafe fn fma(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_fmadd_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn fms(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_fmsub_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn fnma(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_fnmadd_pd(self.0, b.0, c.0) })
    }

    #[inline(always)]
    unsafe fn lift(self, q: Self) -> Self {
        unsafe {
            let below = _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, _mm256_setzero_pd());
            Self(_mm256_add_pd(self.0, _mm256_and_pd(below, q.0)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(rows: &mut [Self]) {
        unsafe {
            let [a, b, c, d] = [rows[0].0, rows[1].0, rows[2].0, rows[3].0];
            let (ab_low, ab_high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
            rows[0] = Self(_mm256_permute2f128_pd::<0x20>(ab_low, cd_low));
            rows[1] = Self(_mm256_permute2f128_pd::<0x20>(ab_high, cd_high));
            rows[2] = Self(_mm256_permute2f128_pd::<0x31>(ab_low, cd_low));
            rows[3] = Self(_mm256_permute2f128_pd::<0x31>(ab_high, cd_high));
        }
    }
}
