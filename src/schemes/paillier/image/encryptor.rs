//! Encrypts photos as rows of ciphertexts.

use std::sync::Arc;

use num_bigint::BigUint;

use super::each;
use crate::error::{Code, Error, Result};
use crate::math::comb::Lookup;
use crate::math::montgomery::Limb;
use crate::math::random;
use crate::photo::Photo;
use crate::schemes::paillier::kernel::gaussian_sum;
use crate::schemes::paillier::layout::bits_for;
use crate::schemes::paillier::secret::Masks;
use crate::schemes::paillier::secret::masks::MaskSeed;
use crate::schemes::paillier::{Border, Encoding, EncryptionKey, Filter, ImageHead, Layout, Origin, SecretKey};

/// Options for the encryption of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptOptions {
    /// How to fill the pixels outside the photo.
    pub border: Border,
    /// Pixels around each tile, horizontally and vertically: the largest reach of a filter.
    pub halo: (u16, u16),
    /// The width of a slot in bits, with room for the filter's weights.
    pub slot_bits: u8,
    /// How to read the tables of the owner's key.
    pub lookup: Lookup,
}

impl EncryptOptions {
    /// Options with room for every built-in filter of this radius: a mean, a Gaussian, and for radius 1 the derivatives.
    #[must_use]
    pub fn for_halo(halo: (u16, u16), border: Border) -> Self {
        let largest = 255 * gaussian_sum(halo.0) * gaussian_sum(halo.1);
        Self { border, halo, slot_bits: bits_for(largest).max(8), lookup: Lookup::Direct }
    }

    /// Options with exactly the room that this filter needs.
    ///
    /// # Errors
    /// [`Code::SlotOverflow`] if no slot is wide enough.
    pub fn for_filter(filter: &Filter, border: Border) -> Result<Self> {
        Ok(Self { border, halo: filter.radius(), slot_bits: filter.slot_bits()?, lookup: Lookup::Direct })
    }
}

/// Encrypts a photo row by row. The rows are independent: several workers can share them.
pub struct ImageEncryptor {
    key: EncryptionKey,
    head: ImageHead,
    samples: Vec<u8>,
    seed: Option<MaskSeed>,
}

impl ImageEncryptor {
    /// Prepares the encryption of a photo, without its alpha channel.
    ///
    /// # Errors
    /// [`Code::ImageTooLarge`], [`Code::BadArgument`] for invalid options, [`Code::NoRandomness`].
    pub fn new(key: EncryptionKey, photo: &Photo, options: &EncryptOptions) -> Result<Self> {
        Self::with_origin(key, photo, options, Origin::random()?)
    }

    /// Prepares the encryption in one of several workers that share a new origin. **Never use an origin for two photos**: if
    /// two photos have masks of the same origin, anyone can see where the photos differ.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_origin(key: EncryptionKey, photo: &Photo, options: &EncryptOptions, origin: Origin) -> Result<Self> {
        let layout = Layout::plan(
            (photo.width(), photo.height()),
            photo.channels(),
            options.border,
            options.halo,
            options.slot_bits,
            key.public().bits(),
        )?;
        Encoding::SAMPLES.check(options.slot_bits)?;
        let mut head = ImageHead {
            key: Arc::clone(key.public()),
            layout,
            encoding: Encoding::SAMPLES,
            history: String::new(),
            origins: vec![Origin::UNKNOWN],
        };
        let mut seed = None;
        if let EncryptionKey::Owner(key) = &key
            && key.derives_masks()
        {
            key.prepare(head.ciphertexts(), options.lookup);
            seed = Some(key.mask_seed(&origin)?);
            head.origins = vec![origin];
        }
        Ok(Self { key, head, samples: photo.samples().to_vec(), seed })
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
        self.encrypt_groups(row, |key, first, count| match &self.seed {
            Some(seed) => key.masks(&(first..first + count).map(|i| seed.exponents(i)).collect::<Result<Vec<_>>>()?),
            None => key.random_masks(usize::try_from(count).unwrap_or(usize::MAX), &mut random::system()),
        })
    }

    /// Encrypts a row with masks that [`SecretKey::prepare_masks`] made for it: one per column, starting with ciphertext number
    /// `row * columns` of the same origin.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if there is no such row, the number of masks is wrong, or the key cannot derive masks.
    pub fn encrypt_row_with(&self, row: u32, masks: &[u8]) -> Result<Vec<Limb>> {
        let start = u64::from(row) * u64::from(self.head.layout.columns());
        self.encrypt_groups(row, |key, first, count| {
            let unfit = || Error::new(Code::BadArgument, "the prepared masks do not fit the row");
            if self.seed.is_none() || masks.len() != key.mask_bytes() * self.head.layout.columns() as usize {
                return Err(unfit());
            }
            let index = |number: u64| usize::try_from(number - start).map(|i| i * key.mask_bytes());
            let range = index(first).and_then(|from| Ok(from..index(first + count)?)).map_err(|_| unfit())?;
            Ok(key.read_masks(&masks[range]))
        })
    }

    fn encrypt_groups(
        &self,
        row: u32,
        masks: impl Fn(&SecretKey, u64, u64) -> Result<Masks> + Sync + Send,
    ) -> Result<Vec<Limb>> {
        let columns = self.head.layout.columns();
        if row >= self.head.layout.rows() {
            return Err(Error::new(Code::BadArgument, "there is no such row of ciphertexts"));
        }
        let all: Vec<u32> = (0..columns).collect();
        let groups: Vec<_> = all.chunks(self.key.lanes()).collect();
        let encrypt = |group: &&[u32]| {
            let plaintexts: Vec<_> = group.iter().map(|&column| self.pack(column, row)).collect();
            match &self.key {
                EncryptionKey::Public(key) => key.encrypt_residues(&plaintexts, &mut random::system()),
                EncryptionKey::Owner(key) => {
                    let first = u64::from(row) * u64::from(columns) + u64::from(group[0]);
                    Ok(key.seal(&plaintexts, masks(key, first, group.len() as u64)?))
                }
            }
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
            // A sample has eight bits, so it spans at most two bytes.
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
