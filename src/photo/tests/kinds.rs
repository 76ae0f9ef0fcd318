//! Intact files of unsupported kinds: the error names each correctly.

use super::*;

/// The message of the error, which must be that for an unsupported file.
fn refusal(file: &[u8]) -> String {
    let error = decode(file).unwrap_err();
    assert_eq!(error.kind(), Code::UnsupportedImage, "{error}");
    let outline = Outline::new(file, &Limits::default()).err().expect("a page refuses it too");
    assert_eq!(outline, error);
    error.message().to_owned()
}

#[test]
fn files_of_other_formats_are_named() {
    let tiff = |maker: &[u8], more: &[u8]| {
        // One directory with the maker's name, and the given entries.
        let count = u8::try_from(1 + more.len() / 12).unwrap();
        let at = u8::try_from(8 + 2 + 12 + more.len() + 4).unwrap();
        let length = u8::try_from(maker.len()).unwrap();
        let head = [b'I', b'I', 0x2a, 0, 8, 0, 0, 0, count, 0, 0x0f, 1, 2, 0, length, 0, 0, 0, at, 0, 0, 0];
        [&head[..], more, &[0; 4], maker].concat()
    };
    let dng = [0x12, 0xc6, 1, 0, 4, 0, 0, 0, 1, 4, 0, 0];
    let files: &[(Vec<u8>, &str)] = &[
        (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "GIF"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0".to_vec(), "BMP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic".to_vec(), "HEIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf".to_vec(), "AVIF"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiafMA1Bmore and more of the file behind it".to_vec(), "AVIF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom".to_vec(), "CR3"),
        (b"\0\0\0\x18ftypqt  \0\0\0\0qt  ".to_vec(), "MOV"),
        (b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2".to_vec(), "MP4"),
        (b"\xff\x0a\xfa\x1f".to_vec(), "JPEG XL"),
        (b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a".to_vec(), "JPEG XL"),
        (b"\0\0\0\x0cjP  \x0d\x0a\x87\x0a".to_vec(), "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0\x29".to_vec(), "JPEG 2000"),
        (b"8BPS\0\x01".to_vec(), "Photoshop"),
        (tiff(b"Scanner\0", &[]), "TIFF"),
        (b"MM\0\x2a\0\0\0\x08\0\0".to_vec(), "TIFF"),
        (tiff(b"NIKON CORPORATION\0", &[]), "NEF"),
        (tiff(b"SONY\0", &[]), "ARW"),
        (tiff(b"Canon\0", &dng), "DNG"),
        (b"II\x2a\0\x10\0\0\0CR\x02\0".to_vec(), "CR2"),
        (b"IIRO\x08\0\0\0".to_vec(), "ORF"),
        (b"IIU\0\x18\0\0\0".to_vec(), "RW2"),
        (b"FUJIFILMCCD-RAW 0201".to_vec(), "RAF"),
        (b"%PDF-1.7\n".to_vec(), "PDF"),
        (b"<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "SVG"),
        (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "SVG"),
        (b"<!DOCTYPE html><title>photo.jpg</title>".to_vec(), "web page"),
        (b"PK\x03\x04\x14\0".to_vec(), "ZIP"),
        (b"RIFF\x24\0\0\0AVI LIST".to_vec(), "AVI"),
        (b"\x1a\x45\xdf\xa3\x01".to_vec(), "Matroska"),
        (b"P6\n2 2\n255\n".to_vec(), "PNM"),
        (b"\0\0\x01\0\x01\0\x10\x10".to_vec(), "ICO"),
        (b"qoif\0\0\0\x01\0\0\0\x01\x03\0".to_vec(), "QOI"),
    ];
    for (file, name) in files {
        let message = refusal(file);
        assert!(message.contains(name) && message.contains("; "), "{name}: {message}");
    }
    assert!(refusal(b"").contains("empty"));
}

#[test]
fn raw_photos_have_advice_of_their_own_and_damaged_directories_end() {
    assert!(refusal(b"FUJIFILMCCD-RAW 0201").contains("program for raw photos"));
    for length in 4..40 {
        let mut file = b"II\x2a\0\x08\0\0\0\xff\xff\x0f\x01\x02\0\xff\xff\xff\xff\xf0\xff\xff\xff".to_vec();
        file.resize(length, 0xff);
        refusal(&file);
    }
}

#[test]
fn jpeg_of_other_processes_is_named() {
    let file = jpeg(24, 16, &ramp(24 * 16 * 3), ColorType::Rgb, None);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let with = |marker: u8, depth: u8| {
        let mut file = file.clone();
        (file[frame + 1], file[frame + 4]) = (marker, depth);
        file
    };
    for (marker, depth, name) in [
        (0xc3, 8, "lossless"),
        (0xc9, 8, "arithmetic"),
        (0xca, 8, "arithmetic"),
        (0xcb, 8, "lossless"),
        (0xf7, 8, "JPEG-LS"),
        (0xc5, 8, "hierarchical"),
        (0xc1, 12, "12 bits"),
        (0xc2, 12, "12 bits"),
    ] {
        let message = refusal(&with(marker, depth));
        assert!(message.contains(name) && message.contains("save the photo as PNG"), "{marker:x}: {message}");
    }
    // The arithmetic conditions may come before the frame.
    let conditions = [&file[..frame], b"\xff\xcc\0\x04\0\x10", &with(0xc9, 8)[frame..]].concat();
    assert!(refusal(&conditions).contains("arithmetic"));
    let hierarchical = [&file[..frame], b"\xff\xde\0\x11", &file[frame + 4..]].concat();
    assert!(refusal(&hierarchical).contains("hierarchical"));
    // The height after the pixels, and two colours.
    let mut late = file.clone();
    late[frame + 5..frame + 7].fill(0);
    assert!(refusal(&late).contains("height"));
}

#[test]
fn png_of_other_kinds_is_named() {
    let file = png(2, 1, 8, 0, &[], &[0, 7, 8], &[]);
    let xcode = [&file[..8], &chunk(b"CgBI", &[0x50, 0, 0x20, 2]), &file[8..]].concat();
    assert!(refusal(&xcode).contains("Apple"));
    let unknown = png(2, 1, 8, 0, &[chunk(b"ABCD", b"?")], &[0, 7, 8], &[]);
    assert!(refusal(&unknown).contains("ABCD are not supported; open the photo in another program"));
    for (at, value) in [(26, 1), (27, 64), (28, 2)] {
        let mut file = file.clone();
        file[at] = value;
        let sum = crc32fast::hash(&file[12..29]);
        file[29..33].copy_from_slice(&sum.to_be_bytes());
        assert!(refusal(&file).contains("unknown compression"));
    }
}

#[test]
fn a_photo_that_is_too_large_is_told_a_size_that_fits() {
    let limits = Limits::default();
    for (width, height) in [(5712, 4284), (4284, 5712), (8192, 6144), (30_000, 600), (65_536, 1), (u32::MAX, u32::MAX)]
    {
        let error = limits.check(width, height).unwrap_err();
        assert_eq!(error.kind(), Code::ImageTooLarge);
        let size = error.message().rsplit("at most ").next().unwrap();
        let (across, down) = size.split_once(" x ").unwrap();
        let (across, down): (u32, u32) = (across.parse().unwrap(), down.parse().unwrap());
        limits.check(across, down).unwrap();
        let taller = |n: u32| u64::from(n + 2);
        assert!(limits.check(u32::try_from(taller(across)).unwrap(), down + 2).is_err(), "{size} is not the largest");
        let shapes = [u64::from(width) * u64::from(down), u64::from(height) * u64::from(across)];
        assert!(shapes[0].abs_diff(shapes[1]) <= u64::from(width.max(height)), "{size} has another shape");
    }
    let message = limits.check(5712, 4284).unwrap_err().message().to_owned();
    assert!(message.contains("24.4 million") && message.contains("16.7 million"), "{message}");
    let message = limits.check(65_536, 1).unwrap_err().message().to_owned();
    assert!(message.contains("65536 x 1 pixels, 0.07 million"), "{message}");
}

/// A JPEG file with these segments after its start, and these bytes after its end.
fn surrounded(segments: &[u8], behind: &[u8]) -> Vec<u8> {
    let file = jpeg(24, 16, &ramp(24 * 16 * 3), ColorType::Rgb, None);
    [&file[..2], segments, &file[2..], behind].concat()
}

/// An index of several pictures (CIPA DC-007) of these kinds.
fn index(little: bool, kinds: &[u32]) -> Vec<u8> {
    let n16 = |n: u16| if little { n.to_le_bytes() } else { n.to_be_bytes() }.to_vec();
    let n32 = |n: usize| {
        let n = u32::try_from(n).unwrap();
        if little { n.to_le_bytes() } else { n.to_be_bytes() }.to_vec()
    };
    let mut body = if little { b"MPF\0II*\0".to_vec() } else { b"MPF\0MM\0*".to_vec() };
    body.extend([n32(8), n16(3)].concat());
    body.extend([n16(0xb000), n16(7), n32(4), b"0100".to_vec()].concat());
    body.extend([n16(0xb001), n16(4), n32(1), n32(kinds.len())].concat());
    body.extend([n16(0xb002), n16(7), n32(16 * kinds.len()), n32(50), n32(0)].concat());
    for &kind in kinds {
        body.extend([n32(usize::try_from(kind).unwrap()), vec![0; 12]].concat());
    }
    [&[0xff, 0xe2], &u16::try_from(body.len() + 2).unwrap().to_be_bytes()[..], &body].concat()
}

#[test]
fn other_pictures_in_the_file_are_told() {
    let notices = |file: &[u8]| {
        let outline = Outline::new(file, &Limits::default()).unwrap();
        let photo = decode(file).unwrap();
        assert_eq!(outline.notices(), photo.notices());
        photo.notices().to_vec()
    };
    let another = jpeg(8, 8, &[9; 64], ColorType::Luma, None);
    let told = [Notice::OtherPictures];
    assert_eq!(notices(&surrounded(b"", &another)), told);
    assert_eq!(notices(&surrounded(b"", &[&[0; 700], &another[..]].concat())), told);
    assert_eq!(notices(&surrounded(b"", b"a film")), []);
    for little in [false, true] {
        // A second view, and the map of an HDR photo, which has no kind.
        for kind in [0x02_0002, 0] {
            assert_eq!(notices(&surrounded(&index(little, &[0x2003_0000, kind]), &another)), told);
        }
        // Cameras append smaller copies to their photos.
        assert_eq!(notices(&surrounded(&index(little, &[0x2003_0000, 0x01_0001, 0x01_0002]), &another)), []);
        let mut cut = index(little, &[0x2003_0000, 0]);
        cut.truncate(cut.len() - 9);
        let length = u16::try_from(cut.len() - 2).unwrap().to_be_bytes();
        cut[2..4].copy_from_slice(&length);
        assert_eq!(notices(&surrounded(&cut, b"")), [], "an index that cannot be read");
    }
}
