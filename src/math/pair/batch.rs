//! Where the digits of many numbers lie.

use zeroize::Zeroize;

use crate::math::words::Words;

/// Independent numbers modulo `n^2`: the digits of `l` of all lanes, then those of `h`; the lanes of a digit lie side by
/// side.
#[derive(Clone, Zeroize)]
pub struct Batch(pub(super) Words);

/// Independent numbers modulo `n`, laid out as one half of a [`Batch`].
#[derive(Clone, Zeroize)]
pub struct LowBatch(pub(super) Words);
