//! The memory layout of the digits of many numbers.

use zeroize::Zeroize;

use crate::math::words::Words;

/// Independent numbers modulo `n^2`: the digits of `l` of all lanes, followed by those of `h`. The lanes of each digit are
/// stored side by side.
#[derive(Clone, Zeroize)]
pub struct Batch(pub(super) Words);

/// Independent numbers modulo `n`, stored like one half of a [`Batch`].
#[derive(Clone, Zeroize)]
pub struct LowBatch(pub(super) Words);
