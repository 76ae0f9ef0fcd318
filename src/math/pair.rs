//! Numbers modulo `n^2` as pairs, many at a time.
//!
//! A number `c = l + h n` modulo `n^2` is kept as the pair `(l, h)`, in Montgomery form with respect to `n`: for inputs
//! `a` and `b` the product is `a b / R`. With `T = l_a l_b` and the Montgomery quotient `m` of `T`, that is
//!
//! ```text
//! l = (T + m n) / R                          h = (l_a h_b + h_a l_b - m) / R   (mod n)
//! ```
//!
//! since `l_a l_b = R l - m n`. It costs 5 products of `n`'s length instead of the 8 of a product modulo `n^2`, a square
//! 3.5, and nothing is ever divided by `n^2`.
//!
//! Numbers stay below `2 n` instead of `n`, and `R >= 16 n`, so that no product needs a final subtraction: the larger of
//! the two, `h`, stays below `(2 * 2n * 2n + 2 R + R n) / R < 2 n`. Nothing branches on a number's value.
//!
//! A [`Batch`] holds [`PairModulus::lanes`] independent numbers, digit by digit side by side, for kernels that work on
//! all of them with each instruction. Which [`Kernel`] does the work is chosen once, when the modulus is prepared.

use std::borrow::Cow;

use num_bigint::BigUint;
use num_integer::Integer as _;
use num_traits::One as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::montgomery::{Exponent, Limb, add_product, from_limbs, to_limbs};

mod digits;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod portable;
mod scalar28;
#[cfg(test)]
mod tests;

use digits::{add_one_if, all_limbs, digit_mask, digit_of, limbs_of, subtract_if_not_below};

/// Arithmetic on batches: the same results from every kernel, at different speeds.
pub trait Kernel: Send + Sync {
    /// The kernel's name, for people.
    fn name(&self) -> &'static str;
    /// Bits of a number in each digit.
    fn digit_bits(&self) -> u32;
    /// Numbers in a batch.
    fn lanes(&self) -> usize;
    /// `out = a * b / R`, for `a` and `b` below `2 n` (and one of them below `R` where the other is below `n`).
    fn mul(&self, modulus: &Constants, out: &mut [u64], a: &[u64], b: &[u64]);
    /// `out = a * a / R`.
    fn square(&self, modulus: &Constants, out: &mut [u64], a: &[u64]);
}

/// What a kernel needs to know of a modulus.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Constants {
    /// Digits of `n`, least significant first.
    pub digits: Vec<u64>,
    /// `-1 / n` modulo the digit size.
    pub inverse: u64,
    /// A multiple of `n` not below `R`, as one digit more than `n` has, none of which (but the last) is below the digit
    /// size less one: any Montgomery quotient can be subtracted digit by digit without borrowing.
    pub cushion: Vec<u64>,
}

/// The longest number in digits, whatever the kernel.
const MAX_DIGITS: usize = 160;

/// Independent numbers modulo `n^2`: the digits of `l` of all lanes, then those of `h`; the lanes of a digit lie side by
/// side.
#[derive(Clone, Zeroize)]
pub struct Batch(Words);

/// Words that start at a multiple of 64 bytes, so that no vector load crosses a cache line.
struct Words {
    buffer: Vec<u64>,
    start: usize,
    length: usize,
}

const ALIGNMENT: usize = 64;

impl Words {
    fn new(length: usize) -> Self {
        let buffer = vec![0; length + ALIGNMENT / size_of::<u64>()];
        // If the allocator cannot say, an unaligned start is slower but not wrong.
        let start = buffer.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT / size_of::<u64>());
        Self { buffer, start, length }
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.length);
        copy.copy_from_slice(self);
        copy
    }
}

impl Zeroize for Words {
    fn zeroize(&mut self) {
        self.buffer.zeroize();
    }
}

impl std::ops::Deref for Words {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        &self.buffer[self.start..self.start + self.length]
    }
}

impl std::ops::DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u64] {
        &mut self.buffer[self.start..self.start + self.length]
    }
}

/// An odd modulus `n`, prepared for arithmetic modulo `n^2` on batches. It may be secret (a factor of a key), so it is
/// wiped when dropped and has no `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PairModulus {
    #[zeroize(skip)]
    kernel: &'static dyn Kernel,
    constants: Constants,
    /// Limbs of `n`, and a zero.
    n_limbs: Vec<Limb>,
    digits: usize,
    /// One, in Montgomery form, in every lane.
    one: Batch,
    /// `R^2 mod n^2` and `R^3 mod n^2`: products with them take the low and the high half of a number into Montgomery
    /// form.
    low: Batch,
    high: Batch,
}

impl PairModulus {
    /// Prepares a modulus for the fastest kernel that this machine has. Returns `None` unless it is odd and has 256 to
    /// 4096 bits.
    #[must_use]
    pub fn new(n: &BigUint) -> Option<Self> {
        Self::with_kernel(n, best())
    }

    /// Prepares a modulus for one kernel.
    #[must_use]
    pub fn with_kernel(n: &BigUint, kernel: &'static dyn Kernel) -> Option<Self> {
        if !n.bit(0) || !(256..=4096).contains(&n.bits()) {
            return None;
        }
        let bits = u64::from(kernel.digit_bits());
        // R >= 16 n.
        let digits = usize::try_from((n.bits() + 4).div_ceil(bits)).ok()?;
        let r = BigUint::one() << (digits as u64 * bits);
        let constants = Constants::new(n, digits, kernel.digit_bits(), &r);
        let empty = || Batch(Words::new(2 * digits * kernel.lanes()));
        let squared = n * n;
        let power_of_r = |power| {
            let mut batch = empty();
            store_pair(&mut batch, &(r.pow(power) % &squared), n, digits, kernel);
            batch
        };
        let limbs = usize::try_from(n.bits().div_ceil(u64::from(Limb::BITS))).ok()?;
        let n_limbs = to_limbs(n, limbs + 1);
        Some(Self { kernel, constants, n_limbs, digits, one: power_of_r(1), low: power_of_r(2), high: power_of_r(3) })
    }

    /// The kernel that does the work.
    #[must_use]
    pub fn kernel(&self) -> &'static dyn Kernel {
        self.kernel
    }

    /// Numbers in a batch.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.kernel.lanes()
    }

    #[cfg(test)]
    fn low_for_tests(&self) -> &Batch {
        &self.low
    }

    /// One in every lane.
    #[must_use]
    pub fn one(&self) -> &Batch {
        &self.one
    }

    /// A batch to be written to.
    #[must_use]
    pub fn empty(&self) -> Batch {
        Batch(Words::new(self.one.0.len()))
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

    /// Takes plain numbers below `n^2`, as limbs, one for each lane (missing ones become one), into Montgomery form:
    /// `c = c_0 + c_1 R` becomes `c_0 R^2 / R + c_1 R^3 / R`.
    #[must_use]
    pub fn enter<'a>(&self, numbers: impl IntoIterator<Item = &'a [Limb]>) -> Batch {
        let lanes = self.lanes();
        let half = self.digits * lanes;
        let (mut low, mut high) = (self.empty(), self.empty());
        let mut given = 0;
        for (lane, limbs) in numbers.into_iter().take(lanes).enumerate() {
            let bits = self.kernel.digit_bits();
            for digit in 0..self.digits {
                low.0[digit * lanes + lane] = digit_of(limbs, digit, bits);
                high.0[digit * lanes + lane] = digit_of(limbs, digit + self.digits, bits);
            }
            given = lane + 1;
        }
        low.0[given..lanes].fill(1);
        let (mut a, mut b) = (self.empty(), self.empty());
        self.mul(&mut a, &low, &self.low);
        self.mul(&mut b, &high, &self.high);
        // A sum of two numbers below 2 n each may be 4 n: a product with one brings it back below 2 n.
        self.add_digits(&mut a.0[..half], &b.0[..half]);
        self.add_digits(&mut a.0[half..], &b.0[half..]);
        self.mul(&mut b, &a, &self.one);
        b
    }

    /// The same for numbers of the big-number library.
    #[must_use]
    pub fn enter_numbers(&self, numbers: &[BigUint]) -> Batch {
        let limbs: Vec<_> = numbers.iter().map(|number| to_limbs(number, self.width())).collect();
        self.enter(limbs.iter().map(Vec::as_slice))
    }

    /// One number in every lane.
    #[must_use]
    pub fn broadcast(&self, number: &BigUint) -> Batch {
        self.enter_numbers(&vec![number.clone(); self.lanes()])
    }

    /// A batch of consecutive numbers of a row of batches, from number `first` on. What the row lacks is one.
    #[must_use]
    pub fn gather<'a>(&self, row: &'a [Batch], first: usize) -> Cow<'a, Batch> {
        let lanes = self.lanes();
        let (group, shift) = (first / lanes, first % lanes);
        let left = row.get(group).unwrap_or(&self.one);
        if shift == 0 {
            return row.get(group).map_or_else(|| Cow::Owned(self.one.clone()), Cow::Borrowed);
        }
        let right = row.get(group + 1).unwrap_or(&self.one);
        let mut shifted = self.empty();
        let digits = shifted.0.chunks_exact_mut(lanes);
        for ((out, left), right) in digits.zip(left.0.chunks_exact(lanes)).zip(right.0.chunks_exact(lanes)) {
            out[..lanes - shift].copy_from_slice(&left[shift..]);
            out[lanes - shift..].copy_from_slice(&right[..shift]);
        }
        Cow::Owned(shifted)
    }

    /// `base ^ exponent` in every lane. As in [`super::montgomery::Modulus::pow`], the time depends on the exponent's
    /// length alone, and the table of powers is read whole.
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

    /// A copy of entry number `index`, made by reading every entry.
    fn select(&self, table: &[Batch], index: u8) -> Batch {
        let mut chosen = self.empty();
        for (entry, batch) in (0u8..).zip(table) {
            let difference = u64::from(entry ^ index);
            // All ones where the difference is zero.
            let mask = (difference.wrapping_sub(1) >> 63).wrapping_neg();
            for (out, &word) in chosen.0.iter_mut().zip(&*batch.0) {
                *out |= word & mask;
            }
        }
        chosen
    }

    /// A number below `n^2` given as `l + h n` with both below `n`, in Montgomery form, one in each lane.
    #[must_use]
    pub fn enter_pairs(&self, pairs: &[(BigUint, BigUint)]) -> Batch {
        let mut plain = self.empty();
        let lanes = self.lanes();
        plain.0[..lanes].fill(1);
        let bits = self.kernel.digit_bits();
        for (lane, (l, h)) in pairs.iter().take(lanes).enumerate() {
            let (l, h) = (all_limbs(l), all_limbs(h));
            for digit in 0..self.digits {
                plain.0[digit * lanes + lane] = digit_of(&l, digit, bits);
                plain.0[(self.digits + digit) * lanes + lane] = digit_of(&h, digit, bits);
            }
        }
        let mut entered = self.empty();
        self.mul(&mut entered, &plain, &self.low);
        entered
    }

    /// The digits of one lane.
    #[must_use]
    pub fn lane(&self, batch: &Batch, lane: usize) -> Vec<u64> {
        batch.0.iter().skip(lane).step_by(self.lanes()).copied().collect()
    }

    /// Sets one lane to digits that [`Self::lane`] gave.
    pub fn set_lane(&self, batch: &mut Batch, lane: usize, digits: &[u64]) {
        for (word, &digit) in batch.0.iter_mut().skip(lane).step_by(self.lanes()).zip(digits) {
            *word = digit;
        }
    }

    /// The numbers of all lanes, out of Montgomery form, fully reduced.
    #[must_use]
    pub fn leave(&self, batch: &Batch) -> Vec<BigUint> {
        self.leave_limbs(batch, self.width()).chunks_exact(self.width()).map(from_limbs).collect()
    }

    /// The same as limbs, `width` for each lane, which must be enough for `n^2`.
    #[must_use]
    pub fn leave_limbs(&self, batch: &Batch, width: usize) -> Vec<Limb> {
        let lanes = self.lanes();
        let mut unit = self.empty();
        unit.0[..lanes].fill(1);
        let mut plain = self.empty();
        self.mul(&mut plain, batch, &unit);
        let half = self.digits * lanes;
        let bits = self.kernel.digit_bits();
        let size = self.n_limbs.len() - 1;
        let mut all = vec![0; lanes * width];
        for (lane, out) in all.chunks_exact_mut(width).enumerate() {
            // With R >= 16 n, both halves are at most n + 2 now.
            let mut l = limbs_of(&plain.0[..half], lane, lanes, bits, size + 1);
            let mut h = limbs_of(&plain.0[half..], lane, lanes, bits, size + 1);
            let carry = subtract_if_not_below(&mut l, &self.n_limbs);
            add_one_if(&mut h, carry);
            subtract_if_not_below(&mut h, &self.n_limbs);
            // l + h n
            out[..size].copy_from_slice(&l[..size]);
            for (i, &digit) in h[..size].iter().enumerate() {
                let carry = add_product(&mut out[i..i + size], &self.n_limbs[..size], digit);
                if let Some(next) = out.get_mut(i + size) {
                    *next = carry;
                }
            }
        }
        all
    }

    /// Limbs of a number below `n^2`.
    fn width(&self) -> usize {
        2 * (self.n_limbs.len() - 1)
    }

    /// `a += b`, digit by digit with carries, lane by lane.
    fn add_digits(&self, a: &mut [u64], b: &[u64]) {
        let lanes = self.lanes();
        let bits = self.kernel.digit_bits();
        let mask = digit_mask(bits);
        let mut carry = vec![0u64; lanes];
        for (a, b) in a.chunks_exact_mut(lanes).zip(b.chunks_exact(lanes)) {
            for ((a, b), carry) in a.iter_mut().zip(b).zip(&mut carry) {
                let sum = u128::from(*a) + u128::from(*b) + u128::from(*carry);
                #[expect(clippy::cast_possible_truncation, reason = "taking the digits apart")]
                {
                    *a = sum as u64 & mask;
                    *carry = (sum >> bits) as u64;
                }
            }
        }
    }
}

impl Constants {
    fn new(n: &BigUint, digits: usize, bits: u32, r: &BigUint) -> Self {
        let mask = digit_mask(bits);
        let cut = |number: &BigUint, count: usize| -> Vec<u64> {
            let limbs = all_limbs(number);
            (0..count).map(|digit| digit_of(&limbs, digit, bits)).collect()
        };
        let n_digits = cut(n, digits);
        let mut inverse = 1u64;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(n_digits[0].wrapping_mul(inverse)));
        }
        // The first multiple of n above R, then one digit size moved from each digit to the one below.
        let multiple = (r / n + 1u8) * n;
        let mut cushion = cut(&multiple, digits + 1);
        if bits < 64 {
            for digit in 0..digits {
                cushion[digit] = cushion[digit].wrapping_add(mask + 1);
                cushion[digit + 1] = cushion[digit + 1].wrapping_sub(1);
            }
        }
        Self { digits: n_digits, inverse: inverse.wrapping_neg() & mask, cushion }
    }
}

/// The fastest kernel of this machine.
fn best() -> &'static dyn Kernel {
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = ifma::detect() {
        return kernel;
    }
    if cfg!(target_arch = "wasm32") { &scalar28::Scalar28 } else { &portable::Portable }
}

/// The name of the kernel that [`PairModulus::new`] takes on this machine.
#[must_use]
pub fn best_kernel_name() -> &'static str {
    best().name()
}

/// Every kernel that runs on this machine, the fastest first.
#[must_use]
pub fn kernels() -> Vec<&'static dyn Kernel> {
    let mut all: Vec<&'static dyn Kernel> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    all.extend(ifma::detect());
    all.extend([&portable::Portable as &dyn Kernel, &scalar28::Scalar28]);
    all
}

/// Stores a number below `n^2` in every lane as it is.
fn store_pair(batch: &mut Batch, number: &BigUint, n: &BigUint, digits: usize, kernel: &dyn Kernel) {
    let (h, l) = number.div_rem(n);
    for (part, number) in [l, h].iter().enumerate() {
        let limbs = all_limbs(number);
        for digit in 0..digits {
            let word = digit_of(&limbs, digit, kernel.digit_bits());
            let start = (part * digits + digit) * kernel.lanes();
            batch.0[start..start + kernel.lanes()].fill(word);
        }
    }
}
