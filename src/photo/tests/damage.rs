//! Files without their end, or without some of their pixels.

use super::*;

/// JPEG files with all orders of scans that our encoder writes, with and without restarts.
fn jpegs() -> Vec<Vec<u8>> {
    let samples = ramp(40 * 24 * 3);
    let mut files = Vec::new();
    for (optimised, progressive, restart) in
        [(false, false, 0), (false, false, 2), (true, false, 0), (true, true, 0), (true, true, 4)]
    {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, 90);
        encoder.set_sampling_factor(SamplingFactor::F_2_1);
        encoder.set_optimized_huffman_tables(optimised);
        encoder.set_progressive(progressive);
        encoder.set_restart_interval(restart);
        encoder.encode(&samples, 40, 24, ColorType::Rgb).unwrap();
        files.push(out);
    }
    files
}

/// The position where the data of the last scan start.
fn last_scan(file: &[u8]) -> usize {
    let header = file.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    header + 2 + usize::from(u16::from_be_bytes([file[header + 2], file[header + 3]]))
}

#[test]
fn every_cut_of_every_format_is_an_error_or_only_the_end_is_missing() {
    let samples = ramp(9 * 7 * 3);
    let mut files = vec![encode_png(9, 7, 3, &samples, None).unwrap(), webp(9, 7, &samples, ExtendedColorType::Rgb8)];
    files.extend(jpegs());
    for file in files {
        let whole = decode(&file).unwrap();
        let mut ends = 0;
        for cut in 0..file.len() {
            match decode(&file[..cut]) {
                Ok(photo) => {
                    assert_eq!(photo.notices(), [Notice::EndMissing], "cut at {cut} of {}", file.len());
                    assert_eq!(photo.samples(), whole.samples(), "cut at {cut} of {}", file.len());
                    ends += 1;
                }
                Err(error) => {
                    let short = cut < 12 && error.kind() == Code::UnsupportedImage;
                    assert!(short || error.kind() == Code::DamagedImage, "cut at {cut} of {}: {error:?}", file.len());
                }
            }
        }
        // IEND has twelve bytes, and the two checksums before it have four each; the end of the zlib stream may be missing,
        // too. The end of a JPEG file has two. (In the last scan, bits that only fill a byte may be missing.)
        let wanted = if file[0] == 0x89 {
            20..=22
        } else if file[0] == 0xff {
            2..=3
        } else {
            0..=1
        };
        assert!(wanted.contains(&ends), "{ends} cuts of {} give the picture", file.len());
    }
}

#[test]
fn what_is_missing_is_found_though_the_end_is_there() {
    for file in jpegs() {
        let start = last_scan(&file);
        let end = file.len() - 2;
        let bad = [
            [&file[..start], &file[end..]].concat(),
            [&file[..usize::midpoint(start, end)], &file[end..]].concat(),
            [&file[..end - 4], &file[end..]].concat(),
        ];
        for file in bad {
            assert_eq!(code(&file), Code::DamagedImage);
            let outline = Outline::new(&file, &Limits::default());
            assert_eq!(outline.err().map(|error| error.kind()), Some(Code::DamagedImage), "before a browser is asked");
        }
    }
}

#[test]
fn restarts_in_the_wrong_order_are_found() {
    let file = &jpegs()[1];
    let marks: Vec<usize> = (last_scan(file)..file.len() - 2)
        .filter(|&at| file[at] == 0xff && matches!(file[at + 1], 0xd0..=0xd7))
        .collect();
    let [a, b, c, ..] = marks[..] else { panic!("{marks:?}") };
    let lost = [&file[..a], &file[b..]].concat();
    let swapped = [&file[..a], &file[b..c], &file[a..b], &file[c..]].concat();
    let emptied = [&file[..a + 2], &file[b..]].concat();
    let mut misnamed = file.clone();
    misnamed[b + 1] ^= 4;
    let unmarked = [&file[..a], &file[a + 2..]].concat();
    for file in [lost, swapped, emptied, misnamed, unmarked] {
        assert_eq!(code(&file), Code::DamagedImage);
    }
}

#[test]
fn a_progressive_file_needs_all_of_its_scans() {
    let file = &jpegs()[3];
    let header = file.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    for end in [&b"\xff\xd9"[..], b""] {
        assert_eq!(code(&[&file[..header], end].concat()), Code::DamagedImage);
    }
}

#[test]
fn tables_are_needed() {
    for file in jpegs() {
        for marker in [0xc4, 0xdb] {
            let at = file.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
            let end = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            assert_eq!(code(&[&file[..at], &file[end..]].concat()), Code::DamagedImage);
        }
    }
}

#[test]
fn stray_bytes_are_skipped_with_a_notice() {
    for file in jpegs() {
        let whole = decode(&file).unwrap();
        let tables = file.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
        let end = file.len() - 2;
        let mut places = vec![tables, end];
        places.extend((last_scan(&file)..end).find(|&at| file[at] == 0xff && matches!(file[at + 1], 0xd0..=0xd7)));
        for at in places {
            let photo = decode(&[&file[..at], &[1, 2, 3, 4, 0xff, 0, 5], &file[at..]].concat()).unwrap();
            assert_eq!((photo.samples(), photo.notices()), (whole.samples(), &[Notice::StrayData][..]), "at {at}");
        }
        // Other files may follow the end.
        assert_eq!(decode(&[&file[..], b"film", &file].concat()).unwrap(), whole);
    }
}

#[test]
fn png_whose_last_chunks_are_missing_is_complete_with_its_pixels() {
    let samples = ramp(9 * 7);
    let file = encode_png(9, 7, 1, &samples, None).unwrap();
    let pixels = file.len() - 12;
    for more in [&b""[..], b"\0\0", b"\0\0\0\x20tEXtcut short"] {
        let file = [&file[..pixels], more].concat();
        let photo = decode(&file).unwrap();
        assert_eq!((photo.samples(), photo.notices()), (&samples[..], &[Notice::EndMissing][..]));
        let outline = Outline::new(&file, &Limits::default()).unwrap();
        assert_eq!((outline.plain(), outline.notices()), (Some(1), &[Notice::EndMissing][..]));
        assert_eq!(decode(&outline.ended(&file).unwrap()).unwrap().samples(), samples);
    }
    // If some of the pixels are missing, complete chunks are not enough.
    let rows = [0, 1, 2, 3, 0, 4, 5, 6];
    let stream = zlib(&rows);
    let start = png(3, 2, 8, 0, &[], &rows, &[]).windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    let half = [&png(3, 2, 8, 0, &[], &rows, &[])[..start], &chunk(b"IDAT", &stream[..9])].concat();
    assert_eq!(code(&half), Code::DamagedImage);
}

#[test]
fn webp_without_its_last_chunk_is_complete_with_its_picture() {
    let samples = ramp(9);
    let mut file = webp(3, 1, &samples, ExtendedColorType::Rgb8);
    let picture = file.len();
    file.extend(b"EXIF\xf0\xff\xff\xff");
    // The declared size of the file may include the chunk or not.
    for size in [file.len() - 8, file.len() + 1000] {
        file[4..8].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
        let photo = decode(&file).unwrap();
        assert_eq!((photo.samples(), photo.notices()), (&samples[..], &[Notice::EndMissing][..]));
        let outline = Outline::new(&file, &Limits::default()).unwrap();
        assert_eq!(outline.ended(&file).unwrap().len(), picture);
    }
    assert_eq!(code(&file[..picture - 4]), Code::DamagedImage);
}

/// A PNG file of six grey pixels with this zlib stream.
fn six(stream: &[u8]) -> Vec<u8> {
    let whole = png(3, 2, 8, 0, &[], &[0; 8], &[]);
    let start = whole.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
    [&whole[..start], &chunk(b"IDAT", stream), &chunk(b"IEND", b"")].concat()
}

#[test]
fn either_checksum_of_png_confirms_the_pixels() {
    let stream = zlib(&[0, 1, 2, 3, 0, 4, 5, 6]);
    let whole = six(&stream);
    let (end, adler) = (whole.len() - 12, whole.len() - 20);
    let bent = |at: &[usize]| {
        let mut file = whole.clone();
        for &at in at {
            file[at] ^= 1;
        }
        file
    };
    let wrong_adler = six(&[&stream[..stream.len() - 1], &[stream[stream.len() - 1] ^ 1]].concat());
    let no_adler = six(&stream[..stream.len() - 4]);
    let notice = |file: &[u8]| {
        let photo = decode(file).unwrap();
        assert_eq!(photo.samples(), [1, 2, 3, 4, 5, 6]);
        photo.notices().to_vec()
    };
    for file in [bent(&[end - 1]), wrong_adler.clone(), no_adler] {
        assert_eq!(notice(&file), [Notice::ChecksumWrong]);
    }
    // If only our decoders can unpack a file, the page must not pass it to its browser.
    let outline = |file: &[u8]| Outline::new(file, &Limits::default()).unwrap();
    assert_eq!(outline(&bent(&[end - 1])).plain(), None);
    assert_eq!(outline(&whole[..end - 1]).plain(), None);
    // Damage of the end: its checksum, its name, its length.
    for at in [whole.len() - 1, whole.len() - 5, end] {
        assert_eq!(notice(&bent(&[at])), [Notice::EndMissing]);
        assert_eq!(
            (outline(&bent(&[at])).plain(), outline(&bent(&[at])).notices()),
            (Some(1), &[Notice::EndMissing][..])
        );
    }
    for file in [bent(&[end - 1, adler]), bent(&[adler]), wrong_adler[..end - 1].to_vec()] {
        assert_eq!(code(&file), Code::DamagedImage, "neither checksum confirms it");
    }
}

#[test]
fn rows_decide_of_png_of_every_kind() {
    // One row less than the header declares, for each kind of pixel.
    for (depth, color, line) in [(1, 0, 3), (8, 0, 10), (16, 0, 19), (8, 2, 28), (8, 4, 19), (16, 6, 73), (4, 0, 6)] {
        let rows = vec![0; 3 * line];
        assert!(decode(&png(9, 3, depth, color, &[], &rows, &[])).is_ok(), "{depth} {color}");
        let file = png(9, 3, depth, color, &[], &rows, &[]);
        for cut in 13..20 {
            let photo = decode(&file[..file.len() - cut]).unwrap();
            assert_eq!(photo.samples(), decode(&file).unwrap().samples());
            assert!(photo.notices().contains(&Notice::EndMissing), "{depth} {color} {cut}");
        }
        assert_eq!(code(&png(9, 3, depth, color, &[], &rows[1..], &[])), Code::DamagedImage, "{depth} {color}");
    }
    // Interlaced: the seven passes of 5 x 3 pixels have 1, 1, 0, 1, 3, 4 and 5 pixels.
    let mut interlaced = png(5, 3, 8, 0, &[], &[0, 1, 0, 5, 0, 3, 0, 1, 3, 5, 0, 2, 4, 0, 2, 4, 0, 1, 2, 3, 4, 5], &[]);
    interlaced[28] = 1;
    let sum = crc32fast::hash(&interlaced[12..29]);
    interlaced[29..33].copy_from_slice(&sum.to_be_bytes());
    let whole = decode(&interlaced).unwrap();
    let cut = decode(&interlaced[..interlaced.len() - 17]).unwrap();
    assert_eq!((cut.samples(), cut.notices()), (whole.samples(), &[Notice::EndMissing][..]));
}

#[test]
fn an_animation_has_a_notice_that_says_what_is_left_out() {
    let control = |frames: u8| chunk(b"acTL", &[0, 0, 0, frames, 0, 0, 0, 0]);
    let frame = {
        let mut body = vec![0; 26];
        (body[7], body[11]) = (2, 1);
        chunk(b"fcTL", &body)
    };
    let more = [frame.clone(), chunk(b"fdAT", &[&[0, 0, 0, 2][..], &zlib(&[0, 9, 9])].concat())];
    let file = |before: &[Vec<u8>], after: &[Vec<u8>]| png(2, 1, 8, 0, before, &[0, 7, 8], after);
    let notices = |before: &[Vec<u8>], after: &[Vec<u8>]| decode(&file(before, after)).unwrap().notices().to_vec();
    assert_eq!(notices(&[control(2), frame.clone()], &more), [Notice::FirstFrameOnly]);
    assert_eq!(notices(&[control(1), frame.clone()], &[]), []);
    assert_eq!(notices(&[control(2)], &more), [Notice::StillImageOnly]);
    assert_eq!(notices(&[control(1)], &more), [Notice::StillImageOnly]);
    // The frames in the file count, not the declared number.
    assert_eq!(notices(&[control(2), frame.clone()], &[]), [], "says two, has one");
    assert_eq!(notices(&[control(1), frame.clone()], &more), [Notice::FirstFrameOnly], "says one, has two");
    assert_eq!(notices(&[control(2)], &[]), [], "says two, has none");
    assert_eq!(notices(&[], &[control(2)]), [], "says it behind the pixels, where the standard has no room for it");
    let cut = file(&[control(2), frame], &[]);
    let photo = decode(&cut[..cut.len() - 12]).unwrap();
    assert_eq!(photo.notices(), [Notice::EndMissing, Notice::FirstFrameOnly], "the rest may be missing");
}

#[test]
fn what_starts_wrongly_is_called_what_it_is() {
    let message = |file: &[u8]| {
        let error = decode(file).unwrap_err();
        assert_eq!(error.kind(), Code::DamagedImage);
        error.message().to_owned()
    };
    let file = jpeg(24, 16, &ramp(24 * 16 * 3), ColorType::Rgb, None);
    assert!(message(&[&file[..2], &file].concat()).contains("another photo begins inside it"));
    let mut piped = webp(3, 1, &ramp(9), ExtendedColorType::Rgb8);
    piped[4..8].fill(0);
    assert!(message(&piped).contains("says that it is empty"));
}

#[test]
fn jpeg_without_codes_has_those_of_the_standard() {
    let file = jpeg(40, 24, &ramp(40 * 24 * 3), ColorType::Rgb, None);
    let mut bare = file.clone();
    while let Some(at) = bare.windows(2).position(|pair| pair == [0xff, 0xc4]) {
        let end = at + 2 + usize::from(u16::from_be_bytes([bare[at + 2], bare[at + 3]]));
        bare.drain(at..end);
    }
    assert_eq!(decode(&bare).unwrap(), decode(&file).unwrap());
    // Progressive files have their own codes.
    let frame = bare.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bare[frame + 1] = 0xc2;
    assert_eq!(code(&bare), Code::DamagedImage);
}

#[test]
fn values_that_no_picture_gives_are_told() {
    for file in jpegs() {
        assert_eq!(decode(&file).unwrap().notices(), []);
        let mut large = file.clone();
        let tables: Vec<usize> =
            (0..file.len() - 1).filter(|&at| file[at..at + 2] == [0xff, 0xdb] && at < last_scan(&file)).collect();
        for at in tables {
            let end = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            large[at + 5..end].iter_mut().for_each(|step| *step = 255);
        }
        let outline = Outline::new(&large, &Limits::default()).unwrap();
        assert_eq!(outline.notices(), [Notice::BeyondRange]);
    }
}

#[test]
fn jfif_is_believed_before_adobe() {
    let file = jpeg(24, 16, &ramp(24 * 16 * 3), ColorType::Rgb, None);
    let adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";
    let tables = file.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap();
    let both = [&file[..tables], adobe, &file[tables..]].concat();
    assert_eq!(decode(&both).unwrap(), decode(&file).unwrap());
}
