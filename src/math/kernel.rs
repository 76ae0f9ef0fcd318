//! Kernels for residues.
//!
//! The result does not depend on the kernel. Each computation is written twice: for integers, and for floats with any number of
//! lanes.

#![allow(unsafe_code)]
#![cfg_attr(
    not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test)),
    allow(dead_code, reason = "there are no kernels on floats elsewhere")
)]

use super::floats::Work;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
use super::floats::relaxed;
#[cfg(target_arch = "x86_64")]
use super::floats::{avx2, avx512};

/// A way to compute with residues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// 64-bit integers, on every machine.
    Portable,
    /// Floats, four at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Floats, eight at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Floats, eight at a time, and sums of products on 52-bit words.
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma,
    /// Floats, two at a time.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    Relaxed,
    /// Floats, two at a time, without special instructions, for tests.
    #[cfg(test)]
    Twin,
}

impl Kernel {
    /// All kernels that this machine can use, slowest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let all = [
            Some(Self::Portable),
            #[cfg(test)]
            Some(Self::Twin),
            #[cfg(target_arch = "x86_64")]
            avx2::detect().then_some(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            avx512::detect().then_some(Self::Avx512),
            #[cfg(target_arch = "x86_64")]
            avx512::detect_ifma().then_some(Self::Avx512Ifma),
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            relaxed::detect().then_some(Self::Relaxed),
        ];
        all.into_iter().flatten().collect()
    }

    /// The fastest kernel that this machine can use.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx512::detect_ifma() {
            return Self::Avx512Ifma;
        } else if avx512::detect() {
            return Self::Avx512;
        } else if avx2::detect() {
            return Self::Avx2;
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        if relaxed::detect() {
            return Self::Relaxed;
        }
        Self::Portable
    }

    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2-fma",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Ifma => "avx512-ifma",
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Relaxed => "relaxed-fma",
            #[cfg(test)]
            Self::Twin => "twin",
        }
    }

    /// The number of floats that are processed at a time; 1 for integers.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self {
            Self::Portable => 1,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx512Ifma => avx512::LANES,
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Relaxed => relaxed::LANES,
            #[cfg(test)]
            Self::Twin => super::floats::twin::LANES,
        }
    }

    /// Runs `work`. The kernel must be one of [`Kernel::all`].
    #[inline]
    pub(crate) fn run(self, work: impl Work) {
        match self {
            Self::Portable => work.portable(),
            // SAFETY: a kernel is selected only if the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::run(work) },
            // SAFETY: see above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::run(work) },
            // SAFETY: see above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Ifma => unsafe { avx512::run_ifma(work) },
            // SAFETY: see above; an engine without these instructions does not load this build.
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Relaxed => unsafe { work.floats::<relaxed::Two>() },
            // SAFETY: plain numbers require no special instructions.
            #[cfg(test)]
            Self::Twin => unsafe { work.floats::<super::floats::twin::Plain>() },
        }
    }
}
