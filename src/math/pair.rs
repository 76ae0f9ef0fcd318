//! Arithmetic modulo `n^2` on pairs, on many numbers at a time.
//!
//! A number `c = l + h n` modulo `n^2` is stored as the pair `(l, h)`, in Montgomery form with respect to `n`: for inputs `a`
//! and `b` the product is `a b / R`. With `T = l_a l_b` and the Montgomery quotient `m` of `T`, that is
//!
//! ```text
//! l = (T + m n) / R                          h = (l_a h_b + h_a l_b - m) / R   (mod n)
//! ```
//!
//! since `l_a l_b = R l - m n`. It takes 5 products of the length of `n` instead of the 8 of a product modulo `n^2`. A square
//! takes 3.5, and nothing is ever divided by `n^2`.
//!
//! Numbers stay below `2 n` instead of `n`, and `R >= 16 n`, so no product needs a final subtraction: the larger of the two,
//! `h`, stays below `(2 * 2n * 2n + R + n + R n) / R < 2 n`. No branch depends on a number's value.
//!
//! A [`Batch`] holds [`PairModulus::lanes`] independent numbers, with their digits side by side, for kernels that process all
//! of them with each instruction. The [`Kernel`] is chosen once, when the modulus is prepared.
//!
//! | kernel | digits | numbers at a time | where |
//! |---|---|---|---|
//! | `avx512-ifma` | 52 bits | 8 | x86-64 with AVX-512 IFMA |
//! | `avx2-fma` | 51 bits | 4 | x86-64 with AVX2 and FMA |
//! | `portable` | 64 bits | 1 | everywhere |
//! | `relaxed-fma` | 51 bits | 2 | WebAssembly with relaxed SIMD |
//! | `scalar-28` | 28 bits | 1 | WebAssembly without |

use num_bigint::BigUint;
use num_traits::One as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::montgomery::{Exponent, Limb, from_limbs};

mod batch;
mod constants;
mod convert;
mod digits;
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test))]
#[macro_use]
mod vector_kernel;
#[cfg(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "relaxed-simd"), test))]
mod fma;
#[cfg(any(target_arch = "x86_64", test))]
mod ifma;
mod low;
mod portable;
mod scalar28;
#[cfg(test)]
mod tests;

pub use batch::{Batch, LowBatch};
pub use constants::Constants;

use super::words::Words;
use digits::digit_mask;

/// Arithmetic on batches. All kernels return the same results, at different speeds.
///
/// Slices are halves of a [`Batch`], with `k` digits of all lanes, or both halves, first `l`, then `h`. If a slice has another
/// length, an implementation may panic, but must not cause undefined behaviour.
pub trait Kernel: Send + Sync {
    /// The kernel's name, for people.
    fn name(&self) -> &'static str;
    /// The number of bits in a digit.
    fn digit_bits(&self) -> u32;
    /// The number of lanes of a batch.
    fn lanes(&self) -> usize;
    /// `out = a * b / R`, for `a` and `b` below `2 n`, or one below `4 n` and the other below `n`.
    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]);
    /// `out = a * a / R`, for `a` below `2 n`.
    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]);
    /// `out = a * b / R` modulo `n`, where all slices are halves.
    fn mul_low(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]);
    /// `out = a / R`, where `a` is a half with any number below `R`. The halves of the result are at most `n` and `n + 1`.
    fn reduce(&self, modulus: &Constants, out: &mut [u64], a: &[u64]) {
        let mut pair = vec![0; out.len()];
        pair[..a.len()].copy_from_slice(a);
        let mut one = vec![0; out.len()];
        one[..self.lanes()].fill(1);
        self.mul(modulus, out, &pair, &one);
    }
}

/// An upper bound on the number of digits in the portable kernel.
const MAX_DIGITS: usize = 80;

/// An odd modulus `n`, prepared for arithmetic modulo `n^2` on batches. It may be secret (a factor of a key), so it is wiped
/// when dropped (except for copies inside the big-number library) and has no `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PairModulus {
    #[zeroize(skip)]
    kernel: &'static dyn Kernel,
    constants: Constants,
    /// The limbs of `n`, then a zero.
    n_limbs: Vec<Limb>,
    digits: usize,
    /// One, in Montgomery form, in every lane.
    one: Batch,
    /// `R^3 mod n^2`, which converts a loaded number to Montgomery form.
    cube: Batch,
    /// `R` times the size of one part of a long number.
    part: Batch,
}

impl PairModulus {
    /// Prepares a modulus for this machine's fastest kernel. Returns `None` unless it is odd and has 256 to 4096 bits.
    #[must_use]
    pub fn new(n: &BigUint) -> Option<Self> {
        Self::with_kernel(n, best())
    }

    /// Prepares a modulus for the given kernel.
    #[must_use]
    pub fn with_kernel(n: &BigUint, kernel: &'static dyn Kernel) -> Option<Self> {
        if !n.bit(0) || !(256..=4096).contains(&n.bits()) {
            return None;
        }
        let bits = kernel.digit_bits();
        // R >= 16 n.
        let digits = usize::try_from((n.bits() + 4).div_ceil(u64::from(bits))).ok()?;
        let empty = || Batch(Words::new(2 * digits * kernel.lanes()));
        let mut modulus = Self {
            kernel,
            constants: Constants::new(n, digits, bits),
            n_limbs: convert::limbs_and_zero(n),
            digits,
            one: empty(),
            cube: empty(),
            part: empty(),
        };
        let squared = n * n;
        let power_of_two = |exponent: u64| (BigUint::one() << exponent) % &squared;
        let r = modulus.bits_of_r();
        modulus.one = modulus.plain(&power_of_two(r));
        modulus.cube = modulus.plain(&power_of_two(3 * r));
        modulus.part = modulus.plain(&power_of_two(2 * r - u64::from(bits)));
        Some(modulus)
    }

    /// The kernel that does the work.
    #[must_use]
    pub fn kernel(&self) -> &'static dyn Kernel {
        self.kernel
    }

    /// The number of lanes of a batch.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.kernel.lanes()
    }

    /// One in every lane.
    #[must_use]
    pub fn one(&self) -> &Batch {
        &self.one
    }

    /// A batch to write to.
    #[must_use]
    pub fn empty(&self) -> Batch {
        Batch(Words::new(2 * self.half()))
    }

    /// `out = a * b`.
    pub fn mul(&self, out: &mut Batch, a: &Batch, b: &Batch) {
        self.kernel.mul(&self.constants, &mut out.0, &a.0, &b.0);
    }

    /// `out = a * a`.
    pub fn square(&self, out: &mut Batch, a: &Batch) {
        self.kernel.square(&self.constants, &mut out.0, &a.0);
    }

    /// `a = a * b`.
    pub fn mul_assign(&self, a: &mut Batch, b: &Batch) {
        let mut product = self.empty();
        self.mul(&mut product, a, b);
        *a = product;
    }

    /// `a = a * a`.
    pub fn square_assign(&self, a: &mut Batch) {
        let mut square = self.empty();
        self.square(&mut square, a);
        *a = square;
    }

    /// `base ^ exponent` in every lane. As in [`super::montgomery::Modulus::pow`], the time depends only on the exponent's
    /// length, and the whole table of powers is read.
    #[must_use]
    pub fn pow(&self, base: &Batch, exponent: &Exponent) -> Batch {
        let mut table = vec![self.one.clone()];
        for entry in 1..1 << Exponent::WINDOW {
            let mut next = self.empty();
            self.mul(&mut next, &table[entry - 1], base);
            table.push(next);
        }
        let mut result = self.one.clone();
        let mut scratch = self.empty();
        for (position, digit) in exponent.windows().rev().enumerate() {
            if position > 0 {
                for _ in 0..Exponent::WINDOW {
                    self.square(&mut scratch, &result);
                    std::mem::swap(&mut scratch, &mut result);
                }
            }
            let factor = self.select(&table, digit);
            self.mul(&mut scratch, &result, &factor);
            std::mem::swap(&mut scratch, &mut result);
        }
        table.zeroize();
        result
    }

    /// Copies the entry at `index`, reading every entry.
    fn select(&self, table: &[Batch], index: u8) -> Batch {
        let mut chosen = self.empty();
        select(&mut chosen.0, table.iter().map(|batch| &*batch.0), index.into());
        chosen
    }

    /// `R`, for multiplying constants.
    #[must_use]
    pub fn radix(&self) -> BigUint {
        BigUint::one() << self.bits_of_r()
    }

    fn n(&self) -> BigUint {
        from_limbs(&self.n_limbs)
    }

    /// The number of limbs of a number below `n^2`.
    fn width(&self) -> usize {
        2 * (self.n_limbs.len() - 1)
    }

    /// The number of words in half a batch.
    fn half(&self) -> usize {
        self.digits * self.lanes()
    }

    /// The binary logarithm of `R`.
    fn bits_of_r(&self) -> u64 {
        self.digits as u64 * u64::from(self.kernel.digit_bits())
    }
}

/// Copies the entry at `index` to `out`, reading every entry.
pub(super) fn select<'a>(out: &mut [u64], entries: impl Iterator<Item = &'a [u64]>, index: u16) {
    out.fill(0);
    for (number, entry) in (0u16..).zip(entries) {
        let difference = u64::from(number ^ index);
        // All ones where the difference is zero.
        let mask = (difference.wrapping_sub(1) >> 63).wrapping_neg();
        for (out, &word) in out.iter_mut().zip(entry) {
            *out |= word & mask;
        }
    }
}

/// This machine's fastest kernel.
#[cfg(not(target_arch = "wasm32"))]
fn best() -> &'static dyn Kernel {
    // There is always at least one.
    kernels()[0]
}

/// The fastest kernel of this build. It is the only one named, so that a browser downloads no other.
#[cfg(target_arch = "wasm32")]
fn best() -> &'static dyn Kernel {
    #[cfg(target_feature = "relaxed-simd")]
    {
        &fma::Relaxed
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    {
        &scalar28::Scalar28
    }
}

/// The name of the kernel that [`PairModulus::new`] uses on this machine.
#[must_use]
pub fn best_kernel_name() -> &'static str {
    best().name()
}

/// Every kernel that runs on this machine, fastest first.
#[must_use]
pub fn kernels() -> Vec<&'static dyn Kernel> {
    let mut all: Vec<&'static dyn Kernel> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    all.extend([ifma::detect(), fma::detect()].into_iter().flatten());
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    all.push(&fma::Relaxed);
    if cfg!(target_arch = "wasm32") {
        all.extend([&scalar28::Scalar28 as &dyn Kernel, &portable::Portable]);
    } else {
        all.extend([&portable::Portable as &dyn Kernel, &scalar28::Scalar28]);
    }
    all
}
