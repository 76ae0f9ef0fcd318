//! Photos to rows of ciphertexts, and rows of ciphertexts back to photos. Compiled only with the feature `client`.

use num_bigint::BigUint;
use num_traits::ToPrimitive as _;
use std::sync::Arc;

use super::filter::Filter;
use super::kernel::gaussian_sum;
use super::layout::{Border, Encoding, ImageHead, Layout, bits_for};
use super::secret::{EncryptionKey, SecretKey};
use crate::error::{Code, Error, Result};
use crate::math::montgomery::Limb;
use crate::math::random;
use crate::photo::Photo;

/// How a photo is to be encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptOptions {
    /// What is taken for the pixels outside the photo.
    pub border: Border,
    /// Pixels around each tile: the farthest that a filter can reach, to each side and up and down.
    pub halo: (u16, u16),
    /// The width of a slot in bits: the room for the filter's weights.
    pub slot_bits: u8,
}

impl EncryptOptions {
    /// Room for every built-in filter of this radius: a mean, a Gaussian, and for radius 1 the derivatives.
    #[must_use]
    pub fn for_halo(halo: (u16, u16), border: Border) -> Self {
        let largest = 255 * gaussian_sum(halo.0) * gaussian_sum(halo.1);
        Self { border, halo, slot_bits: bits_for(largest).max(8) }
    }

    /// Exactly the room for this filter.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if no slot is wide enough.
    pub fn for_filter(filter: &Filter, border: Border) -> Result<Self> {
        Ok(Self { border, halo: filter.radius(), slot_bits: filter.slot_bits()? })
    }
}

/// From this many ciphertexts on it pays to prepare the key.
const MANY: u64 = 20;

/// Encrypts a photo row by row. The rows are independent: several workers can share them.
pub struct ImageEncryptor {
    key: EncryptionKey,
    head: ImageHead,
    samples: Vec<u8>,
}

impl ImageEncryptor {
    /// Prepares the encryption of a photo; its alpha is left behind.
    ///
    /// # Errors
    /// [`Code::ImageTooLarge`], [`Code::BadArgument`] for options that are not possible.
    pub fn new(key: EncryptionKey, photo: &Photo, options: &EncryptOptions) -> Result<Self> {
        let layout = Layout::plan(
            (photo.width(), photo.height()),
            photo.channels(),
            options.border,
            options.halo,
            options.slot_bits,
            key.public().bits(),
        )?;
        Encoding::SAMPLES.check(options.slot_bits)?;
        if u64::from(layout.columns()) * u64::from(layout.rows()) > MANY {
            key.prepare();
        }
        let head =
            ImageHead { key: Arc::clone(key.public()), layout, encoding: Encoding::SAMPLES, history: String::new() };
        Ok(Self { key, head, samples: photo.samples().to_vec() })
    }

    /// The head of the encrypted image.
    #[must_use]
    pub fn head(&self) -> &ImageHead {
        &self.head
    }

    /// Encrypts row `row` of ciphertexts, natively on all cores, with the system's random generator.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if there is no such row, [`Code::NoRandomness`].
    pub fn encrypt_row(&self, row: u32) -> Result<Vec<Limb>> {
        if row >= self.head.layout.rows() {
            return Err(Error::new(Code::BadArgument, "there is no such row of ciphertexts"));
        }
        let columns: Vec<u32> = (0..self.head.layout.columns()).collect();
        let groups: Vec<_> = columns.chunks(self.key.lanes()).collect();
        let encrypt = |group: &&[u32]| {
            let plaintexts: Vec<_> = group.iter().map(|&column| self.pack(column, row)).collect();
            self.key.encrypt_residues(&plaintexts, &mut random::system())
        };
        Ok(each(&groups, encrypt)?.concat())
    }

    /// The plaintext of ciphertext `(column, row)`.
    fn pack(&self, column: u32, row: u32) -> BigUint {
        let layout = &self.head.layout;
        let slot_bits = usize::from(layout.slot_bits);
        let mut bytes = vec![0u8; (layout.used_slots() as usize * slot_bits).div_ceil(8) + 1];
        for slot in 0..layout.used_slots() {
            let (channel, x, y) = layout.pixel(slot, column, row);
            let sample = self.sample(channel, x, y);
            // A sample has eight bits, so it touches two bytes at most.
            let bit = slot as usize * slot_bits;
            let [low, high] = (u16::from(sample) << (bit % 8)).to_le_bytes();
            bytes[bit / 8] |= low;
            bytes[bit / 8 + 1] |= high;
        }
        BigUint::from_bytes_le(&bytes)
    }

    fn sample(&self, channel: u8, x: i64, y: i64) -> u8 {
        let layout = &self.head.layout;
        let source = layout.border.source(x, layout.width).zip(layout.border.source(y, layout.height));
        source.map_or(0, |(x, y)| {
            let pixel = y as usize * layout.width as usize + x as usize;
            self.samples[pixel * usize::from(layout.channels) + usize::from(channel)]
        })
    }
}

/// Decrypts an encrypted image row by row. The rows are independent: several workers can share them.
pub struct ImageDecryptor<'a> {
    key: &'a SecretKey,
    head: &'a ImageHead,
}

impl<'a> ImageDecryptor<'a> {
    /// Prepares the decryption of an image.
    ///
    /// # Errors
    /// [`Code::ForeignKey`] if it is encrypted under another key.
    pub fn new(key: &'a SecretKey, head: &'a ImageHead) -> Result<Self> {
        if head.key != *key.public() {
            return Err(Error::new(
                Code::ForeignKey,
                format!(
                    "the image is encrypted under key {}, this key is {}; open the key that encrypted it",
                    head.key.id(),
                    key.public().id()
                ),
            ));
        }
        Ok(Self { key, head })
    }

    /// Decrypts one row of ciphertexts, natively on all cores: the values of the pixels, all slots of the first
    /// ciphertext, then of the second, and so on.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the row has the wrong length, [`Code::CiphertextNotUnit`], [`Code::Damaged`] if a value
    /// cannot be (the ciphertexts were changed by somebody who does not know the format).
    pub fn decrypt_row(&self, row: &[Limb]) -> Result<Vec<i32>> {
        let width = self.head.key.square().width();
        let layout = &self.head.layout;
        if row.len() != layout.columns() as usize * width {
            return Err(Error::new(Code::BadArgument, "the row does not fit the image"));
        }
        // Before any of them is decrypted: the arithmetic there needs units.
        let mut product = self.head.key.square().one().to_vec();
        self.head.key.gather_units(&mut product, row);
        self.head.key.check_units(&product)?;
        let groups: Vec<_> = row.chunks(width * self.key.lanes()).collect();
        let decrypt = |group: &&[Limb]| -> Result<Vec<i32>> {
            let plaintexts = self.key.decrypt_residues(group);
            let values = plaintexts.iter().map(|plaintext| self.unpack(plaintext));
            Ok(values.collect::<Result<Vec<_>>>()?.concat())
        };
        Ok(each(&groups, decrypt)?.concat())
    }

    fn unpack(&self, plaintext: &BigUint) -> Result<Vec<i32>> {
        let (layout, encoding) = (&self.head.layout, &self.head.encoding);
        let mask = (1u64 << layout.slot_bits) - 1;
        let mut bytes = plaintext.to_bytes_le();
        let slots = layout.used_slots() as usize;
        let length = (slots * usize::from(layout.slot_bits)).div_ceil(8);
        let beyond = plaintext.bits() > slots as u64 * u64::from(layout.slot_bits);
        bytes.resize(length.max(bytes.len()) + 8, 0);
        let mut values = Vec::with_capacity(slots);
        for slot in 0..slots {
            let bit = slot * usize::from(layout.slot_bits);
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[bit / 8..bit / 8 + 8]);
            // At most 48 bits of a slot after at most 7 bits of its neighbour.
            let number = u64::from_le_bytes(word) >> (bit % 8) & mask;
            let number = number.to_i64().unwrap_or(i64::MAX);
            let raw = number - encoding.bias;
            let value = i32::try_from(encoding.pixel(number)).ok();
            match value {
                Some(value) if !beyond && (encoding.low..=encoding.high).contains(&raw) => values.push(value),
                _ => {
                    return Err(Error::new(
                        Code::Damaged,
                        "the decrypted numbers are not pixels: the server did something else than its answer says",
                    ));
                }
            }
        }
        Ok(values)
    }
}

/// How values outside 0 to 255 are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Below 0 is black, above 255 is white.
    #[default]
    Clamp,
    /// `floor((value + 256) / 2)`, clamped: 0 is middle grey.
    Signed,
    /// The size without the sign, clamped.
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

    /// What is shown for a value.
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

/// The picture that decrypted rows are put on.
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

    /// Puts the values of row `row` of ciphertexts, as [`ImageDecryptor::decrypt_row`] gives them, where they belong.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if they do not fit the image.
    pub fn place(&mut self, row: u32, values: &[i32]) -> Result<()> {
        let layout = &self.layout;
        let slots = layout.used_slots() as usize;
        if row >= layout.rows() || values.len() != slots * layout.columns() as usize {
            return Err(Error::new(Code::BadArgument, "the row does not fit the image"));
        }
        let (tile_width, tile_height) = layout.tile();
        let (halo_x, halo_y) = (u32::from(layout.halo.0), u32::from(layout.halo.1));
        if row < halo_y || row >= halo_y + tile_height {
            return Ok(());
        }
        for (column, cell) in (0..).zip(values.chunks_exact(slots)) {
            if column < halo_x || column >= halo_x + tile_width {
                continue;
            }
            for (slot, &value) in (0..).zip(cell) {
                let (channel, x, y) = layout.pixel(slot, column, row);
                // Overhang beyond the photo's edge is dropped.
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

    /// The view chosen.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// The samples, interleaved, row by row: 8 bits of each in use, 16 in the view [`View::Exact16`].
    #[must_use]
    pub fn samples(&self) -> &[u16] {
        &self.samples
    }

    /// The samples in 8 bits; those of [`View::Exact16`] lose their lower half.
    #[must_use]
    pub fn samples8(&self) -> Vec<u8> {
        let shift = if self.view == View::Exact16 { 8 } else { 0 };
        self.samples.iter().map(|&sample| u8::try_from(sample >> shift).unwrap_or(u8::MAX)).collect()
    }
}

/// Calls `work` for each group of ciphertexts, on all cores where there are any.
fn each<G: Sync, T: Send>(groups: &[G], work: impl Fn(&G) -> Result<T> + Sync + Send) -> Result<Vec<T>> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        groups.par_iter().map(work).collect()
    }
    #[cfg(target_arch = "wasm32")]
    groups.iter().map(work).collect()
}
