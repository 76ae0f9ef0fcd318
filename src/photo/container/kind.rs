//! Files of other kinds, recognised by their first bytes, so that an error can name an intact file correctly.

use crate::error::{Code, Error};
use crate::json::unmarked;

/// The error for a file that is neither PNG, JPEG nor WebP.
pub(super) fn refuse(bytes: &[u8]) -> Error {
    let message = if bytes.is_empty() {
        "the file is empty; choose a PNG, JPEG or WebP photo".to_owned()
    } else if let Some((name, kind)) = recognise(bytes) {
        let advice = match kind {
            Kind::Picture => "save it as PNG or JPEG and choose that file",
            Kind::Raw => "export it as PNG or JPEG from a program for raw photos and choose that file",
            Kind::Video => "choose a photo, or save a frame as PNG or JPEG",
            Kind::Drawing => "export it as PNG and choose that file",
            Kind::Other => "choose a PNG, JPEG or WebP photo",
        };
        format!("the file is {name}, not a PNG, JPEG or WebP photo; {advice}")
    } else {
        "the file is not a PNG, JPEG or WebP photo; save it as one of these".to_owned()
    };
    Error::new(Code::UnsupportedImage, message)
}

/// The purpose of a file, which decides what to do with it.
#[derive(Clone, Copy)]
enum Kind {
    Picture,
    Raw,
    Video,
    Drawing,
    Other,
}

/// The first bytes of files of each kind, their name, and their purpose.
const STARTS: &[(&[u8], &str, Kind)] = &[
    (b"GIF8", "a GIF picture", Kind::Picture),
    (b"BM", "a BMP picture", Kind::Picture),
    (b"8BPS", "a Photoshop document (PSD)", Kind::Picture),
    (b"gimp xcf", "a GIMP picture (XCF)", Kind::Picture),
    (b"\0\0\x01\0", "an icon (ICO)", Kind::Picture),
    (b"\xff\x0a", "a JPEG XL photo", Kind::Picture),
    (b"\0\0\0\x0cJXL ", "a JPEG XL photo", Kind::Picture),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 photo", Kind::Picture),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 photo", Kind::Picture),
    (b"II\xbc\x01", "a JPEG XR photo", Kind::Picture),
    (b"\x8aMNG", "an MNG animation", Kind::Picture),
    (b"\x8bJNG", "a JNG picture", Kind::Picture),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture", Kind::Picture),
    (b"#?RADIANCE", "a Radiance HDR picture", Kind::Picture),
    (b"qoif", "a QOI picture", Kind::Picture),
    (b"DDS ", "a DDS texture", Kind::Picture),
    (b"farbfeld", "a farbfeld picture", Kind::Picture),
    (b"FUJIFILMCCD-RAW", "a raw photo (RAF)", Kind::Raw),
    (b"IIRO", "a raw photo (ORF)", Kind::Raw),
    (b"IIRS", "a raw photo (ORF)", Kind::Raw),
    (b"MMOR", "a raw photo (ORF)", Kind::Raw),
    (b"IIU\0", "a raw photo (RW2)", Kind::Raw),
    (b"FOVb", "a raw photo (X3F)", Kind::Raw),
    (b"\0MRM", "a raw photo (MRW)", Kind::Raw),
    (b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", Kind::Video),
    (b"%PDF", "a PDF document", Kind::Drawing),
    (b"%!PS", "a PostScript document", Kind::Drawing),
    (b"<svg", "an SVG drawing", Kind::Drawing),
    (b"<!DOCTYPE svg", "an SVG drawing", Kind::Drawing),
    (b"<!DOCTYPE html", "a web page", Kind::Other),
    (b"<!doctype html", "a web page", Kind::Other),
    (b"<html", "a web page", Kind::Other),
    (b"PK\x03\x04", "a ZIP archive or an office document", Kind::Other),
    (b"\x1f\x8b", "a gzip archive", Kind::Other),
    (b"7z\xbc\xaf", "a 7z archive", Kind::Other),
    (b"Rar!", "a RAR archive", Kind::Other),
];

fn recognise(bytes: &[u8]) -> Option<(&'static str, Kind)> {
    let text = unmarked(bytes).trim_ascii_start();
    let start = STARTS.iter().find(|(start, ..)| bytes.starts_with(start) || text.starts_with(start));
    let found = start.map(|&(_, name, kind)| (name, kind));
    found.or_else(|| media(bytes)).or_else(|| riff(bytes)).or_else(|| tiff(bytes)).or_else(|| others(bytes, text))
}

/// The files of ISO's base media format, by the first brand that they name.
fn media(bytes: &[u8]) -> Option<(&'static str, Kind)> {
    let brand = bytes.get(8..12).filter(|_| bytes.get(4..8) == Some(b"ftyp"))?;
    Some(match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            ("a HEIC photo", Kind::Picture)
        }
        b"mif1" | b"mif2" | b"msf1" | b"miaf" => match bytes.get(12..64) {
            Some(more) if more.as_chunks().0.contains(b"avif") => ("an AVIF photo", Kind::Picture),
            _ => ("a HEIF photo", Kind::Picture),
        },
        b"avif" | b"avis" => ("an AVIF photo", Kind::Picture),
        b"crx " => ("a raw photo (CR3)", Kind::Raw),
        b"qt  " => ("a QuickTime video (MOV)", Kind::Video),
        b"jxl " => ("a JPEG XL photo", Kind::Picture),
        b"M4A " | b"M4B " => ("a sound file", Kind::Other),
        _ => ("an MP4 video", Kind::Video),
    })
}

/// RIFF files other than WebP.
fn riff(bytes: &[u8]) -> Option<(&'static str, Kind)> {
    Some(match bytes.get(8..12).filter(|_| bytes.starts_with(b"RIFF"))? {
        b"AVI " => ("an AVI video", Kind::Video),
        b"WAVE" => ("a sound file", Kind::Other),
        _ => return None,
    })
}

/// TIFF files, which include most raw photos: by the camera's maker, or by a special mark.
fn tiff(bytes: &[u8]) -> Option<(&'static str, Kind)> {
    let little = match bytes.first_chunk::<4>()? {
        b"II\x2a\0" => true,
        b"MM\0\x2a" => false,
        b"II\x2b\0" | b"MM\0\x2b" => return Some(("a TIFF picture", Kind::Picture)),
        _ => return None,
    };
    if bytes.get(8..10) == Some(b"CR") {
        return Some(("a raw photo (CR2)", Kind::Raw));
    }
    let two = |at: usize| {
        let pair = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let four = |at: usize| {
        let value = *bytes.get(at..)?.first_chunk::<4>()?;
        usize::try_from(if little { u32::from_le_bytes(value) } else { u32::from_be_bytes(value) }).ok()
    };
    let (mut maker, mut digital_negative) = (&[][..], false);
    if let Some(directory) = four(4) {
        for entry in 0..two(directory).unwrap_or(0).min(512) {
            let at = directory.saturating_add(2 + 12 * usize::from(entry));
            match two(at) {
                // Make, of more than four letters; and DNGVersion.
                Some(271) => maker = four(at + 8).and_then(|place| bytes.get(place..)).unwrap_or_default(),
                Some(50_706) => digital_negative = true,
                Some(_) => {}
                None => break,
            }
        }
    }
    let makers: [(&[u8], &str); 6] = [
        (b"NIKON", "a raw photo (NEF)"),
        (b"SONY", "a raw photo (ARW)"),
        (b"PENTAX", "a raw photo (PEF)"),
        (b"SAMSUNG", "a raw photo (SRW)"),
        (b"KODAK", "a raw photo (DCR)"),
        (b"Hasselblad", "a raw photo (3FR)"),
    ];
    Some(if digital_negative {
        ("a raw photo (DNG)", Kind::Raw)
    } else if let Some((_, name)) = makers.into_iter().find(|(name, _)| maker.starts_with(name)) {
        // Scanners and photo programs of the same makers write ordinary pictures, too. They are not distinguished, because the
        // advice is the same.
        (name, Kind::Raw)
    } else {
        ("a TIFF picture", Kind::Picture)
    })
}

/// Formats with more than one start: the portable ones (PBM to PAM), and drawings after an XML declaration.
fn others(bytes: &[u8], text: &[u8]) -> Option<(&'static str, Kind)> {
    let head = &text[..text.len().min(1024)];
    match bytes {
        [b'P', b'1'..=b'7', space, ..] if space.is_ascii_whitespace() => {
            Some(("a portable pixmap (PNM)", Kind::Picture))
        }
        _ if head.starts_with(b"<?xml") && head.windows(4).any(|four| four == b"<svg") => {
            Some(("an SVG drawing", Kind::Drawing))
        }
        _ => None,
    }
}
