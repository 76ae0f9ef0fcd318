//! Checks of the first bytes of an upload, so that unusable uploads end there and are not received in full.

use std::cmp::Ordering;

use image::ImageFormat;

use super::upload::Check;
use crate::error::{Code, Error, Result};
use crate::photo::{Limits, Photo};
use crate::schemes::paillier::{Filter, stream};
use crate::server::queue::task::form::{LONGEST_PART_HEADER, long_part_header};
use crate::server::store::models::{self, LONGEST_HEADER};
use crate::wire::{Kind, PROLOGUE_BYTES, Prologue};

/// No check needs more bytes than this.
const MOST: usize = if LONGEST_PART_HEADER > LONGEST_HEADER { LONGEST_PART_HEADER } else { LONGEST_HEADER };

/// Encrypted images for a filter, one after the other: their headers are read and compared with the limits.
pub(super) struct Images {
    filter: Filter,
    limits: stream::Limits,
    /// The number of images still to come.
    left: usize,
    /// The number of bytes still to come of the image whose header was read.
    rest: u64,
    head: Vec<u8>,
}

impl Images {
    pub(super) fn new(filter: Filter, limits: stream::Limits) -> Self {
        Self { left: filter.inputs(), filter, limits, rest: 0, head: Vec::new() }
    }

    /// The length of the next header in bytes, as far as it is known.
    fn wanted(&self) -> Result<usize> {
        if self.head.len() < PROLOGUE_BYTES {
            return Ok(PROLOGUE_BYTES);
        }
        Ok(Prologue::parse(&self.head)?.total_bytes())
    }

    fn header_read(&mut self) -> Result<()> {
        let length = stream::check_header(&self.head, &self.filter, &self.limits)?;
        self.rest = length - self.head.len() as u64;
        self.left -= 1;
        self.head.clear();
        Ok(())
    }
}

impl Check for Images {
    fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let skipped = bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
            self.rest -= skipped as u64;
            bytes = &bytes[skipped..];
            // Extra data after the last image is found when the whole upload is read, because a frame before it may be
            // damaged.
            if bytes.is_empty() || self.left == 0 {
                break;
            }
            let (taken, others) = bytes.split_at(bytes.len().min(self.wanted()? - self.head.len()));
            self.head.extend(taken);
            bytes = others;
            if self.head.len() < PROLOGUE_BYTES {
                mark(&self.head)?;
            } else if self.head.len() == self.wanted()? {
                self.header_read()?;
            }
        }
        Ok(())
    }
}

/// Checks the first bytes of an upload, as many as `look` needs.
pub(super) struct First<F> {
    head: Vec<u8>,
    look: Option<F>,
}

impl<F> First<F>
where
    F: FnMut(&[u8]) -> Result<Seen> + Send + 'static,
{
    pub(super) fn new(look: F) -> Self {
        Self { head: Vec::new(), look: Some(look) }
    }
}

/// The result of checking the first bytes.
pub(super) enum Seen {
    /// More bytes are needed.
    TooLittle,
    Enough,
}

impl<F> Check for First<F>
where
    F: FnMut(&[u8]) -> Result<Seen> + Send + 'static,
{
    fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(look) = &mut self.look else { return Ok(()) };
        let room = MOST - self.head.len();
        self.head.extend(&bytes[..bytes.len().min(room)]);
        if matches!(look(&self.head)?, Seen::Enough) || self.head.len() == MOST {
            self.look = None;
            self.head = Vec::new();
        }
        Ok(())
    }
}

/// Checks for a Safelight file of one of these kinds.
pub(super) fn file(kinds: &'static [Kind]) -> impl FnMut(&[u8]) -> Result<Seen> + Send + 'static {
    move |head| {
        if head.len() < PROLOGUE_BYTES {
            return mark(head).map(|()| Seen::TooLittle);
        }
        let kind = Prologue::parse(head)?.kind;
        if kinds.contains(&kind) {
            return Ok(Seen::Enough);
        }
        let wanted: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let message = format!("this file is of kind {}, but {} is needed here", kind.as_str(), wanted.join(" or "));
        Err(Error::new(Code::WrongKind, message))
    }
}

/// Checks for the file of a model or a network. `announced` is the length of the upload, if that is known.
pub(super) fn model(announced: Option<u64>) -> impl FnMut(&[u8]) -> Result<Seen> + Send + 'static {
    let mut kinds = file(&[Kind::Model, Kind::Network]);
    move |head| {
        if let Seen::TooLittle = kinds(head)? {
            return Ok(Seen::TooLittle);
        }
        let Some(size) = models::size(head)? else {
            // The headers of both kinds are much shorter than the bytes that are examined.
            return if head.len() < LONGEST_HEADER { Ok(Seen::TooLittle) } else { Err(no_header()) };
        };
        match announced.map(|announced| announced.cmp(&size.bytes)) {
            Some(Ordering::Less) => {
                Err(Error::new(Code::Truncated, "the data is cut short; send or copy the whole file again"))
            }
            Some(Ordering::Greater) => Err(trailing()),
            Some(Ordering::Equal) | None => Ok(Seen::Enough),
        }
    }
}

/// Checks for a photo file.
pub(super) fn picture(limits: Limits) -> impl FnMut(&[u8]) -> Result<Seen> + Send + 'static {
    move |head| {
        if head.len() < 16 {
            return Ok(Seen::TooLittle);
        }
        match image::guess_format(head) {
            Ok(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) => Ok(Seen::Enough),
            _ => match Photo::decode(head, &limits) {
                Err(error) if error.kind() == Code::UnsupportedImage => Err(error),
                // Reading the whole file gives a better error.
                _ => Ok(Seen::Enough),
            },
        }
    }
}

/// Checks for a form with this boundary: it begins with the boundary, and the header of its first part has an end.
pub(super) fn form(boundary: &str) -> impl FnMut(&[u8]) -> Result<Seen> + Send + 'static {
    let start = format!("--{boundary}");
    move |head| {
        // A line break may stand before the first boundary.
        let bytes = head.strip_prefix(b"\r\n").unwrap_or(head);
        let known = bytes.len().min(start.len());
        if bytes[..known] != start.as_bytes()[..known] && !b"\r\n".starts_with(head) {
            let message = "the form does not start with the boundary in Content-Type; send it again";
            return Err(Error::new(Code::BadArgument, message));
        }
        let ended = bytes.windows(4).any(|four| four == b"\r\n\r\n") || bytes[known..].starts_with(b"--");
        match ended {
            true => Ok(Seen::Enough),
            false if head.len() >= LONGEST_PART_HEADER => Err(long_part_header()),
            false => Ok(Seen::TooLittle),
        }
    }
}

/// Checks that a file with these first few bytes can be a Safelight file.
fn mark(head: &[u8]) -> Result<()> {
    match Prologue::parse(head) {
        Err(error) if error.kind() != Code::Truncated => Err(error),
        _ => Ok(()),
    }
}

fn trailing() -> Error {
    Error::new(Code::TrailingData, "there is extra data after the end of the file; send it alone")
}

fn no_header() -> Error {
    Error::new(Code::BadHeader, "the header of the file is too long for its kind")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::MAGIC;

    fn code(check: &mut dyn Check, pieces: &[&[u8]]) -> Option<Code> {
        pieces.iter().find_map(|piece| check.push(piece).err()).map(|error| error.kind())
    }

    #[test]
    fn files_of_others_and_of_other_kinds_end_at_once() {
        let model = || First::new(file(&[Kind::Model, Kind::Network]));
        assert_eq!(code(&mut model(), &[b"\x89", b"SLT\r"]), None, "it may still become one");
        assert_eq!(code(&mut model(), &[b"\x89", b"PNG"]), Some(Code::NotSafelight));
        assert_eq!(code(&mut model(), &[b"\x89SLT\r\n\x1a\n\x09\x00\x05\x03\0\0\0\0"]), Some(Code::UnsupportedVersion));
        let image = [&MAGIC[..], &[1, 0, 3, 1, 0, 0, 0, 0]].concat();
        assert_eq!(code(&mut model(), &[&image]), Some(Code::WrongKind));
        let network = [&MAGIC[..], &[1, 0, 13, 3, 4, 0, 0, 0]].concat();
        assert_eq!(code(&mut model(), &[&network[..3], &network[3..]]), None);
    }

    #[test]
    fn forms_begin_with_their_boundary_and_have_short_headers() {
        let form = || First::new(form("x"));
        assert_eq!(code(&mut form(), &[b"-", b"-x\r\nA: b\r\n", b"\r\nbody"]), None);
        assert_eq!(code(&mut form(), &[b"\r", b"\n--x--"]), None);
        assert_eq!(code(&mut form(), &[b"--y\r\n"]), Some(Code::BadArgument));
        assert_eq!(code(&mut form(), &[b"--x\r\nA: ", &vec![b'a'; 20_000]]), Some(Code::TooLarge));
    }

    #[test]
    fn only_photos_pass_for_pictures() {
        let picture = || First::new(picture(Limits::default()));
        assert_eq!(code(&mut picture(), &[b"\x89PNG\r\n\x1a\n", &[0; 100]]), None);
        assert_eq!(code(&mut picture(), &[&[7; 100]]), Some(Code::UnsupportedImage));
    }
}
