//! The header of a frame: size, components, and what is known of them so far.

use super::super::{damaged, unsupported};
use crate::error::Result;
use crate::photo::Limits;

/// Stands for coefficients of which nothing was sent yet.
const NOTHING: u8 = u8::MAX;

/// A frame, coded by sequential or progressive DCT with Huffman codes, in 8 bits.
pub(super) struct Frame {
    /// In pixels.
    pub(super) width: u32,
    /// In pixels.
    pub(super) height: u32,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    /// Interleaved units in a row.
    pub(super) units_across: usize,
    /// Rows of interleaved units.
    pub(super) units_down: usize,
    /// Sequential with several components in one of several scans.
    pub(super) mixed: bool,
}

/// One plane of samples.
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) h: usize,
    pub(super) v: usize,
    pub(super) quantisation: usize,
    /// Blocks in a row that have samples.
    pub(super) across: usize,
    /// Rows of blocks that have samples.
    pub(super) down: usize,
    /// Blocks in a row of whole units.
    pub(super) stored_across: usize,
    /// Of a progressive frame: for each stored block, which coefficients are not zero.
    pub(super) history: Vec<u64>,
    /// Of a progressive frame: for each stored block, the squares of its coefficients, times their steps, added up.
    pub(super) energy: Vec<f32>,
    /// How many low bits of each coefficient have not been sent yet.
    pub(super) missing_bits: [u8; 64],
}

impl Frame {
    pub(super) fn parse(marker: u8, body: &[u8], limits: &Limits) -> Result<Self> {
        refuse_process(marker)?;
        let wrong = || damaged("its frame header is malformed");
        let (&[depth, h1, h0, w1, w0, count], rest) = body.split_first_chunk().ok_or_else(wrong)?;
        match depth {
            8 => {}
            12 => return Err(unsupported("JPEG files with 12 bits per sample")),
            _ => return Err(wrong()),
        }
        let (width, height) = (u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
        if height == 0 && width != 0 {
            return Err(unsupported("JPEG files with the height after the pixels"));
        }
        limits.check(width, height)?;
        let components: Vec<Component> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[id, sampling, quantisation]| Component::new(id, sampling, quantisation))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        if rest.len() != 3 * usize::from(count) || count == 0 {
            return Err(wrong());
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported("JPEG files with two colours, or more than four"));
        }
        let named_before = |i: usize| components[..i].iter().any(|other| other.id == components[i].id);
        if (0..components.len()).any(named_before) {
            return Err(unsupported("JPEG files with two colours of one name"));
        }
        let progressive = marker == 0xc2;
        let mut frame = Self { width, height, progressive, components, units_across: 0, units_down: 0, mixed: false };
        frame.measure();
        Ok(frame)
    }

    /// How many blocks there are.
    fn measure(&mut self) {
        let (width, height) = (self.width as usize, self.height as usize);
        // A single component is never interleaved, so its sampling means nothing.
        if let [only] = &mut self.components[..] {
            (only.h, only.v) = (1, 1);
        }
        let (most_h, most_v) = self.most();
        (self.units_across, self.units_down) = (width.div_ceil(8 * most_h), height.div_ceil(8 * most_v));
        for component in &mut self.components {
            let (h, v) = (component.h, component.v);
            component.across = (width * h).div_ceil(most_h).div_ceil(8);
            component.down = (height * v).div_ceil(most_v).div_ceil(8);
            component.stored_across = self.units_across * h;
            if self.progressive {
                component.history = vec![0; component.stored_across * self.units_down * v];
                component.energy = vec![0.0; component.history.len()];
            }
        }
    }

    fn most(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|component| component.h), most(|component| component.v))
    }

    /// How many components there are.
    pub(super) fn channels(&self) -> Option<u8> {
        u8::try_from(self.components.len()).ok()
    }

    /// Whether a scan of it was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.components.iter().any(|component| component.missing_bits[0] != NOTHING)
    }

    /// Whether every bit of every coefficient was sent.
    pub(super) fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing_bits == [0; 64])
    }

    /// What our decoder does not know, or gets wrong, if there is such a thing. It knows chroma that is sampled as luma or a
    /// whole number of times less, and black that is sampled as the first ink.
    pub(super) fn unusual(&self) -> Option<String> {
        let (most_h, most_v) = self.most();
        let full = |component: &Component| component.h == most_h && component.v == most_v;
        let divides = |component: &Component| most_h % component.h == 0 && most_v % component.v == 0;
        let sampled = match &self.components[..] {
            [] | [_] => true,
            [a, b, c] => full(a) && divides(b) && divides(c),
            [a, b, c, d] => full(a) && full(d) && divides(b) && (b.h, b.v) == (c.h, c.v),
            _ => false,
        };
        if !sampled {
            let factors: Vec<_> = self.components.iter().map(|part| format!("{}x{}", part.h, part.v)).collect();
            return Some(format!("the colour sampling {}", factors.join(", ")));
        }
        self.mixed.then(|| "some, but not all, of their colours in one scan".to_owned())
    }
}

impl Component {
    fn new(id: u8, sampling: u8, quantisation: u8) -> Option<Self> {
        let (h, v) = (usize::from(sampling >> 4), usize::from(sampling & 15));
        let allowed = (1..=4).contains(&h) && (1..=4).contains(&v) && quantisation < 4;
        allowed.then(|| Self {
            id,
            h,
            v,
            quantisation: quantisation.into(),
            across: 0,
            down: 0,
            stored_across: 0,
            history: Vec::new(),
            energy: Vec::new(),
            missing_bits: [NOTHING; 64],
        })
    }

    /// Takes note of what a scan sends: coefficients from `first` to `last`, of which it leaves `low` bits for later. Fails
    /// unless the bits above them, `high` of which were left, are those that are there already (0 for none).
    pub(super) fn receive(&mut self, first: usize, last: usize, high: u8, low: u8) -> Result<()> {
        let before = if high == 0 { NOTHING } else { high };
        if first > 0 && self.missing_bits[0] == NOTHING {
            return Err(damaged("its scans are in the wrong order"));
        }
        for missing in &mut self.missing_bits[first..=last] {
            if *missing != before {
                return Err(damaged("its scans are in the wrong order"));
            }
            *missing = low;
        }
        Ok(())
    }
}

/// Fails for the processes that are not known here.
fn refuse_process(marker: u8) -> Result<()> {
    let kind = match marker {
        0xc0..=0xc2 => return Ok(()),
        0xc3 | 0xcb => "lossless JPEG files",
        0xc9 | 0xca => "JPEG files with arithmetic coding",
        0xf7 => "JPEG-LS files",
        _ => "hierarchical JPEG files",
    };
    Err(unsupported(kind))
}
