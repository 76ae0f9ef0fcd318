//! The forms of a picture that is split into blocks.

/// The form of the picture that is split into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// The photo in RGB.
    Colour,
    /// Luma, blue and red difference (JFIF's YCbCr) side by side, as one grey picture three times as wide. The conversion
    /// rounds: colours are restored within two units, grey photos exactly.
    Grey,
    /// Like [`Self::Grey`], with both differences at half the width and height, one above the other.
    Grey420,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Colour, Self::Grey, Self::Grey420];

    /// The name in labels and flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Colour => "colour",
            Self::Grey => "grey",
            Self::Grey420 => "grey-420",
        }
    }

    /// The form with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == name)
    }
}
