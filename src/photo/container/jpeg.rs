//! The segments and scans of a JPEG file (ITU-T T.81), read to the last code word.
//!
//! Decoders fill in missing entropy-coded data, or continue with whatever a damaged code leads to, so a wrong picture would
//! pass as the photo. This walk follows the codes of every scan without computing a pixel. It supports sequential and
//! progressive files with Huffman codes; other kinds are named and refused.

mod bits;
mod frame;
mod more;
mod scan;
mod standard;

use std::ops::Range;

use self::bits::{Bits, Code, Fault};
use self::frame::Frame;
use self::more::Others;
use self::scan::Header;
pub(super) use self::standard::CODES as STANDARD_CODES;
use super::{Pixels, cut_short, damaged, unsupported};
use crate::error::Result;
use crate::photo::colour::Tags;
use crate::photo::{Limits, Notice};

pub(super) const MARK: &[u8] = b"\xff\xd8\xff";

/// The last marker of every file.
pub(super) const END: &[u8] = b"\xff\xd9";

/// The maximum number of scans in a file: programs that make small files use about twenty.
const MOST_SCANS: usize = 100;

/// Walks from marker to marker until the end-of-image marker, through the entropy-coded data of every scan.
pub(super) fn walk<'a>(bytes: &'a [u8], limits: &Limits, tags: &mut Tags) -> Result<(Pixels, Option<&'a [u8]>)> {
    let mut at = 2;
    let mut exif = None;
    let mut pixels = Pixels::default();
    keep(&mut pixels.parts, 0..at);
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let mut scans = 0;
    let mut others = Others::default();
    loop {
        let complete = frame.as_ref().is_some_and(Frame::is_complete);
        let Some(Segment { marker, start, body, end, stray }) = Segment::next(bytes, at)? else {
            if !complete {
                return Err(cut_short());
            }
            pixels.notices.push(Notice::EndMissing);
            break;
        };
        if stray {
            pixels.notice(Notice::StrayData);
        }
        at = end;
        let segment = &bytes[body.clone()];
        match marker {
            0xd9 if complete => {
                others.look_behind(&bytes[end..]);
                break;
            }
            0xd8 => return Err(damaged("another photo begins inside it")),
            0xd9 if scans == 0 => return Err(damaged("it holds no picture")),
            0xd9 => return Err(damaged("some of its scans are missing")),
            // C4, C8 and CC are not among the start-of-frame markers.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                let new = Frame::parse(marker, segment, limits)?;
                if frame.is_some() {
                    return Err(damaged("its size appears twice"));
                }
                (pixels.width, pixels.height) = (new.width, new.height);
                pixels.plain = new.channels().filter(|channels| matches!(channels, 1 | 3));
                if new.channels() == Some(4) {
                    // Any profile is for inks, or not for this file. It is not used for conversion.
                    pixels.notice(Notice::Cmyk);
                    tags.ignore_profile();
                }
                frame = Some(new);
            }
            0xde => return Err(unsupported("hierarchical JPEG files")),
            0xc4 => tables.define_codes(segment)?,
            0xdb => {
                tables.define_quantisation(segment)?;
                // A component keeps the steps that it began with. Our decoder would use the new ones for the whole component.
                if frame.as_ref().is_some_and(Frame::has_begun) {
                    pixels.unusual = Some("a quantisation table between two scans".to_owned());
                }
            }
            0xdd => tables.restart = u16::from_be_bytes(exactly(segment)?).into(),
            0xda => {
                let frame = frame.as_mut().ok_or_else(|| damaged("a scan precedes the size"))?;
                let header = Header::parse(segment, frame)?;
                if scans == 0 && !frame.progressive && tables.have_no_codes() {
                    // As in Motion JPEG, whose frames omit the standard codes.
                    tables.define_codes(&STANDARD_CODES[4..])?;
                    pixels.standard_codes = true;
                }
                scans += 1;
                if scans > MOST_SCANS {
                    return Err(unsupported("JPEG files with more than 100 scans"));
                }
                keep(&mut pixels.parts, start..end);
                let mut bits = Bits::new(bytes, end);
                scan::walk(frame, &header, &tables, &mut bits, &mut pixels).map_err(explain)?;
                at = bits.position();
                continue;
            }
            // Metadata of cameras and programs: names, places, small pictures, colour profiles. The segments of JFIF (E0) and
            // Adobe (EE) are kept, because they say how colours are stored.
            0xe1..=0xed | 0xef | 0xfe => {
                if marker == 0xe2 && scans == 0 {
                    tags.jpeg_segment(segment, body.start);
                    others.look_at(segment);
                }
                exif = segment.strip_prefix(b"Exif\0\0").filter(|_| marker == 0xe1 && scans == 0).or(exif);
                continue;
            }
            0xe0 | 0xee => {}
            // Markers without a segment, which have no meaning here; the number of lines, which is known; conditions of
            // arithmetic codes, which do not occur here; and extensions.
            0x01 | 0xcc | 0xd0..=0xd7 | 0xdc | 0xdf | 0xf0..=0xfd => continue,
            _ => return Err(damaged("it has a segment of an unknown kind")),
        }
        keep(&mut pixels.parts, start..end);
    }
    if others.left_out() {
        pixels.notice(Notice::OtherPictures);
    }
    pixels.unusual = pixels.unusual.or_else(|| frame.and_then(|frame| frame.unusual()));
    Ok((pixels, exif))
}

/// The tables that are defined before a scan.
#[derive(Default)]
struct Tables {
    dc: [Option<Box<Code>>; 4],
    ac: [Option<Box<Code>>; 4],
    /// The steps of coefficients, in the order in which the coefficients are sent.
    quantisation: [Option<Box<[u16; 64]>>; 4],
    /// The number of units between two restart markers; 0 if there are none.
    restart: usize,
}

impl Tables {
    fn have_no_codes(&self) -> bool {
        self.dc.iter().chain(&self.ac).all(Option::is_none)
    }

    fn define_codes(&mut self, mut rest: &[u8]) -> Result<()> {
        let wrong = || damaged("a Huffman table is malformed");
        while let Some((&[place, ref counts @ ..], after)) = rest.split_first_chunk::<17>() {
            let counts: [u8; 16] = *counts;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, after) = after.split_at_checked(total).ok_or_else(wrong)?;
            let tables = match place >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(wrong()),
            };
            let table = tables.get_mut(usize::from(place & 15)).ok_or_else(wrong)?;
            *table = Some(Box::new(Code::new(&counts, symbols).ok_or_else(wrong)?));
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { Err(wrong()) }
    }

    fn define_quantisation(&mut self, mut rest: &[u8]) -> Result<()> {
        let wrong = || damaged("a quantisation table is malformed");
        while let Some((&place, after)) = rest.split_first() {
            let bytes = match place >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(wrong()),
            };
            let (steps, after) = after.split_at_checked(64 * bytes).ok_or_else(wrong)?;
            let mut table = Box::new([0; 64]);
            for (step, bytes) in table.iter_mut().zip(steps.chunks_exact(bytes)) {
                *step = bytes.iter().fold(0, |high, &low| high << 8 | u16::from(low));
            }
            *self.quantisation.get_mut(usize::from(place & 15)).ok_or_else(wrong)? = Some(table);
            rest = after;
        }
        Ok(())
    }
}

/// A marker and its segment.
struct Segment {
    marker: u8,
    /// The position of the marker.
    start: usize,
    body: Range<usize>,
    end: usize,
    /// Whether there are stray bytes before it.
    stray: bool,
}

impl Segment {
    /// The next segment after this position, or `None` if the file ends before it does.
    fn next(bytes: &[u8], from: usize) -> Result<Option<Self>> {
        let mut start = from;
        let mut stray = false;
        let marker = loop {
            match bytes.get(start..) {
                // Any number of bytes FF may precede a marker.
                Some([0xff, 0xff, ..]) => {}
                Some([0xff, 0, ..]) => stray = true,
                Some(&[0xff, marker, ..]) => break marker,
                Some([0xff] | []) | None => return Ok(None),
                Some(_) => stray = true,
            }
            start += 1;
        };
        let end = start + 2;
        if matches!(marker, 0x01 | 0xd0..=0xd9) {
            return Ok(Some(Self { marker, start, body: end..end, end, stray }));
        }
        let Some(length) = bytes.get(end..).and_then(<[u8]>::first_chunk) else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length < 2 {
            return Err(damaged("a segment has no length"));
        }
        let body = end + 2..end + length;
        Ok((body.end <= bytes.len()).then_some(Self { marker, start, end: body.end, body, stray }))
    }
}

/// Adds a part of the file to the kept parts.
fn keep(parts: &mut Vec<Range<usize>>, part: Range<usize>) {
    match parts.last_mut() {
        Some(last) if last.end == part.start => last.end = part.end,
        _ => parts.push(part),
    }
}

/// A segment of a known length.
fn exactly<const N: usize>(segment: &[u8]) -> Result<[u8; N]> {
    segment.try_into().map_err(|_| damaged("a segment has the wrong length"))
}

fn explain(fault: Fault) -> crate::error::Error {
    damaged(match fault {
        Fault::Missing => "pixel data is missing",
        Fault::Wrong => "pixel data is invalid",
        Fault::Restart => "pixel data is missing or in the wrong order",
        Fault::NoTable => "a code table is missing",
    })
}
