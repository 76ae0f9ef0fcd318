//! The origin of an encrypted image's masks.

use std::fmt;

/// The seed of a photo's masks, from which the owner derives them with the secret key: 32 random bytes, new for each photo,
/// which reveal nothing to anyone else. They travel with the image and its filtered results, so the owner can recompute the
/// masks of the result. This makes decryption fast and shows what the server did.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(pub [u8; 32]);

impl Origin {
    /// The origin of random masks: the photo was encrypted with the public key alone, or by another program.
    pub const UNKNOWN: Self = Self([0; 32]);

    /// Makes a new origin.
    ///
    /// # Errors
    /// [`Code::NoRandomness`](crate::error::Code::NoRandomness).
    #[cfg(feature = "client")]
    pub fn random() -> crate::error::Result<Self> {
        use crate::math::random;
        let mut origin = Self::UNKNOWN;
        // Only one in 2^256 attempts yields zero.
        while !origin.is_known() {
            random::fill(&mut random::system(), &mut origin.0)?;
        }
        Ok(origin)
    }

    /// Whether the owner of the key can derive the masks.
    #[must_use]
    pub fn is_known(&self) -> bool {
        *self != Self::UNKNOWN
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
