//! Colour information in intact and hostile files, its priority, and conversion.

use moxcms::ColorProfile;
use proptest::prelude::*;

use super::*;
use crate::photo::{Limits, Photo, encode_png, encode_png_in};

const P3: Coded = Coded { primaries: 12, transfer: 13, full_range: true };
const ADOBE: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000];

fn p3() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().unwrap()
}

fn samples(count: usize) -> Vec<u8> {
    (0..count).map(|i| u8::try_from(i * 37 % 251).unwrap()).collect()
}

/// A PNG file with these chunks before its pixels.
fn png(channels: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let png = encode_png(4, 3, channels, &samples(12 * usize::from(channels)), None).unwrap();
    let (start, rest) = png.split_at(33);
    [start, &chunks.concat(), rest].concat()
}

fn iccp(profile: &[u8]) -> Vec<u8> {
    Colour::Icc(profile.to_vec()).png_chunks()
}

fn srgb_chunk() -> Vec<u8> {
    chunk(*b"sRGB", &[0])
}

fn adobe_gamma() -> Vec<Vec<u8>> {
    vec![Colour::Measured(Measured { gamma: Some(45_455), chromaticities: Some(ADOBE) }).png_chunks()]
}

/// A JPEG file with these application segments 2.
fn jpeg(channels: u8, segments: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    let color = if channels == 1 { jpeg_encoder::ColorType::Luma } else { jpeg_encoder::ColorType::Rgb };
    jpeg_encoder::Encoder::new(&mut out, 95).encode(&samples(12 * usize::from(channels)), 4, 3, color).unwrap();
    let segments: Vec<u8> = segments.iter().flat_map(|body| app(0xe2, body)).collect();
    [&out[..2], &segments, &out[2..]].concat()
}

fn app(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], length.as_slice(), body].concat()
}

fn piece(number: u8, count: u8, data: &[u8]) -> Vec<u8> {
    [b"ICC_PROFILE\0", [number, count].as_slice(), data].concat()
}

#[track_caller]
fn read(file: &[u8]) -> (Colour, Vec<Notice>) {
    let photo = Photo::decode(file, &Limits::default()).unwrap();
    assert_eq!((photo.width(), photo.height()), (4, 3));
    (photo.colour().clone(), photo.notices().to_vec())
}

#[test]
fn profiles_are_found_in_every_container() {
    let profile = p3();
    let wanted = (Colour::Icc(profile.clone()), Vec::new());
    assert_eq!(read(&png(3, &[iccp(&profile)])), wanted);
    assert_eq!(read(&png(1, &[iccp(&profile)])), wanted, "a grey photo may have an RGB profile");
    assert_eq!(read(&jpeg(3, &[piece(1, 1, &profile)])), wanted);
    assert_eq!(read(&jpeg(1, &[piece(1, 1, &profile)])), wanted);
    let grey = ColorProfile::new_gray_with_gamma(1.8).encode().unwrap();
    assert_eq!(read(&png(1, &[iccp(&grey)])).0, Colour::Icc(grey.clone()));
    assert_eq!(read(&png(3, &[iccp(&grey)])), (Colour::Srgb, vec![Notice::ProfileUnusable]));
    // The numbers of the pieces define the order.
    let (a, b) = profile.split_at(100);
    assert_eq!(read(&jpeg(3, &[piece(2, 2, b), piece(1, 2, a)])), wanted);
    // Data after the profile do not belong to it.
    assert_eq!(read(&png(3, &[iccp(&[profile.as_slice(), b"more"].concat())])), wanted);
}

#[cfg(feature = "webp")]
#[test]
fn profiles_are_found_in_webp() {
    use image::{ExtendedColorType, ImageEncoder as _, codecs::webp::WebPEncoder};
    let mut out = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut out);
    encoder.set_icc_profile(p3()).unwrap();
    encoder.write_image(&samples(36), 4, 3, ExtendedColorType::Rgb8).unwrap();
    assert_eq!(read(&out), (Colour::Icc(p3()), Vec::new()));
}

#[test]
fn damaged_profiles_are_told_and_do_no_harm() {
    let profile = p3();
    let unusable = (Colour::Srgb, vec![Notice::ProfileUnusable]);
    let (a, b) = profile.split_at(100);
    let changed = |at: usize, bytes: &[u8]| {
        let mut changed = profile.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    for pieces in [
        vec![piece(1, 2, a)],
        vec![piece(1, 2, a), piece(1, 2, b)],
        vec![piece(1, 2, a), piece(3, 2, b)],
        vec![piece(0, 2, a), piece(1, 2, b)],
        vec![piece(1, 1, a), piece(2, 1, b)],
        vec![piece(1, 1, a)],
        vec![piece(1, 1, &[])],
        vec![piece(1, 1, &changed(36, b"none"))],
        vec![piece(1, 1, &changed(16, b"Lab "))],
        vec![piece(1, 1, &changed(12, b"link"))],
        vec![piece(1, 1, &changed(0, &[0xff; 4]))],
    ] {
        assert_eq!(read(&jpeg(3, &pieces)), unusable);
    }
    // A profile for inks does not describe red, green and blue, and the file is not for printers.
    assert_eq!(read(&jpeg(3, &[piece(1, 1, &changed(16, b"CMYK"))])), unusable);

    let good = iccp(&profile);
    let mut bad_sum = good.clone();
    *bad_sum.last_mut().unwrap() ^= 1;
    let stream = |data: &[u8]| chunk(*b"iCCP", data);
    let bomb = stored(&vec![0; MAX_PROFILE + 1]);
    for chunk in [
        bad_sum,
        stream(b""),
        stream(b"icc"),
        stream(b"icc\0"),
        stream(b"\0\0x"),
        stream(&[b"icc\0\x01".as_slice(), &stored(&profile)].concat()),
        stream(&[[b'n'; 80].as_slice(), b"\0\0", &stored(&profile)].concat()),
        stream(b"icc\0\0no zlib"),
        stream(&[b"icc\0\0".as_slice(), &bomb].concat()),
    ] {
        assert_eq!(read(&png(3, std::slice::from_ref(&chunk))), unusable);
        // In that case the file's other colour information counts.
        assert_eq!(read(&png(3, &[chunk, adobe_gamma().concat()])).0.to_bytes()[0], b'3');
    }
    // After the pixels, a profile is too late and is ignored.
    let mut late = png(3, &[]);
    let end = late.len() - 12;
    late.splice(end..end, good);
    assert_eq!(read(&late), (Colour::Srgb, Vec::new()));
}

#[test]
fn four_inks_are_told_and_no_profile_is_kept_for_them() {
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 95);
    encoder.encode(&samples(48), 4, 3, jpeg_encoder::ColorType::Cmyk).unwrap();
    let profile = p3();
    let inks = [&profile[..16], b"CMYK", &profile[20..]].concat();
    for profile in [Vec::new(), app(0xe2, &piece(1, 1, &inks)), app(0xe2, &piece(1, 1, &profile))] {
        let file = [&file[..2], &profile, &file[2..]].concat();
        assert_eq!(read(&file), (Colour::Srgb, vec![Notice::Cmyk]));
        assert_eq!(crate::photo::Outline::new(&file, &Limits::default()).unwrap().notices(), [Notice::Cmyk]);
    }
}

#[test]
fn code_points_that_cannot_be_used_are_told() {
    let coded = |bytes: &[u8]| chunk(*b"cICP", bytes);
    let mut bad_sum = coded(&[12, 13, 0, 1]);
    *bad_sum.last_mut().unwrap() ^= 1;
    for bad in [coded(&[1, 13]), coded(&[200, 13, 0, 1]), coded(&[1, 13, 1, 1]), coded(&[2, 2, 0, 1]), bad_sum] {
        assert_eq!(read(&png(3, std::slice::from_ref(&bad))), (Colour::Srgb, vec![Notice::ProfileUnusable]));
        assert_eq!(read(&png(3, &[bad, iccp(&p3())])), (Colour::Icc(p3()), Vec::new()), "the profile counts then");
    }
}

#[test]
fn the_order_of_marks_is_that_of_the_standard() {
    let coded = |bytes: [u8; 4]| chunk(*b"cICP", &bytes);
    let all = [adobe_gamma().concat(), srgb_chunk(), iccp(&p3()), coded([9, 14, 0, 1])];
    assert_eq!(read(&png(3, &all)).0, Colour::Coded(Coded { primaries: 9, transfer: 14, full_range: true }));
    assert_eq!(read(&png(3, &all[..3])).0, Colour::Icc(p3()));
    assert_eq!(read(&png(3, &all[..2])).0, Colour::Srgb);
    assert_eq!(
        read(&png(3, &all[..1])).0,
        Colour::Measured(Measured { gamma: Some(45_455), chromaticities: Some(ADOBE) })
    );
    // Code points without a meaning for red, green and blue leave the decision to the others; those of sRGB mean sRGB.
    for nothing in [[2, 2, 0, 1], [9, 14, 1, 1], [0, 14, 0, 1], [9, 3, 0, 1], [9, 14, 0, 2]] {
        assert_eq!(read(&png(3, &[coded(nothing), iccp(&p3())])).0, Colour::Icc(p3()), "{nothing:?}");
    }
    assert_eq!(read(&png(3, &[coded([1, 13, 0, 1]), iccp(&p3())])), (Colour::Srgb, Vec::new()));
    assert_eq!(read(&png(3, &[coded([9, 16, 0, 1])])).1, [Notice::HdrIn8Bit]);
}

#[test]
fn numbers_that_mean_srgb_are_srgb_and_senseless_ones_are_told() {
    let file = |gamma: u32, places: Option<[u32; 8]>| {
        let measured = Measured { gamma: Some(gamma), chromaticities: places };
        png(3, &[Colour::Measured(measured).png_chunks()])
    };
    assert_eq!(read(&file(45_455, None)), (Colour::Srgb, Vec::new()));
    assert_eq!(read(&file(45_000, Measured::SRGB.chromaticities)), (Colour::Srgb, Vec::new()));
    assert!(matches!(read(&file(100_000, None)).0, Colour::Measured(_)));
    assert!(matches!(read(&file(55_556, Measured::SRGB.chromaticities)).0, Colour::Measured(_)));
    for places in [[0; 8], [33_000; 8], [31_270, 0, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000], [u32::MAX; 8]] {
        let chunks = [chunk(*b"cHRM", &places.map(u32::to_be_bytes).concat())];
        assert_eq!(read(&png(3, &chunks)), (Colour::Srgb, vec![Notice::ProfileUnusable]), "{places:?}");
    }
    for gamma in [0, u32::MAX] {
        assert_eq!(read(&png(3, &[chunk(*b"gAMA", &gamma.to_be_bytes())])).1, [Notice::ProfileUnusable]);
    }
}

/// An EXIF block as cameras write it, with a colour space and, optionally, an interoperability index.
fn exif(little: bool, colour_space: u16, index: Option<&[u8; 4]>) -> Vec<u8> {
    let n16 = |n: u16| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let n32 = |n: u32| if little { n.to_le_bytes() } else { n.to_be_bytes() };
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [n16(tag).as_slice(), &n16(kind), &n32(count), &value].concat()
    };
    let [a, b] = n16(colour_space);
    [
        if little { b"II*\0".as_slice() } else { b"MM\0*" },
        &n32(8),
        &n16(1),
        &entry(0x8769, 4, 1, n32(26)),
        &n32(0),
        &n16(2),
        &entry(0xa001, 3, 1, [a, b, 0, 0]),
        &entry(0xa005, 4, 1, n32(56)),
        &n32(0),
        &n16(u16::from(index.is_some())),
        &entry(1, 2, 4, *index.unwrap_or(b"\0\0\0\0")),
        &n32(0),
    ]
    .concat()
}

#[test]
fn a_camera_that_says_adobe_rgb_is_believed_where_there_is_no_profile() {
    let adobe = Colour::Icc(adobe::profile());
    let with = |exif: &[u8], more: &[Vec<u8>]| {
        let file = jpeg(3, more);
        let exif = app(0xe1, &[b"Exif\0\0", exif].concat());
        read(&[&file[..2], &exif, &file[2..]].concat()).0
    };
    for little in [false, true] {
        assert_eq!(with(&exif(little, 0xffff, Some(b"R03\0")), &[]), adobe);
        assert_eq!(with(&exif(little, 2, None), &[]), adobe);
        assert_eq!(with(&exif(little, 1, Some(b"R98\0")), &[]), Colour::Srgb);
        assert_eq!(with(&exif(little, 1, Some(b"R03\0")), &[]), Colour::Srgb);
        assert_eq!(with(&exif(little, 0xffff, Some(b"R98\0")), &[]), Colour::Srgb);
        assert_eq!(with(&exif(little, 0xffff, Some(b"R03\0")), &[piece(1, 1, &p3())]), Colour::Icc(p3()));
    }
    // In this case we write the profile that the block names.
    let ours = ColorProfile::new_from_slice(&adobe::profile()).unwrap().rgb_to_xyz_matrix();
    let theirs = ColorProfile::new_adobe_rgb().rgb_to_xyz_matrix();
    for (a, b) in ours.v.iter().flatten().zip(theirs.v.iter().flatten()) {
        assert!((a - b).abs() < 5e-4, "{ours:?} {theirs:?}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    let colours = [
        Colour::Srgb,
        Colour::Icc(p3()),
        Colour::Icc(adobe::profile()),
        Colour::Coded(P3),
        Colour::Coded(Coded { primaries: 9, transfer: 18, full_range: false }),
        Colour::Measured(Measured { gamma: Some(45_455), chromaticities: Some(ADOBE) }),
        Colour::Measured(Measured { gamma: Some(100_000), chromaticities: None }),
        Colour::Measured(Measured { gamma: None, chromaticities: Some(ADOBE) }),
    ];
    for colour in colours {
        assert_eq!(Colour::from_bytes(&colour.to_bytes()).unwrap(), colour);
        for (channels, alpha) in [(1, None), (3, None), (1, Some([9; 12])), (3, Some([9; 12]))] {
            let given = samples(12 * usize::from(channels));
            let alpha = alpha.as_ref().map(<[u8; 12]>::as_slice);
            let file = encode_png_in(&colour, 4, 3, channels, &given, alpha).unwrap();
            let photo = Photo::decode(&file, &Limits::default()).unwrap();
            assert_eq!((photo.colour(), photo.alpha()), (&colour, alpha));
            assert_eq!(photo.channels() == 1, channels == 1 && !colour.needs_rgb());
            let step = usize::from(photo.channels() / channels);
            assert!(photo.samples().iter().step_by(step).eq(&given));
        }
    }
    for bytes in [b"1".as_slice(), b"2", b"2abcd", b"3", b"4", &[b'3'; 37]] {
        assert!(Colour::from_bytes(bytes).is_err());
    }
}

fn pixel(colour: Colour, pixel: [u8; 3]) -> (Vec<u8>, Vec<Notice>) {
    let photo = Photo::from_samples(1, 1, 3, pixel.to_vec()).unwrap().with_colour(colour).into_srgb();
    assert_eq!(*photo.colour(), Colour::Srgb);
    (photo.samples().to_vec(), photo.notices().to_vec())
}

#[track_caller]
fn near(colour: Colour, from: [u8; 3], to: [u8; 3], notices: &[Notice]) {
    let (found, told) = pixel(colour, from);
    assert!(found.iter().zip(to).all(|(a, b)| a.abs_diff(b) <= 1), "{found:?}, not {to:?}");
    assert_eq!(told, notices);
}

#[test]
fn colours_are_converted_as_the_standards_say() {
    use Notice::{ColoursClipped, ConvertedToSrgb, HdrReduced};
    // The values of Display P3 and Adobe RGB are lcms2's, relative colorimetric; tests/interop compares whole pictures.
    for p3 in [Colour::Icc(p3()), Colour::Coded(P3)] {
        near(p3.clone(), [200, 80, 60], [216, 69, 50], &[ConvertedToSrgb]);
        near(p3.clone(), [60, 180, 80], [0, 183, 64], &[ConvertedToSrgb, ColoursClipped]);
        near(p3, [128, 128, 128], [128, 128, 128], &[ConvertedToSrgb]);
    }
    let adobe = Colour::Measured(Measured { gamma: Some(45_471), chromaticities: Some(ADOBE) });
    for adobe in [Colour::Icc(adobe::profile()), adobe] {
        near(adobe.clone(), [255, 255, 255], [255, 255, 255], &[ConvertedToSrgb]);
        near(adobe, [200, 80, 60], [230, 79, 56], &[ConvertedToSrgb]);
    }
    let linear = Colour::Measured(Measured { gamma: Some(100_000), chromaticities: None });
    near(linear, [55, 55, 55], [128, 128, 128], &[ConvertedToSrgb]);
    // Narrow range.
    near(
        Colour::Coded(Coded { primaries: 1, transfer: 13, full_range: false }),
        [16, 235, 126],
        [0, 255, 128],
        &[ConvertedToSrgb],
    );
    // PQ: 203 candela per square metre are white (58.1 % of the scale); 102 of them, which are 130, are 188.
    let hdr = |transfer| Colour::Coded(Coded { primaries: 9, transfer, full_range: true });
    near(hdr(16), [148; 3], [255; 3], &[ConvertedToSrgb, HdrReduced]);
    near(hdr(16), [130; 3], [188; 3], &[ConvertedToSrgb, HdrReduced]);
    near(hdr(16), [255; 3], [255; 3], &[ConvertedToSrgb, HdrReduced]);
    // HLG: the same white is at three quarters of the scale.
    near(hdr(18), [191; 3], [255; 3], &[ConvertedToSrgb, HdrReduced]);
    near(hdr(18), [0; 3], [0; 3], &[ConvertedToSrgb, HdrReduced]);
    assert_eq!(
        pixel(Colour::Coded(Coded { primaries: 9, transfer: 12, full_range: true }), [1, 2, 3]),
        (vec![1, 2, 3], vec![Notice::ProfileUnusable])
    );
}

#[test]
fn profiles_of_srgb_are_recognised_and_change_nothing() {
    let srgb = Colour::Icc(ColorProfile::new_srgb().encode().unwrap());
    assert!(srgb.is_srgb());
    assert_eq!(pixel(srgb, [200, 80, 60]), (vec![200, 80, 60], Vec::new()));
    for other in [Colour::Icc(p3()), Colour::Icc(adobe::profile()), Colour::Coded(P3)] {
        assert!(!other.is_srgb());
    }
    let gamma = |gamma| Colour::Icc(ColorProfile::new_gray_with_gamma(gamma).encode().unwrap());
    let grey = Photo::from_samples(2, 1, 1, vec![0, 128]).unwrap().with_colour(gamma(1.0)).into_srgb();
    assert_eq!((grey.channels(), grey.samples()), (1, [0, 188].as_slice()));
    let grey = Photo::from_samples(1, 1, 1, vec![128]).unwrap().with_colour(Colour::Icc(p3())).into_srgb();
    assert_eq!((grey.channels(), grey.samples()), (1, [128].as_slice()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// For any content of a profile: it is kept or reported, and conversion ends.
    #[test]
    fn no_profile_does_harm(places in prop::collection::vec((128..2000usize, any::<u8>()), 1..12), cut in 0..4usize) {
        let mut profile = if cut % 2 == 0 { p3() } else { adobe::profile() };
        for (at, byte) in places {
            let at = at % profile.len();
            if at >= 4 {
                profile[at] = byte;
            }
        }
        if let Ok(colour) = Colour::icc(&profile, 3) {
            let _ = colour.is_srgb();
            let photo = Photo::from_samples(4, 3, 3, samples(36)).unwrap().with_colour(colour).into_srgb();
            prop_assert!(!photo.notices().is_empty() || photo.samples() == samples(36));
        }
    }

    #[test]
    fn no_exif_does_harm(tail in prop::collection::vec(any::<u8>(), 0..200), at in 0..80usize, byte: u8) {
        let _ = exif::says_adobe(&[b"II*\0".as_slice(), &tail].concat());
        let mut changed = exif(true, 0xffff, Some(b"R03\0"));
        if let Some(place) = changed.get_mut(at) {
            *place = byte;
        }
        let _ = exif::says_adobe(&changed);
    }
}
