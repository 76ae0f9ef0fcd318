//! A profile for photos whose EXIF block alone says that their colours are Adobe RGB (1998).

/// Colorants, adapted to D50: X, Y, Z of red, green and blue in 65,536ths, from the chromaticities of the specification
/// (Adobe Systems, "Adobe RGB (1998) Color Image Encoding", 2005).
const COLORANTS: [(&[u8; 4], [i32; 3]); 3] =
    [(b"rXYZ", [0x9c18, 0x4fa5, 0x04fc]), (b"gXYZ", [0x348d, 0xa02c, 0x0f95]), (b"bXYZ", [0x2631, 0x102f, 0xbe9c])];
/// D50, and the exponent 563/256.
const WHITE: [i32; 3] = [0xf6d6, 0x1_0000, 0xd32d];
const GAMMA: u16 = 0x0233;
const NAME: &[u8] = b"Compatible with Adobe RGB (1998)\0";

/// The ICC profile, version 2.1, of a monitor.
pub(super) fn profile() -> Vec<u8> {
    let places = |xyz: [i32; 3]| [b"XYZ \0\0\0\0".as_slice(), &xyz.map(i32::to_be_bytes).concat()].concat();
    let name_length = u32::try_from(NAME.len()).unwrap_or(0).to_be_bytes();
    // An empty name in Unicode and one in Macintosh's script must follow.
    let name = [b"desc\0\0\0\0".as_slice(), &name_length, NAME, &[0; 78]].concat();
    let gamma = [b"curv\0\0\0\0\0\0\0\x01".as_slice(), &GAMMA.to_be_bytes()].concat();
    let mut tags: Vec<(&[u8; 4], Vec<u8>)> = vec![
        (b"desc", name),
        (b"cprt", b"text\0\0\0\0No copyright\0".to_vec()),
        (b"wtpt", places(WHITE)),
        (b"rTRC", gamma.clone()),
        (b"gTRC", gamma.clone()),
        (b"bTRC", gamma),
    ];
    tags.extend(COLORANTS.map(|(kind, xyz)| (kind, places(xyz))));

    let mut table = u32::try_from(tags.len()).unwrap_or(0).to_be_bytes().to_vec();
    let mut data: Vec<u8> = Vec::new();
    let start = 128 + 4 + 12 * tags.len();
    for (kind, body) in tags {
        let place = [start + data.len(), body.len()].map(|n| u32::try_from(n).unwrap_or(0).to_be_bytes());
        table.extend([kind.as_slice(), &place.concat()].concat());
        data.extend(&body);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(start + data.len()).unwrap_or(0).to_be_bytes();
    let mut header = [length, [0; 4], [2, 0x10, 0, 0], *b"mntr", *b"RGB ", *b"XYZ "].concat();
    header.resize(36, 0);
    header.extend(b"acsp");
    header.resize(68, 0);
    header.extend(WHITE.map(i32::to_be_bytes).concat());
    header.resize(128, 0);
    [header, table, data].concat()
}
