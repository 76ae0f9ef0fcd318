//! Other pictures in the file of a JPEG photo: a second view, the map of brightness beyond white (HDR), or anything appended to
//! the file.

use crate::photo::colour::Tiff;

/// The other pictures that a file lists or contains.
#[derive(Default)]
pub(super) struct Others {
    /// The number of pictures, without smaller copies of the photo, in the index of a multi-picture file (CIPA DC-007, MPF).
    indexed: Option<usize>,
    behind: bool,
}

impl Others {
    /// Reads the body of an application segment 2.
    pub(super) fn look_at(&mut self, body: &[u8]) {
        if let Some(index) = body.strip_prefix(b"MPF\0") {
            self.indexed = self.indexed.or_else(|| indexed(index));
        }
    }

    /// Examines what follows the photo. Some programs write zeros first.
    pub(super) fn look_behind(&mut self, rest: &[u8]) {
        let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
        self.behind = rest[zeros..].starts_with(super::MARK);
    }

    /// Whether there is more than the photo. If there is an index, it decides.
    pub(super) fn left_out(&self) -> bool {
        self.indexed.map_or(self.behind, |count| count > 0)
    }
}

/// The number of pictures that an index lists besides the first one and its smaller copies.
fn indexed(index: &[u8]) -> Option<usize> {
    const ENTRIES: u16 = 0xb002;
    const ENTRY: usize = 16;
    const KIND_OF_COPIES: u8 = 1;
    let tiff = Tiff::new(index)?;
    let place = tiff.number(tiff.value(tiff.first?, ENTRIES)?)?;
    let length = tiff.number(tiff.value(tiff.first?, ENTRIES)? - 4)?;
    let entries = index.get(place..place.checked_add(length)?)?.chunks_exact(ENTRY);
    // The highest of the three bytes that describe a picture is its kind.
    let kind = |entry: &[u8]| entry.get(if tiff.little { 2 } else { 1 }).copied();
    Some(entries.skip(1).filter(|entry| kind(entry) != Some(KIND_OF_COPIES)).count())
}
