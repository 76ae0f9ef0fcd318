//! The colour information in a camera's EXIF block.

/// Whether it says Adobe RGB, by the interoperability index R03 (DCF option) or by the number that cameras write for it.
pub(super) fn says_adobe(exif: &[u8]) -> bool {
    const EXIF: u16 = 0x8769;
    const COLOUR_SPACE: u16 = 0xa001;
    const INTEROPERABILITY: u16 = 0xa005;
    const INDEX: u16 = 1;
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let found = || {
        let tiff = Tiff::new(exif)?;
        let folder = tiff.number(tiff.value(tiff.first?, EXIF)?)?;
        match tiff.value(folder, COLOUR_SPACE).map(|at| tiff.short(at)) {
            Some(Some(2)) => return Some(true),
            Some(Some(1)) => return Some(false),
            _ => {}
        }
        let folder = tiff.number(tiff.value(folder, INTEROPERABILITY)?)?;
        let index = tiff.value(folder, INDEX)?;
        Some(exif.get(index..)?.starts_with(b"R03"))
    };
    found().unwrap_or(false)
}

/// A TIFF structure. Positions are in bytes from its start. Each one is visited at most once, so loops are impossible.
pub(in crate::photo) struct Tiff<'a> {
    bytes: &'a [u8],
    pub(in crate::photo) little: bool,
    /// The position of the first folder.
    pub(in crate::photo) first: Option<usize>,
}

impl<'a> Tiff<'a> {
    pub(in crate::photo) fn new(bytes: &'a [u8]) -> Option<Self> {
        let little = match bytes.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let mut tiff = Self { bytes, little, first: None };
        tiff.first = tiff.number(4);
        Some(tiff)
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk::<2>()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    pub(in crate::photo) fn number(&self, at: usize) -> Option<usize> {
        let bytes = *self.bytes.get(at..)?.first_chunk::<4>()?;
        usize::try_from(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }).ok()
    }

    /// The position of a tag's value in the folder that begins here. Valid only for values of up to four bytes.
    pub(in crate::photo) fn value(&self, folder: usize, tag: u16) -> Option<usize> {
        let count = usize::from(self.short(folder)?);
        (0..count).map(|i| folder + 2 + 12 * i).find(|&at| self.short(at) == Some(tag)).map(|at| at + 8)
    }
}
