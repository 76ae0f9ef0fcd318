//! Pixel-based encryption: Sirichotedumrong, Kinoshita, Kiya, "Pixel-Based Image Encryption Without Key Management for
//! Privacy-Preserving Deep Neural Networks" (IEEE Access 2019).
//!
//! Each sample is negated or not, then the channels of each pixel change places. The paper's keys are independent for each
//! picture and are not kept.
//!
//! Choices made here: pixels are taken row by row. `reverse` draws (below 2) for each sample of the clear picture, `order`
//! (below 6) draws the index into [`ORDERS`] for each pixel. Grey pixels have no order to change.

use super::Step;
use crate::error::Result;
use crate::math::random;
use crate::schemes::etc::scramble::ORDERS;
use crate::schemes::etc::{MasterKey, Nonce};

/// The steps for any sheet.
#[expect(clippy::cast_possible_truncation, reason = "sheets with more values are refused")]
pub(super) fn steps([width, height, channels]: [usize; 3], key: &MasterKey, nonce: &Nonce) -> Result<Vec<Step>> {
    let mut reverse = key.stream(nonce, b"safelight pe v1 reverse")?;
    let mut orders = key.stream(nonce, b"safelight pe v1 order")?;
    let mut steps = Vec::with_capacity(width * height * channels);
    for pixel in 0..width * height {
        let mut reversed = [false; 3];
        for bit in &mut reversed[..channels] {
            *bit = random::index(&mut reverse, 2)? == 1;
        }
        let order = if channels == 3 { ORDERS[random::index(&mut orders, 6)?] } else { ORDERS[0] };
        steps.extend(order[..channels].iter().map(|&c| {
            let c = usize::from(c);
            Step { from: (pixel * channels + c) as u32, reversed: reversed[c] }
        }));
    }
    Ok(steps)
}
