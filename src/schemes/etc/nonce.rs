//! The number that makes the scrambling of every picture different.

use crate::error::Result;
use crate::math::random;

/// 16 random bytes, used once, so that no two pictures are scrambled alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// The nonce of all pictures that are scrambled alike.
    pub const FIXED: Self = Self([0; 16]);

    /// Makes a new nonce.
    ///
    /// # Errors
    /// [`Code::NoRandomness`](crate::error::Code::NoRandomness).
    pub fn random() -> Result<Self> {
        let mut nonce = Self::FIXED;
        while nonce == Self::FIXED {
            random::fill(&mut random::system(), &mut nonce.0)?;
        }
        Ok(nonce)
    }
}
