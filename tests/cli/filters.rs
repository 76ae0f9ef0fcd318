//! Photo in, photo out: every filter, bit by bit, compared with the same filter on the clear picture.

use crate::program::{Folder, picture};
use crate::reference::{Kernel, blended, filtered, shown};
use safelight::photo::Photo;

/// Each filter as on the command line, as in `--for`, and in the clear.
fn cases() -> Vec<(&'static str, &'static str, Kernel, i64)> {
    let emboss = Kernel::new(&[&[-2, -1, 0], &[-1, 1, 1], &[0, 1, 2]], 1);
    let own = Kernel::new(&[&[3, -1, 4, 1, -5], &[9, 2, -6, 5, 3], &[5, 8, 9, -7, 9]], 7);
    vec![
        ("mean --radius 1", "mean radius=1", Kernel::mean(3, 3), 0),
        ("mean --size 5x3", "mean size=5x3", Kernel::mean(5, 3), 0),
        ("mean --size 1x7", "mean size=1x7", Kernel::mean(1, 7), 0),
        ("gaussian --sigma 0.8 --radius 1", "gaussian sigma=0.8 radius=1", Kernel::gaussian(0.8, 1), 0),
        ("gaussian", "gaussian", Kernel::gaussian(1.0, 2), 0),
        ("gaussian --sigma 1.5", "gaussian sigma=1.5", Kernel::gaussian(1.5, 3), 0),
        ("sharpen", "sharpen", Kernel::new(&[&[0, -1, 0], &[-1, 5, -1], &[0, -1, 0]], 1), 0),
        ("sobel-x", "sobel-x", Kernel::new(&[&[-1, 0, 1], &[-2, 0, 2], &[-1, 0, 1]], 1), 0),
        ("sobel-y", "sobel-y", Kernel::new(&[&[-1, -2, -1], &[0, 0, 0], &[1, 2, 1]], 1), 0),
        ("laplacian", "laplacian", Kernel::new(&[&[0, 1, 0], &[1, -4, 1], &[0, 1, 0]], 1), 0),
        ("emboss", "emboss", emboss, 0),
        (
            "kernel --kernel 3,-1,4,1,-5;9,2,-6,5,3;5,8,9,-7,9 --divisor 7",
            "kernel weights=3,-1,4,1,-5;9,2,-6,5,3;5,8,9,-7,9 divisor=7",
            own,
            0,
        ),
        ("kernel --kernel -1", "kernel weights=-1", Kernel::new(&[&[-1]], 1), 0),
        ("brightness --offset -40", "brightness offset=-40", Kernel::mean(1, 1), -40),
        ("brightness --offset 99", "brightness offset=99", Kernel::mean(1, 1), 99),
    ]
}

/// Encrypts `photo.png`, filters and decrypts it to `out.png`.
#[track_caller]
fn through(folder: &Folder, border: &str, filter: &str, room: &str, view: &str) {
    let encrypt = ["encrypt", "--key", "my.key", "photo.png", "--out", "in.slt", "--border", border, "--for", room];
    folder.run_with(encrypt).ok();
    folder.run(&format!("filter {filter} in.slt --out out.slt")).ok();
    folder.run(&format!("decrypt --key my.key out.slt --out out.png --view {view}")).ok();
}

fn every_filter_on(photo: &Photo) {
    let folder = Folder::new();
    folder.write_png("photo.png", photo);
    let borders = ["replicate", "reflect", "zero"].into_iter().cycle();
    let views = ["clamp", "signed", "absolute", "clamp"].into_iter().cycle();
    for (((filter, room, kernel, offset), border), view) in cases().into_iter().zip(borders).zip(views) {
        through(&folder, border, filter, room, view);
        let out = folder.read_photo("out.png");
        let expected = shown(&filtered(photo, &kernel, border, offset), view);
        assert_eq!((out.width(), out.height(), out.channels()), (photo.width(), photo.height(), photo.channels()));
        assert_eq!(out.samples(), expected, "{filter}, {border}, {view}");
    }
}

#[test]
fn every_filter_on_grey() {
    every_filter_on(&picture(17, 11, 1, 1));
}

#[test]
fn every_filter_on_rgb() {
    every_filter_on(&picture(13, 9, 3, 2));
}

#[test]
fn every_filter_on_a_single_pixel() {
    every_filter_on(&picture(1, 1, 3, 3));
}

#[test]
fn transparency_stays_here_and_comes_back() {
    let folder = Folder::new();
    let alpha: Vec<u8> = (0..70).map(|i| i * 3).collect();
    let photo = picture(7, 10, 3, 4).with_alpha(alpha.clone()).expect("a picture");
    folder.write_png("photo.png", &photo);
    let run = folder.run("encrypt --key my.key photo.png --out in.slt");
    assert!(run.errors().contains("note: the photo's transparency stays here"), "{}", run.errors());
    assert!(run.errors().contains("`decrypt --original` puts its transparency into the picture"), "{}", run.errors());
    run.ok();
    assert_eq!(folder.run("encrypt --quiet --key my.key photo.png --out in.slt").errors(), "");
    folder.run("filter mean in.slt --out out.slt").ok();
    let expected = shown(&filtered(&photo, &Kernel::mean(3, 3), "replicate", 0), "clamp");

    folder.run("decrypt --key my.key out.slt --out out.png").ok();
    assert_eq!((folder.read_photo("out.png").samples(), folder.read_photo("out.png").alpha()), (&expected[..], None));
    let run = folder.run("decrypt --key my.key out.slt --out out.png --original photo.png");
    let said = run.errors();
    assert!(said.contains("gets the transparency of the original photo") && !said.contains("stays here"), "{said}");
    run.ok();
    let out = folder.read_photo("out.png");
    assert_eq!((out.samples(), out.alpha()), (&expected[..], Some(&alpha[..])));
    // An opaque picture has no transparency to keep.
    folder.write_png("opaque.png", &picture(7, 10, 3, 4).with_alpha(vec![255; 70]).expect("a picture"));
    assert_eq!(folder.run("encrypt --key my.key opaque.png --out opaque.slt").errors(), "");

    folder.write_png("other.png", &picture(7, 9, 1, 5));
    folder.run("decrypt --key my.key out.slt --out no.png --original other.png").error("images_differ");
    assert!(!folder.path("no.png").exists());
}

#[test]
fn exact_values_come_out_in_16_bits() {
    let folder = Folder::new();
    let photo = picture(9, 6, 1, 6);
    folder.write_png("photo.png", &photo);
    through(&folder, "replicate", "laplacian", "laplacian", "exact16");
    let values = filtered(&photo, &Kernel::new(&[&[0, 1, 0], &[1, -4, 1], &[0, 1, 0]], 1), "replicate", 0);
    let wanted: Vec<u16> = values.iter().map(|value| u16::try_from(value + 32_768).expect("16 bits")).collect();
    assert_eq!(folder.read("out.png"), safelight::photo::encode_png16(9, 6, 1, &wanted, None).expect("PNG"));
}

#[test]
fn two_photos_blend() {
    let folder = Folder::new();
    let (one, two) = (picture(11, 7, 3, 7), picture(11, 7, 3, 8));
    folder.write_png("one.png", &one);
    folder.write_png("two.png", &two);
    for name in ["one", "two"] {
        let file = format!("{name}.slt");
        folder.run_with(["encrypt", "--key", "my.pub", &format!("{name}.png"), "--out", &file, "--for", "blend"]).ok();
    }
    folder.run("filter blend --share 30 one.slt two.slt --out both.slt").ok();
    // Encrypted with the public key, as someone else would do it.
    folder.run("decrypt --key my.key both.slt --out both.png").error("not_verifiable");
    folder.run("decrypt --key my.key both.slt --out both.png --from-others").ok();
    assert_eq!(folder.read_photo("both.png").samples(), shown(&blended(&one, &two, 30), "clamp"));

    folder.run("filter blend one.slt --out no.slt").error("bad_argument");
    folder.run("filter mean one.slt two.slt --out no.slt").error("bad_argument");
    folder.write_png("small.png", &picture(5, 7, 3, 8));
    folder.run("encrypt --key my.key small.png --out small.slt --radius 0 --slot-bits 15").ok();
    folder.run("filter blend one.slt small.slt --out no.slt").error("images_differ");
}

#[test]
fn filters_follow_each_other() {
    let folder = Folder::new();
    let photo = picture(10, 12, 1, 9);
    folder.write_png("photo.png", &photo);
    let arguments = "encrypt --key my.key photo.png --out in.slt --border zero --for";
    let arguments = arguments.split(' ').chain(["mean radius=1", "--for", "sobel-x", "--for", "brightness offset=5"]);
    folder.run_with(arguments).ok();
    folder.run("filter mean in.slt --out a.slt").ok();
    folder.run("filter sobel-x a.slt --out b.slt").ok();
    folder.run("filter brightness --offset 5 b.slt --out c.slt").ok();
    folder.run("decrypt --key my.key c.slt --out out.png --view signed").ok();
    // The derivative uses the sums of the mean before their division, so there is one rounding at the end. Both kernels
    // combined:
    let both = Kernel::new(
        &[&[-1, -1, 0, 1, 1], &[-3, -3, 0, 3, 3], &[-4, -4, 0, 4, 4], &[-3, -3, 0, 3, 3], &[-1, -1, 0, 1, 1]],
        9,
    );
    assert_eq!(folder.read_photo("out.png").samples(), shown(&filtered(&photo, &both, "zero", 5), "signed"));

    let info: serde_json::Value = serde_json::from_slice(&folder.run("info --json c.slt").ok()).expect("JSON");
    assert_eq!(info["filters"], serde_json::json!(["mean size=3x3", "sobel-x", "brightness offset=5"]));
    assert_eq!(info["divisor"], 9);
    folder.run("filter mean c.slt --out no.slt").error("halo_too_small");
}

#[test]
fn jpeg_and_16_bit_files_are_taken_with_notes() {
    let folder = Folder::new();
    let values: Vec<u16> = (0..40).map(|i| i * 1600).collect();
    folder.write("deep.png", &safelight::photo::encode_png16(8, 5, 1, &values, None).expect("PNG"));
    let run = folder.run("encrypt --key my.key deep.png --out deep.slt");
    assert!(run.errors().contains("note: the photo has 16 bits per sample"), "{}", run.errors());
    run.ok();
    folder.run("decrypt --key my.key deep.slt --out deep8.png").ok();
    let rounded: Vec<u32> = values.iter().map(|&v| (u32::from(v) * 255 + 32_767) / 65_535).collect();
    assert!(folder.read_photo("deep8.png").samples().iter().map(|&v| u32::from(v)).eq(rounded));
}
