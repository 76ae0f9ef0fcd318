//! What a scrambled picture is worth against somebody who has it and not its key, by what our own attacks saw.
//!
//! The rule is made of the tables in `docs/etc-attacks.md`, of its lines for files without loss (JPEG at quality 80 halves what
//! the attacks find, and cannot be told from a label). It says that what counts is how long the edges of the blocks are; how
//! many blocks there are decides little beyond a hundred. A better solver than ours sees more, never less. Nothing is refused:
//! somebody may want a picture that is scrambled for the look of it.

use super::label::Label;
use super::nonce::Nonce;

/// Pictures of fewer blocks fall to somebody who tries all keys, or nearly: with 4 blocks a tenth of a second suffices.
pub const FEW_BLOCKS: usize = 16;
/// Blocks of this side or larger fit together at their edges like the pieces of a jigsaw puzzle for children: of single photos
/// with up to 256 of them most or all neighbours were found.
pub const LARGE_BLOCK: u8 = 32;
/// Of single photos with blocks of this side or smaller a tenth of the neighbours was found or less, where there were
/// [enough](ENOUGH_BLOCKS).
pub const SMALL_BLOCK: u8 = 8;
/// With fewer small blocks than these, up to a quarter of the neighbours was found, and with a few dozen more.
pub const ENOUGH_BLOCKS: usize = 128;

/// What our attacks see of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resistance {
    /// Most of it or all: the key is that of other pictures, too, or the blocks are [few](FEW_BLOCKS) or
    /// [large](LARGE_BLOCK).
    Falls,
    /// Parts of it, often enough to know the scene: the blocks are larger than [`SMALL_BLOCK`], or fewer than
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

    /// That of the picture with this label.
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
