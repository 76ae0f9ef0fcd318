//! Conversion between limbs and digits of other sizes.

use num_bigint::BigUint;

use crate::math::montgomery::{Limb, to_limbs};

/// A digit with all bits set.
pub(super) const fn digit_mask(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

/// The digit number `digit`, with `bits` bits, of a number.
pub(super) fn digit_of(limbs: &[Limb], digit: usize, bits: u32) -> u64 {
    let size = Limb::BITS as usize;
    let bit = digit * bits as usize;
    let mut wide = 0u128;
    let mut filled = 0;
    for &limb in limbs.iter().skip(bit / size).take(128 / size) {
        wide |= u128::from(limb) << filled;
        filled += size;
        if filled >= bit % size + bits as usize {
            break;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "one digit is wanted")]
    let word = (wide >> (bit % size)) as u64;
    word & digit_mask(bits)
}

/// The number in a lane, as `count` limbs, which must suffice.
pub(super) fn limbs_of(words: &[u64], lane: usize, lanes: usize, bits: u32, count: usize) -> Vec<Limb> {
    let size = Limb::BITS;
    let mut limbs = Vec::with_capacity(count);
    let (mut wide, mut filled) = (0u128, 0);
    for &digit in words[lane..].iter().step_by(lanes) {
        wide |= u128::from(digit) << filled;
        filled += bits;
        while filled >= size && limbs.len() < count {
            #[expect(clippy::cast_possible_truncation, reason = "taking the limbs off one by one")]
            limbs.push(wide as Limb);
            wide >>= size;
            filled -= size;
        }
        if limbs.len() == count {
            break;
        }
    }
    if limbs.len() < count {
        #[expect(clippy::cast_possible_truncation, reason = "what is left is less than a limb")]
        limbs.push(wide as Limb);
        limbs.resize(count, 0);
    }
    limbs
}

pub(super) fn all_limbs(number: &BigUint) -> Vec<Limb> {
    let limbs = number.bits().div_ceil(u64::from(Limb::BITS)).max(1);
    to_limbs(number, usize::try_from(limbs).unwrap_or(usize::MAX))
}

/// Subtracts `n` if the number is not below it. Returns 1 if it subtracted, otherwise 0, in constant time.
pub(super) fn subtract_if_not_below(number: &mut [Limb], n: &[Limb]) -> Limb {
    let mut borrow = false;
    let mut difference = vec![0; number.len()];
    for ((d, &x), &n) in difference.iter_mut().zip(&*number).zip(n) {
        let (t, b1) = x.overflowing_sub(n);
        let (t, b2) = t.overflowing_sub(Limb::from(borrow));
        (*d, borrow) = (t, b1 | b2);
    }
    let take = Limb::from(!borrow);
    let mask = take.wrapping_neg();
    for (x, d) in number.iter_mut().zip(difference) {
        *x = (*x & !mask) | (d & mask);
    }
    take
}

pub(super) fn add_one_if(number: &mut [Limb], condition: Limb) {
    let mut carry = condition;
    for limb in number {
        let (sum, overflow) = limb.overflowing_add(carry);
        (*limb, carry) = (sum, Limb::from(overflow));
    }
}
