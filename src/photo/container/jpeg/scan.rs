//! One scan: its header, and the codes of its blocks.

use std::ops::Range;

use super::super::{Pixels, damaged};
use super::bits::{Bits, Code, Fault};
use super::frame::{Component, Frame};
use super::{Tables, keep};
use crate::error::Result;
use crate::photo::Notice;

/// The maximum sum of the squares of a block's coefficients, times their steps. The DCT preserves lengths, so the coefficients
/// of 64 samples from -128 to 127 have a length of at most 1024, or 1272 if an encoder lets white overshoot by 31. Rounding to
/// steps at most doubles a coefficient: 2544. From 2896 on, decoders overflow, each in its own way.
const MOST_ENERGY: f32 = 2560.0 * 2560.0;

/// The header of a scan.
pub(super) struct Header {
    /// The components, by their index in the frame, with the numbers of their code tables.
    components: Vec<Selected>,
    /// The first coefficient.
    first: usize,
    /// The last coefficient.
    last: usize,
    /// For a scan that refines, the number of bits that the previous scan left; otherwise 0.
    high: u8,
    /// The number of bits that this scan leaves.
    low: u8,
}

struct Selected {
    place: usize,
    dc: usize,
    ac: usize,
}

impl Header {
    /// Reads the header, and records which coefficients the scan sends.
    pub(super) fn parse(body: &[u8], frame: &mut Frame) -> Result<Self> {
        let wrong = || damaged("the header of a scan is malformed");
        let (&count, rest) = body.split_first().ok_or_else(wrong)?;
        let (named, rest) = rest.split_at_checked(2 * usize::from(count)).ok_or_else(wrong)?;
        let &[first, last, bits] = rest else { return Err(wrong()) };
        let mut components: Vec<Selected> = Vec::new();
        for &[id, tables] in named.as_chunks().0 {
            let place = frame.components.iter().position(|component| component.id == id).ok_or_else(wrong)?;
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            if dc > 3 || ac > 3 || components.iter().any(|other| other.place == place) {
                return Err(wrong());
            }
            components.push(Selected { place, dc, ac });
        }
        let blocks: usize = components.iter().map(|c| frame.components[c.place].h * frame.components[c.place].v).sum();
        let several = components.len() > 1;
        let (first, last, high, low) = (usize::from(first), usize::from(last), bits >> 4, bits & 15);
        let allowed = if frame.progressive {
            let band = if first == 0 { last == 0 } else { !several && (first..64).contains(&last) };
            band && low < 14 && (high == 0 || high == low + 1)
        } else {
            (first, last, high, low) == (0, 63, 0, 0)
        };
        if components.is_empty() || !allowed || (several && blocks > 10) {
            return Err(wrong());
        }
        for selected in &components {
            frame.components[selected.place].receive(first, last, high, low)?;
        }
        frame.mixed |= !frame.progressive && several && components.len() < frame.components.len();
        Ok(Self { components, first, last, high, low })
    }
}

/// Follows the codes of a scan to its last block, and keeps the parts of the file that the scan needs.
pub(super) fn walk(
    frame: &mut Frame,
    header: &Header,
    tables: &Tables,
    bits: &mut Bits<'_>,
    pixels: &mut Pixels,
) -> Result<(), Fault> {
    let (units_across, units_down) = (frame.units_across, frame.units_down);
    let needed = Needed::new(header, frame, tables)?;
    let mut from = bits.position();
    let mut blocks = Blocks { bits, header, run: 0, before: [0; 4], beyond: false };
    let mut done = 0;
    let mut restarts = 0u8;
    let mut leave = |left: Option<Range<usize>>, from: &mut usize| {
        if let Some(left) = left {
            pixels.notice(Notice::StrayData);
            keep(&mut pixels.parts, *from..left.start);
            *from = left.end;
        }
    };
    let mut before_unit = |blocks: &mut Blocks<'_, '_>| -> Result<(), Fault> {
        if tables.restart > 0 && done == tables.restart {
            let left = blocks.restart(restarts)?;
            leave(left, &mut from);
            restarts = (restarts + 1) % 8;
            done = 0;
        }
        done += 1;
        Ok(())
    };
    if let [code] = &needed[..] {
        let component = &mut frame.components[code.place];
        for y in 0..component.down {
            for x in 0..component.across {
                before_unit(&mut blocks)?;
                blocks.follow(code, component, y * component.stored_across + x)?;
            }
        }
    } else {
        for unit_y in 0..units_down {
            for unit_x in 0..units_across {
                before_unit(&mut blocks)?;
                for code in &needed {
                    let component = &mut frame.components[code.place];
                    let (h, v) = (component.h, component.v);
                    for y in unit_y * v..(unit_y + 1) * v {
                        for x in unit_x * h..(unit_x + 1) * h {
                            blocks.follow(code, component, y * component.stored_across + x)?;
                        }
                    }
                }
            }
        }
    }
    let left = blocks.finish()?;
    let (end, beyond) = (blocks.bits.position(), blocks.beyond);
    leave(left, &mut from);
    keep(&mut pixels.parts, from..end);
    if beyond {
        pixels.notice(Notice::BeyondRange);
    }
    Ok(())
}

/// The codes of one component in a scan.
struct Needed<'a> {
    place: usize,
    dc: Option<&'a Code>,
    ac: Option<&'a Code>,
    steps: &'a [u16; 64],
}

impl<'a> Needed<'a> {
    fn new(header: &Header, frame: &Frame, tables: &'a Tables) -> Result<Vec<Self>, Fault> {
        let needs_dc = header.first == 0 && header.high == 0;
        let needs_ac = header.last > 0;
        let codes = |selected: &Selected| {
            let dc = tables.dc[selected.dc].as_deref().filter(|code| needs_dc && code.has_sizes_only());
            let ac = tables.ac[selected.ac].as_deref().filter(|_| needs_ac);
            let steps = tables.quantisation[frame.components[selected.place].quantisation].as_deref();
            let steps = steps.filter(|_| dc.is_some() == needs_dc && ac.is_some() == needs_ac);
            steps.map(|steps| Self { place: selected.place, dc, ac, steps }).ok_or(Fault::NoTable)
        };
        header.components.iter().map(codes).collect()
    }
}

/// Follows codes from block to block.
struct Blocks<'b, 'a> {
    bits: &'b mut Bits<'a>,
    header: &'b Header,
    /// The number of blocks from here on in which the band has nothing new.
    run: u32,
    /// The first coefficient of each component's previous block.
    before: [i64; 4],
    /// Whether a block had more energy than any picture yields.
    beyond: bool,
}

impl Blocks<'_, '_> {
    fn follow(&mut self, code: &Needed<'_>, component: &mut Component, at: usize) -> Result<(), Fault> {
        let high = self.header.high;
        match (code.dc, code.ac) {
            (Some(dc), ac) => {
                let mut energy = squared(self.first_coefficient(dc, code.place)?, code.steps[0]);
                ac.map_or(Ok(()), |ac| self.sequential(ac, code.steps, &mut energy))?;
                self.weigh(energy, component.energy.get_mut(at));
                Ok(())
            }
            (None, Some(ac)) => {
                let history = component.history.get_mut(at).ok_or(Fault::Wrong)?;
                let mut energy = 0.0;
                if high == 0 {
                    self.band(ac, code.steps, history, &mut energy)?;
                } else {
                    self.refined_band(ac, code.steps, history, &mut energy)?;
                }
                self.weigh(energy, component.energy.get_mut(at));
                Ok(())
            }
            (None, None) => self.bits.skip(1),
        }
    }

    /// Adds energy to that of the block, if this is kept, and checks whether it is too much.
    fn weigh(&mut self, energy: f32, kept: Option<&mut f32>) {
        let sum = match kept {
            Some(kept) => {
                *kept += energy;
                *kept
            }
            None => energy,
        };
        self.beyond |= sum > MOST_ENERGY;
    }

    /// Reads the first coefficient, which is sent as the difference from that of the previous block.
    fn first_coefficient(&mut self, dc: &Code, place: usize) -> Result<i64, Fault> {
        let size = self.bits.symbol(dc)?;
        let difference = self.signed(size)?;
        let before = self.before.get_mut(place).ok_or(Fault::Wrong)?;
        *before += difference;
        Ok(*before << self.header.low)
    }

    /// The size of a coefficient whose bits follow. The bits that are left for later are estimated by half their range.
    fn coefficient(&mut self, size: u8) -> Result<i64, Fault> {
        let sent = self.signed(size)?.abs();
        Ok(self.estimated(sent))
    }

    /// The number that the following bits encode (T.81, figure F.12).
    fn signed(&mut self, size: u8) -> Result<i64, Fault> {
        let bits = i64::from(self.bits.take(size.into())?);
        let negative = size > 0 && bits >> (size - 1) == 0;
        Ok(if negative { bits + 1 - (1 << size) } else { bits })
    }

    fn estimated(&self, sent: i64) -> i64 {
        (sent << self.header.low) + (1 << self.header.low) / 2
    }

    /// Reads all coefficients of a sequential frame except the first.
    fn sequential(&mut self, ac: &Code, steps: &[u16; 64], energy: &mut f32) -> Result<(), Fault> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.bits.symbol(ac)?;
            let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            match (zeros, size) {
                (0, 0) => return Ok(()),
                (15, 0) => k += 16,
                (_, 0) => return Err(Fault::Wrong),
                _ => {
                    let step = *steps.get(k + zeros).ok_or(Fault::Wrong)?;
                    k += zeros + 1;
                    *energy += squared(self.coefficient(size)?, step);
                }
            }
        }
        if k == 64 { Ok(()) } else { Err(Fault::Wrong) }
    }

    /// Reads the first bits of a band's coefficients (T.81, G.1.2.2).
    fn band(&mut self, ac: &Code, steps: &[u16; 64], history: &mut u64, energy: &mut f32) -> Result<(), Fault> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(());
        }
        let last = self.header.last;
        let mut k = self.header.first;
        while k <= last {
            let symbol = self.bits.symbol(ac)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            match (zeros, size) {
                (15, 0) => k += 16,
                (_, 0) => {
                    self.run = self.run_length(zeros)? - 1;
                    return Ok(());
                }
                _ => {
                    k += usize::from(zeros);
                    if k > last {
                        return Err(Fault::Wrong);
                    }
                    *energy += squared(self.coefficient(size)?, steps[k]);
                    *history |= 1 << k;
                    k += 1;
                }
            }
        }
        if k == last + 1 { Ok(()) } else { Err(Fault::Wrong) }
    }

    /// Reads one more bit of a band's coefficients (T.81, G.1.2.3). The bits of coefficients that are not zero stand in the
    /// data where the codes of the other coefficients pass them.
    fn refined_band(&mut self, ac: &Code, steps: &[u16; 64], history: &mut u64, energy: &mut f32) -> Result<(), Fault> {
        let last = self.header.last;
        let mut k = self.header.first;
        while self.run == 0 && k <= last {
            let symbol = self.bits.symbol(ac)?;
            let (mut zeros, size) = (symbol >> 4, symbol & 15);
            match (zeros, size) {
                (_, 1) => self.bits.skip(1)?,
                (15, 0) => {}
                (_, 0) => {
                    self.run = self.run_length(zeros)?;
                    break;
                }
                _ => return Err(Fault::Wrong),
            }
            while k <= last {
                if *history >> k & 1 == 1 {
                    self.bits.skip(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size == 1 {
                if k > last {
                    return Err(Fault::Wrong);
                }
                *history |= 1 << k;
                *energy += squared(self.estimated(1), steps[k]);
            }
            k += 1;
        }
        if self.run > 0 {
            let band = *history >> k & (u64::MAX >> (63 - last.saturating_sub(k)));
            for _ in 0..if k <= last { band.count_ones() } else { 0 } {
                self.bits.skip(1)?;
            }
            self.run -= 1;
        }
        Ok(())
    }

    /// The number of blocks in which a band ends here, including this one.
    fn run_length(&mut self, bits: u8) -> Result<u32, Fault> {
        Ok((1 << bits) + self.bits.take(bits.into())?)
    }

    fn restart(&mut self, number: u8) -> Result<Option<Range<usize>>, Fault> {
        if self.run > 0 {
            return Err(Fault::Wrong);
        }
        self.before = [0; 4];
        self.bits.restart(number)
    }

    fn finish(&mut self) -> Result<Option<Range<usize>>, Fault> {
        if self.run > 0 {
            return Err(Fault::Wrong);
        }
        Ok(self.bits.finish())
    }
}

/// The square of a coefficient times its step.
#[expect(clippy::cast_precision_loss, reason = "what is that large is too large")]
fn squared(coefficient: i64, step: u16) -> f32 {
    let value = coefficient as f32 * f32::from(step);
    value * value
}
