//! Photo files of every kind, intact and hostile.

#![allow(clippy::unwrap_used)]

mod damage;
mod kinds;

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

use super::*;

/// A picture with a different value for every sample, as far as 8 bits allow.
fn ramp(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 37 % 251).unwrap()).collect()
}

fn decode(bytes: &[u8]) -> Result<Photo> {
    Photo::decode(bytes, &Limits::default())
}

fn code(bytes: &[u8]) -> Code {
    decode(bytes).unwrap_err().kind()
}

/// A PNG chunk with its checksum.
fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    let body = [kind, data].concat();
    out.extend(&body);
    out.extend(crc32fast::hash(&body).to_be_bytes());
    out
}

/// A zlib stream of these bytes, stored without compression.
fn zlib(raw: &[u8]) -> Vec<u8> {
    let length = u16::try_from(raw.len()).unwrap();
    let mut out = vec![0x78, 0x01, 0x01];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(raw);
    let (a, b) = raw.iter().fold((1u32, 0u32), |(a, b), &x| {
        let a = (a + u32::from(x)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// Makes a PNG file: `extra` chunks come before the pixels, `rows` contain their filter bytes.
fn png(width: u32, height: u32, depth: u8, color: u8, extra: &[Vec<u8>], rows: &[u8], after: &[Vec<u8>]) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([depth, color, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    out.extend(chunk(b"IHDR", &header));
    out.extend(extra.concat());
    out.extend(chunk(b"IDAT", &zlib(rows)));
    out.extend(after.concat());
    out.extend(chunk(b"IEND", b""));
    out
}

/// An EXIF block that contains only the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut out = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    out.extend([orientation, 0, 0, 0, 0, 0, 0]);
    out
}

fn jpeg(width: u16, height: u16, samples: &[u8], color: ColorType, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 95);
    if let Some(exif) = exif {
        encoder.add_app_segment(1, [b"Exif\0\0", &exif[..]].concat()).unwrap();
    }
    encoder.encode(samples, width, height, color).unwrap();
    out
}

fn webp(width: u32, height: u32, samples: &[u8], color: ExtendedColorType) -> Vec<u8> {
    let mut out = Vec::new();
    WebPEncoder::new_lossless(&mut out).write_image(samples, width, height, color).unwrap();
    out
}

#[test]
fn png_of_every_kind_and_odd_size_comes_back_exactly() {
    for (width, height) in [(1u32, 1u32), (1, 7), (13, 1), (17, 23), (64, 3)] {
        let pixels = usize::try_from(width * height).unwrap();
        for channels in [1u8, 3] {
            let samples = ramp(pixels * usize::from(channels));
            for alpha in [None, Some(ramp(pixels))] {
                let file = encode_png(width, height, channels, &samples, alpha.as_deref()).unwrap();
                let photo = decode(&file).unwrap();
                assert_eq!((photo.width(), photo.height(), photo.channels()), (width, height, channels));
                assert_eq!(photo.samples(), samples);
                assert_eq!(photo.alpha(), alpha.as_deref());
                let notices: &[Notice] = if alpha.is_some() { &[Notice::AlphaKeptAside] } else { &[] };
                assert_eq!(photo.notices(), notices);
            }
        }
    }
}

#[test]
fn sixteen_bits_are_rounded_half_up_with_a_notice() {
    for channels in [1u8, 3] {
        let values: Vec<u16> = [0u16, 1, 128, 129, 257, 385, 386, 32_768, 65_406, 65_407, 65_535, 1000].to_vec();
        let width = u32::try_from(values.len()).unwrap() / u32::from(channels);
        let photo = decode(&encode_png16(width, 1, channels, &values, None).unwrap()).unwrap();
        let rounded: Vec<u32> = values.iter().map(|&v| (u32::from(v) * 255 + 32_767) / 65_535).collect();
        assert_eq!(photo.samples().iter().map(|&v| u32::from(v)).collect::<Vec<_>>(), rounded);
        assert_eq!(photo.channels(), channels);
        assert_eq!(photo.notices(), [Notice::ReducedTo8Bit]);
    }
}

#[test]
fn sixteen_bits_are_written_with_alpha() {
    for channels in [1u8, 3] {
        let samples = vec![0x8001u16; 2 * usize::from(channels)];
        let photo = decode(&encode_png16(2, 1, channels, &samples, Some(&[7, 255])).unwrap()).unwrap();
        assert_eq!((photo.channels(), photo.alpha()), (channels, Some(&[7, 255][..])));
        assert!(photo.samples().iter().all(|&v| v == 128));
    }
}

#[test]
fn sixteen_bit_grey_with_alpha_stays_grey() {
    // Filter byte, then grey 0x8000 alpha 0xffff, grey 0x0101 alpha 0.
    let rows = [0, 0x80, 0, 0xff, 0xff, 1, 1, 0, 0];
    let photo = decode(&png(2, 1, 16, 4, &[], &rows, &[])).unwrap();
    assert_eq!((photo.channels(), photo.samples(), photo.alpha()), (1, &[128, 1][..], Some(&[255, 0][..])));
    assert_eq!(photo.notices(), [Notice::ReducedTo8Bit, Notice::AlphaKeptAside]);
}

#[test]
fn palettes_and_low_depths_are_expanded() {
    let palette = chunk(b"PLTE", &[1, 2, 3, 250, 251, 252, 9, 9, 9, 40, 50, 60]);
    // Four pixels of two bits each: 0 1 2 3.
    let photo = decode(&png(4, 1, 2, 3, std::slice::from_ref(&palette), &[0, 0b0001_1011], &[])).unwrap();
    assert_eq!(photo.samples(), [1, 2, 3, 250, 251, 252, 9, 9, 9, 40, 50, 60]);
    assert_eq!((photo.channels(), photo.alpha()), (3, None));

    let transparent = chunk(b"tRNS", &[0, 128]);
    let photo = decode(&png(4, 1, 2, 3, &[palette, transparent], &[0, 0b0001_1011], &[])).unwrap();
    assert_eq!(photo.alpha(), Some(&[0, 128, 255, 255][..]));

    let photo = decode(&png(5, 1, 1, 0, &[], &[0, 0b1010_1000], &[])).unwrap();
    assert_eq!((photo.channels(), photo.samples()), (1, &[255, 0, 255, 0, 255][..]));

    let key = [chunk(b"tRNS", &[0, 1])];
    let photo = decode(&png(2, 1, 1, 0, &key, &[0, 0b1000_0000], &[])).unwrap();
    assert_eq!((photo.samples(), photo.alpha()), (&[255, 0][..], Some(&[0, 255][..])));

    // If no pixel is transparent, there is no transparency.
    let photo = decode(&png(2, 1, 1, 0, &key, &[0, 0], &[])).unwrap();
    assert_eq!((photo.samples(), photo.alpha(), photo.notices()), (&[0, 0][..], None, &[][..]));
    let opaque = png(2, 1, 8, 4, &[], &[0, 7, 255, 8, 255], &[]);
    let outline = Outline::new(&opaque, &Limits::default()).unwrap().photo(vec![7, 255, 8, 255], None).unwrap();
    assert_eq!(outline, decode(&opaque).unwrap());
    assert_eq!((outline.samples(), outline.alpha(), outline.notices()), (&[7, 8][..], None, &[][..]));
}

#[test]
fn webp_comes_back_exactly_and_keeps_alpha_aside() {
    let samples = ramp(11 * 5 * 3);
    let photo = decode(&webp(11, 5, &samples, ExtendedColorType::Rgb8)).unwrap();
    assert_eq!((photo.width(), photo.height(), photo.channels()), (11, 5, 3));
    assert_eq!((photo.samples(), photo.alpha()), (&samples[..], None));

    let photo = decode(&webp(2, 1, &[1, 2, 3, 4, 5, 6, 7, 8], ExtendedColorType::Rgba8)).unwrap();
    assert_eq!((photo.samples(), photo.alpha()), (&[1, 2, 3, 5, 6, 7][..], Some(&[4, 8][..])));
}

#[test]
fn jpeg_stays_grey_or_rgb_and_close_to_the_original() {
    for (color, channels) in [(ColorType::Luma, 1u8), (ColorType::Rgb, 3)] {
        let samples = vec![77u8; 19 * 9 * usize::from(channels)];
        let photo = decode(&jpeg(19, 9, &samples, color, None)).unwrap();
        assert_eq!((photo.width(), photo.height(), photo.channels()), (19, 9, channels));
        assert!(photo.samples().iter().all(|v| v.abs_diff(77) <= 2));
    }
}

#[test]
fn each_orientation_turns_the_picture_upright() {
    // Stored 3 wide, 2 high: 1 2 3 / 4 5 6. The expected picture, by the EXIF definition of each value.
    let expected: [(u8, u32, [u8; 6]); 8] = [
        (1, 3, [1, 2, 3, 4, 5, 6]),
        (2, 3, [3, 2, 1, 6, 5, 4]),
        (3, 3, [6, 5, 4, 3, 2, 1]),
        (4, 3, [4, 5, 6, 1, 2, 3]),
        (5, 2, [1, 4, 2, 5, 3, 6]),
        (6, 2, [4, 1, 5, 2, 6, 3]),
        (7, 2, [6, 3, 5, 2, 4, 1]),
        (8, 2, [3, 6, 2, 5, 1, 4]),
    ];
    let rows = [0, 1, 255, 2, 255, 3, 255, 0, 4, 9, 5, 9, 6, 9];
    for (value, width, samples) in expected {
        let mark = chunk(b"eXIf", &exif(value));
        let before = decode(&png(3, 2, 8, 4, std::slice::from_ref(&mark), &rows, &[])).unwrap();
        let after = decode(&png(3, 2, 8, 4, &[], &rows, &[mark])).unwrap();
        assert_eq!(before, after);
        assert_eq!((before.width(), before.height()), (width, 6 / width));
        assert_eq!(before.samples(), samples, "orientation {value}");
        let alpha: Vec<u8> = samples.iter().map(|v| if *v <= 3 { 255 } else { 9 }).collect();
        assert_eq!(before.alpha(), Some(&alpha[..]));
    }
}

#[test]
fn jpeg_and_webp_orientation_is_read_too() {
    let photo = decode(&jpeg(16, 8, &[50; 128], ColorType::Luma, Some(exif(6)))).unwrap();
    assert_eq!((photo.width(), photo.height()), (8, 16));

    for prefix in [&b""[..], b"Exif\0\0"] {
        let plain = webp(3, 1, &ramp(9), ExtendedColorType::Rgb8);
        let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x02\0\0\0\0\0".to_vec();
        body.extend(&plain[12..]);
        let block = [prefix, &exif(8)].concat();
        body.extend(b"EXIF");
        body.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        body.extend(&block);
        let mut file = b"RIFF".to_vec();
        file.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        file.extend(&body);
        let photo = decode(&file).unwrap();
        assert_eq!((photo.width(), photo.height()), (1, 3));
        assert_eq!(photo.samples()[6..], ramp(9)[..3]);
    }
}

#[test]
fn flipped_bits_in_png_are_found() {
    let samples = ramp(63);
    let file = encode_png(9, 7, 1, &samples, None).unwrap();
    let start = file.windows(4).position(|name| name == b"IDAT").unwrap();
    let (stream, sum, end) = (start + 4, file.len() - 16, file.len() - 12);
    for at in 8..file.len() * 8 {
        let mut bent = file.clone();
        bent[at / 8] ^= 1 << (at % 8);
        let Ok(photo) = decode(&bent) else {
            assert!(at / 8 < sum, "bit {at}");
            continue;
        };
        // The stream has its own checksum, which does not cover the bits that fill its last byte.
        let wanted = if (stream..end).contains(&(at / 8)) { Notice::ChecksumWrong } else { Notice::EndMissing };
        assert_eq!(photo.samples(), samples, "bit {at}");
        assert!(photo.notices().contains(&wanted) && at / 8 >= start - 4, "bit {at}: {:?}", photo.notices());
    }
}

#[test]
fn huge_sizes_in_tiny_files_are_refused_before_decoding() {
    for (width, height) in [(u32::MAX, u32::MAX), (0x7fff_ffff, 0x7fff_ffff), (65_536, 1), (4097, 4096)] {
        assert_eq!(code(&png(width, height, 8, 2, &[], &[0], &[])), Code::ImageTooLarge, "{width} x {height}");
    }
    let mut file = jpeg(8, 8, &[9; 64], ColorType::Luma, None);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].fill(0xff);
    assert_eq!(code(&file), Code::ImageTooLarge);

    let mut file = webp(8, 8, &[9; 192], ExtendedColorType::Rgb8);
    assert_eq!(file[20], 0x2f);
    // 16,383 x 16,383, one below the format's maximum.
    file[21..25].copy_from_slice(&(0x3ffe_u32 | 0x3ffe << 14).to_le_bytes());
    assert_eq!(code(&file), Code::ImageTooLarge);

    let small = Limits { max_pixels: 62, ..Limits::default() };
    let file = encode_png(9, 7, 1, &ramp(63), None).unwrap();
    assert_eq!(Photo::decode(&file, &small).unwrap_err().kind(), Code::ImageTooLarge);
    let narrow = Limits { max_side: 8, ..Limits::default() };
    assert_eq!(Photo::decode(&file, &narrow).unwrap_err().kind(), Code::ImageTooLarge);
    let poor = Limits { max_alloc: 62, ..Limits::default() };
    assert_eq!(Photo::decode(&file, &poor).unwrap_err().kind(), Code::ImageTooLarge);
}

#[test]
fn empty_pictures_empty_files_and_other_files_are_errors() {
    assert_eq!(code(b""), Code::UnsupportedImage);
    assert_eq!(code(&[0; 100]), Code::UnsupportedImage);
    assert_eq!(code(&png(0, 5, 8, 0, &[], &[0], &[])), Code::DamagedImage);
    assert_eq!(code(&png(5, 0, 8, 0, &[], &[0], &[])), Code::DamagedImage);
    // Fewer rows than the header promises.
    assert_eq!(code(&png(1, 5, 8, 0, &[], &[0, 1, 0, 2], &[])), Code::DamagedImage);
}

#[test]
fn samples_must_be_exactly_one_picture() {
    assert!(Photo::from_samples(3, 2, 1, vec![0; 6]).is_ok());
    for (width, height, channels, len) in
        [(3, 2, 1, 5), (3, 2, 3, 6), (0, 2, 1, 0), (3, 2, 2, 12), (u32::MAX, u32::MAX, 3, 9)]
    {
        let error = Photo::from_samples(width, height, channels, vec![0; len]).unwrap_err();
        assert_eq!(error.kind(), Code::BadArgument);
    }
    let photo = Photo::from_samples(1, 2, 3, vec![1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(photo.rgba(), [1, 2, 3, 255, 4, 5, 6, 255]);
    assert!(photo.clone().with_alpha(vec![1]).is_err());
    assert_eq!(photo.with_alpha(vec![8, 9]).unwrap().rgba(), [1, 2, 3, 8, 4, 5, 6, 9]);
    let grey = Photo::from_samples(2, 1, 1, vec![5, 6]).unwrap();
    assert_eq!(grey.rgba(), [5, 5, 5, 255, 6, 6, 6, 255]);
    assert!(encode_png(2, 1, 2, &[1, 2, 3, 4], None).is_err());
    assert!(encode_png(2, 1, 1, &[1, 2], Some(&[1])).is_err());
    assert!(encode_png16(2, 1, 3, &[1, 2], None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_never_panic(start in 0usize..4, tail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let starts: [&[u8]; 4] = [b"", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"\xff\xd8\xff", b"RIFF\x80\0\0\0WEBPVP8"];
        let _ = decode(&[starts[start], &tail].concat());
        let _ = Outline::new(&[starts[start], &tail].concat(), &Limits::default());
    }

    #[test]
    fn damaged_files_never_panic(format in 0usize..3, hits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let samples = ramp(9 * 7 * 3);
        let mut file = match format {
            0 => encode_png(9, 7, 3, &samples, None).unwrap(),
            1 => jpeg(9, 7, &samples, ColorType::Rgb, Some(exif(6))),
            _ => webp(9, 7, &samples, ExtendedColorType::Rgb8),
        };
        let len = file.len();
        for (at, value) in hits {
            file[at % len] = value;
        }
        let _ = decode(&file);
        if let Ok(outline) = Outline::new(&file, &Limits::default()) {
            let _ = (parts(&file, &outline), outline.photo(vec![0; 63], None));
        }
    }
}

#[test]
fn jpeg_with_scans_of_every_order_is_read() {
    let file = |sampling, optimised, progressive| {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, 90);
        encoder.set_sampling_factor(sampling);
        encoder.set_optimized_huffman_tables(optimised);
        encoder.set_progressive(progressive);
        encoder.encode(&[200; 40 * 40 * 3], 40, 40, ColorType::Rgb).unwrap();
        out
    };
    for sampling in [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_2_2] {
        // With optimised tables, this encoder writes a scan for each channel.
        for (optimised, progressive) in [(false, false), (true, false), (true, true)] {
            let photo = decode(&file(sampling, optimised, progressive)).unwrap();
            let far = photo.samples().iter().map(|sample| sample.abs_diff(200)).max();
            assert!(far < Some(3), "{sampling:?} {optimised} {progressive}: {far:?}");
        }
    }
}

/// Concatenates the parts of a file that its outline names, and adds the end if the reader must add it.
fn parts(file: &[u8], outline: &Outline) -> Vec<u8> {
    let end: &[u8] = if outline.is_jpeg() { b"\xff\xd9" } else { b"" };
    outline.parts().iter().flat_map(|part| &file[part.clone()]).chain(end).copied().collect()
}

#[test]
fn the_outline_of_plain_png_leads_to_the_same_photo() {
    let rows: [(u8, u8, &[u8]); 4] = [
        (0, 1, &[0, 1, 2, 3, 0, 4, 5, 6]),
        (4, 2, &[0, 1, 255, 2, 255, 3, 255, 0, 4, 9, 5, 9, 6, 9]),
        (2, 3, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (6, 4, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2]),
    ];
    for (color, channels, rows) in rows {
        let suggested = chunk(b"PLTE", &[1, 2, 3]);
        let file = png(3, 2, 8, color, &[suggested], rows, &[chunk(b"eXIf", &exif(6)), chunk(b"tEXt", b"Place\0here")]);
        let outline = Outline::new(&file, &Limits::default()).unwrap();
        assert_eq!((outline.is_jpeg(), outline.width(), outline.height()), (false, 3, 2));
        assert_eq!(outline.plain(), Some(channels));
        assert_eq!(parts(&file, &outline), zlib(rows));
        let lines = rows.chunks_exact(rows.len() / 2);
        let photo = outline.photo(lines.flat_map(|line| &line[1..]).copied().collect(), None).unwrap();
        assert_eq!(photo, decode(&file).unwrap());
        assert!(outline.photo(vec![0; rows.len()], None).is_err(), "as many samples as there are");
    }
}

#[test]
fn a_zlib_stream_in_many_chunks_is_found_whole() {
    let rows = [0, 1, 2, 3, 0, 4, 5, 6];
    let whole = png(3, 2, 8, 0, &[], &rows, &[]);
    let stream = zlib(&rows);
    let pieces: Vec<_> = stream.chunks(5).map(|piece| chunk(b"IDAT", piece)).collect();
    let start = whole.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    let file = [&whole[..start], &pieces.concat(), &chunk(b"IEND", b"")].concat();
    assert_eq!(parts(&file, &Outline::new(&file, &Limits::default()).unwrap()), stream);
    assert_eq!(decode(&file).unwrap().samples(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn unusual_files_have_no_plain_outline() {
    let palette = chunk(b"PLTE", &[1, 2, 3, 250, 251, 252]);
    let interlaced = {
        let mut file = png(1, 1, 8, 0, &[], &[0, 7], &[]);
        file[28] = 1;
        let sum = crc32fast::hash(&file[12..29]);
        file[29..33].copy_from_slice(&sum.to_be_bytes());
        file
    };
    let files = [
        png(2, 1, 16, 4, &[], &[0, 0x80, 0, 0xff, 0xff, 1, 1, 0, 0], &[]),
        png(4, 1, 2, 3, &[palette], &[0, 0b0001_0001], &[]),
        png(5, 1, 1, 0, &[], &[0, 0b1010_1000], &[]),
        png(2, 1, 8, 0, &[chunk(b"tRNS", &[0, 7])], &[0, 7, 8], &[]),
        png(2, 1, 8, 0, &[chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0])], &[0, 7, 8], &[]),
        interlaced,
    ];
    for file in files {
        let outline = Outline::new(&file, &Limits::default()).unwrap();
        assert_eq!(outline.plain(), None);
        assert!(outline.photo(vec![7; 2], None).is_err());
        assert!(decode(&file).is_ok());
    }
    let code = |file: &[u8]| Outline::new(file, &Limits::default()).err().map(|error| error.kind());
    let outline = Outline::new(&webp(3, 1, &ramp(9), ExtendedColorType::Rgb8), &Limits::default()).unwrap();
    assert_eq!((outline.is_webp(), outline.plain(), outline.parts().len()), (true, None, 0));
    assert_eq!(code(b"GIF89a"), Some(Code::UnsupportedImage));
    assert_eq!(code(&png(60_000, 60_000, 8, 2, &[], &[0], &[])), Some(Code::ImageTooLarge));
}

#[test]
fn the_outline_of_jpeg_is_the_picture_alone() {
    for (color, channels) in [(ColorType::Luma, 1u8), (ColorType::Rgb, 3)] {
        let samples = ramp(24 * 16 * usize::from(channels));
        let bare = jpeg(24, 16, &samples, color, None);
        let mut file = jpeg(24, 16, &samples, color, Some(exif(6)));
        // The additions of other programs, including a colour profile, a comment, and a second picture after the first one.
        let segment = |marker, text: &[u8]| [&[0xff, marker, 0, u8::try_from(text.len() + 2).unwrap()], text].concat();
        let more =
            [(0xe2, &b"ICC_PROFILE\0here"[..]), (0xe1, b"http://ns.adobe.com/here"), (0xfe, b"here"), (0xed, b"here")];
        let more: Vec<u8> = more.into_iter().flat_map(|(marker, text)| segment(marker, text)).collect();
        let tables = file.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
        file.splice(tables..tables, more);
        file.extend(&bare);

        let outline = Outline::new(&file, &Limits::default()).unwrap();
        assert_eq!((outline.is_jpeg(), outline.width(), outline.height()), (true, 24, 16));
        assert_eq!(outline.plain(), Some(channels));
        let clean = parts(&file, &outline);
        assert_eq!(clean, bare);
        let photo = outline.photo(decode(&clean).unwrap().samples().to_vec(), None).unwrap();
        assert_eq!((photo.width(), photo.height()), (16, 24), "turned as the camera was");
        assert_eq!(photo, decode(&file).unwrap());
    }
}
