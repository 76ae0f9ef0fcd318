//! Extended learnable encryption: Madono, Tanaka, Onishi, Ogawa, "Block-wise Scrambled Image Recognition Using Adaptation
//! Network" (2020), equations 1 to 3.
//!
//! Like [`le`], with a separate key for each block; in addition, the blocks change places.
//!
//! Choices made here: the paper's figure moves the blocks first, its authors' program last. Both are equivalent except for the
//! numbering of the blocks' keys; ours belong to the places in the scrambled picture. `place` draws which block moves to each
//! place (like K1 of [`etc`](crate::schemes::etc)); then, for each place in order, the steps of [`le`] are drawn from `shuffle`
//! and `reverse`.

use super::{Step, le};
use crate::error::{Code, Error, Result};
use crate::math::random;
use crate::schemes::etc::{MasterKey, Nonce};

/// The steps for a sheet of whole blocks.
pub(super) fn steps(shape: [usize; 3], key: &MasterKey, nonce: &Nonce) -> Result<Vec<Step>> {
    let count = le::blocks(shape);
    let length = le::values(shape, 0).len();
    let places = u32::try_from(count).map_err(|_| Error::new(Code::Internal, "there are too many blocks"))?;
    let mut place = key.stream(nonce, b"safelight ele v1 place")?;
    let mut shuffle = key.stream(nonce, b"safelight ele v1 shuffle")?;
    let mut reverse = key.stream(nonce, b"safelight ele v1 reverse")?;
    let mut steps = vec![Step::default(); count * length];
    for (to, from) in random::permutation(&mut place, places)?.into_iter().enumerate() {
        let (to, from) = (le::values(shape, to), le::values(shape, from as usize));
        for (to, step) in to.into_iter().zip(le::draw(length, &mut shuffle, &mut reverse)?) {
            steps[to as usize] = Step { from: from[step.from as usize], ..step };
        }
    }
    Ok(steps)
}
