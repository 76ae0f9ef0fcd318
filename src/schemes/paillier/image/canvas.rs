//! Assembles decrypted rows into a picture.

use crate::error::{Code, Error, Result};
use crate::schemes::paillier::{ImageHead, Layout};

/// How to show values outside 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Below 0 is black, above 255 is white.
    #[default]
    Clamp,
    /// `floor((value + 256) / 2)`, clamped: 0 is mid-grey.
    Signed,
    /// The absolute value, clamped.
    Absolute,
    /// 16 bits: `value + 32768`, clamped, for exact work.
    Exact16,
}

impl View {
    /// All views.
    pub const ALL: [Self; 4] = [Self::Clamp, Self::Signed, Self::Absolute, Self::Exact16];

    /// The view's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clamp => "clamp",
            Self::Signed => "signed",
            Self::Absolute => "absolute",
            Self::Exact16 => "exact16",
        }
    }

    /// The view with this name.
    ///
    /// # Errors
    /// [`Code::BadArgument`].
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == name).ok_or_else(|| {
            Error::new(Code::BadArgument, format!("no view '{name}'; choose clamp, signed, absolute or exact16"))
        })
    }

    /// The sample shown for a value.
    #[must_use]
    pub fn show(self, value: i32) -> u16 {
        let value = i64::from(value);
        let shown = match self {
            Self::Clamp => value.clamp(0, 255),
            Self::Signed => ((value + 256) >> 1).clamp(0, 255),
            Self::Absolute => value.abs().min(255),
            Self::Exact16 => (value + 32768).clamp(0, 65535),
        };
        u16::try_from(shown).unwrap_or(u16::MAX)
    }
}

/// The picture assembled from decrypted rows.
pub struct Canvas {
    layout: Layout,
    view: View,
    samples: Vec<u16>,
}

impl Canvas {
    /// An empty canvas for an image.
    #[must_use]
    pub fn new(head: &ImageHead, view: View) -> Self {
        let layout = head.layout.clone();
        let samples = layout.width as usize * layout.height as usize * usize::from(layout.channels);
        Self { layout, view, samples: vec![0; samples] }
    }

    /// Places the values of row `row` of ciphertexts, as returned by [`super::ImageDecryptor::decrypt_row`].
    ///
    /// # Errors
    /// [`Code::BadArgument`] if they do not fit the image.
    pub fn place(&mut self, row: u32, values: &[i32]) -> Result<()> {
        let layout = &self.layout;
        let slots = layout.used_slots() as usize;
        let (tile_width, tile_height) = layout.tile();
        let inner = u32::from(layout.halo.1)..u32::from(layout.halo.1) + tile_height;
        if !inner.contains(&row) || values.len() != slots * tile_width as usize {
            return Err(Error::new(Code::BadArgument, "the row does not fit the image"));
        }
        for (column, cell) in (u32::from(layout.halo.0)..).zip(values.chunks_exact(slots)) {
            for (slot, &value) in (0..).zip(cell) {
                let (channel, x, y) = layout.pixel(slot, column, row);
                // Pixels beyond the photo's edge are dropped.
                let inside = u32::try_from(x).ok().filter(|x| *x < layout.width);
                let inside = inside.zip(u32::try_from(y).ok().filter(|y| *y < layout.height));
                if let Some((x, y)) = inside {
                    let pixel = y as usize * layout.width as usize + x as usize;
                    self.samples[pixel * usize::from(layout.channels) + usize::from(channel)] = self.view.show(value);
                }
            }
        }
        Ok(())
    }

    /// The picture's shape.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The chosen view.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// The samples, interleaved, row by row: 8 bits each, or 16 for [`View::Exact16`].
    #[must_use]
    pub fn samples(&self) -> &[u16] {
        &self.samples
    }

    /// The samples with 8 bits. Those of [`View::Exact16`] lose their lower half.
    #[must_use]
    pub fn samples8(&self) -> Vec<u8> {
        let shift = if self.view == View::Exact16 { 8 } else { 0 };
        self.samples.iter().map(|&sample| u8::try_from(sample >> shift).unwrap_or(u8::MAX)).collect()
    }
}
