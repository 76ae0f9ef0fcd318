//! How well a scrambled picture resists attackers without its key, judged by our own attacks.
//!
//! The rule follows from the tables in `docs/etc-attacks.md`, from their rows for lossless files (JPEG at quality 80 halves
//! what the attacks find, but a label does not show it). The length of the blocks' edges matters most; beyond a hundred, the
//! number of blocks matters little. A better solver than ours sees more, never less. No setting is refused: a user may want a
//! picture scrambled only for its look.

use super::label::Label;
use super::nonce::Nonce;

/// Pictures with fewer blocks fall to a (nearly) exhaustive search: with 4 blocks, a tenth of a second suffices.
pub const FEW_BLOCKS: usize = 16;
/// Blocks of this side or larger fit together at their edges like a children's jigsaw puzzle: in single photos with up to 256
/// such blocks, most or all neighbours were found.
pub const LARGE_BLOCK: u8 = 32;
/// In single photos with blocks of this side or smaller, at most a tenth of the neighbours was found, if there were
/// [enough](ENOUGH_BLOCKS) blocks.
pub const SMALL_BLOCK: u8 = 8;
/// With fewer small blocks than this, up to a quarter of the neighbours was found, and with a few dozen, more.
pub const ENOUGH_BLOCKS: usize = 128;

/// How much of a picture our attacks reveal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resistance {
    /// Most or all of it: other pictures have the same key, or the blocks are [few](FEW_BLOCKS) or [large](LARGE_BLOCK).
    Falls,
    /// Parts of it, often enough to recognise the scene: the blocks are larger than [`SMALL_BLOCK`], or fewer than
    /// [`ENOUGH_BLOCKS`].
    Shows,
    /// Patches here and there, as in any scrambled picture.
    Holds,
}

impl Resistance {
    /// The name for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Falls => "falls",
            Self::Shows => "shows",
            Self::Holds => "holds",
        }
    }

    /// The resistance of the picture with this label.
    #[must_use]
    pub fn of(label: &Label) -> Self {
        if label.nonce == Nonce::FIXED || label.blocks() < FEW_BLOCKS || label.block >= LARGE_BLOCK {
            Self::Falls
        } else if label.block > SMALL_BLOCK || label.blocks() < ENOUGH_BLOCKS {
            Self::Shows
        } else {
            Self::Holds
        }
    }
}
