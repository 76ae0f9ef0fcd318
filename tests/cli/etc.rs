//! `safelight etc` and `attack etc` as their users see them.

use crate::program::{Folder, mode, picture};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(90, 70, 3, 11));
    folder.run("keygen etc --out etc.key").ok();
    folder
}

#[test]
fn a_photo_is_scrambled_and_put_together_again() {
    let folder = folder();
    assert_eq!(mode(&folder.path("etc.key")) & 0o77, 0, "for its owner alone");
    for options in ["", "--block 8", "--fixed-key"] {
        folder.run(&format!("etc encrypt --key etc.key photo.png --out scrambled.png {options}")).ok();
        assert_ne!(folder.read_photo("scrambled.png").samples(), folder.read_photo("photo.png").samples());
        folder.run("etc decrypt --key etc.key scrambled.png --out back.png").ok();
        assert_eq!(folder.read_photo("back.png"), folder.read_photo("photo.png"));
    }
    folder.run("etc encrypt --key etc.key photo.png --out scrambled.jpg --form grey-420 --quality 90").ok();
    folder.run("etc decrypt --key etc.key scrambled.jpg --out back.png").ok();
    let back = folder.read_photo("back.png");
    assert_eq!((back.width(), back.height(), back.channels()), (90, 70, 3));
}

#[test]
fn a_label_kept_aside_replaces_the_one_that_a_site_dropped() {
    let folder = folder();
    folder.run("etc encrypt --key etc.key photo.png --out scrambled.png").ok();
    let label = String::from_utf8(folder.run("etc label scrambled.png").ok()).expect("text");
    folder.write_png("bare.png", &folder.read_photo("scrambled.png"));
    folder.run("etc label bare.png").error("bad_header");
    let message = folder.run("etc decrypt --key etc.key bare.png --out back.png").error("bad_header");
    assert!(message.contains("--label"), "{message}");
    folder
        .run_with(["etc", "decrypt", "--key", "etc.key", "bare.png", "--out", "back.png", "--label", label.trim()])
        .ok();
    assert_eq!(folder.read_photo("back.png"), folder.read_photo("photo.png"));
}

#[test]
fn what_cannot_be_put_together_is_said_and_leaves_nothing() {
    let folder = folder();
    folder.run("etc encrypt --key etc.key photo.png --out scrambled.png").ok();
    folder.run("keygen etc --out other.key").ok();
    let label = String::from_utf8(folder.run("etc label scrambled.png").ok()).expect("text");
    folder.write_png("small.png", &picture(45, 35, 3, 1));
    let before = folder.names();
    folder.run("etc decrypt --key other.key scrambled.png --out back.png").error("foreign_key");
    folder.run("etc decrypt --key my.key scrambled.png --out back.png").error("wrong_kind");
    folder.run("encrypt --key etc.key photo.png --out back.png").error("wrong_kind");
    let small = ["etc", "decrypt", "--key", "etc.key", "small.png", "--out", "back.png", "--label", label.trim()];
    folder.run_with(small).error("images_differ");
    folder.run("etc encrypt --key etc.key photo.png --out back.png --quality 80").error("bad_argument");
    folder.run("etc encrypt --key etc.key photo.png --out etc.key").error("file_exists");
    folder.run("keygen etc --out etc.key").error("file_exists");
    assert_eq!(folder.names(), before);
}

#[test]
fn a_key_of_scrambled_pictures_can_be_protected_and_is_told_apart() {
    let folder = folder();
    folder.write("phrase", b"three barrels under the stairs");
    folder.run("protect etc.key --passphrase-file phrase --out etc.age").ok();
    folder.run("unprotect etc.age --passphrase-file phrase --out again.key").ok();
    assert_eq!(folder.read("again.key"), folder.read("etc.key"));
    folder.run("etc encrypt --key etc.age --passphrase-file phrase photo.png --out scrambled.png").ok();
    let facts = String::from_utf8(folder.run("info etc.key").ok()).expect("text");
    assert!(facts.contains("etc key") && facts.contains("etc of 256 bits"), "{facts}");
}

#[test]
fn pictures_under_a_fixed_key_are_seen_through() {
    let folder = folder();
    let mut names = Vec::new();
    for number in 0..10u8 {
        let (photo, scrambled) = (format!("p{number}.png"), format!("s{number}.png"));
        folder.write_png(&photo, &waves(number.into()));
        folder.run(&format!("etc encrypt --key etc.key {photo} --fixed-key --out {scrambled}")).ok();
        names.push((photo, scrambled));
    }
    let list = |pick: fn(&(String, String)) -> &String| names.iter().map(pick).cloned().collect::<Vec<_>>().join(" ");
    let (photos, scrambled) = (list(|n| &n.0), list(|n| &n.1));
    let text = folder.run(&format!("attack etc {scrambled} --out-dir seen --originals {photos}")).ok();
    let text = String::from_utf8(text).expect("text");
    assert!(text.starts_with("100 % of the blocks were joined\n"), "{text}");
    assert_eq!(text.matches("1.000 recovered").count(), 10, "{text}");
    for (photo, scrambled) in &names {
        assert_eq!(folder.read_photo(&format!("seen/{scrambled}")), folder.read_photo(photo));
    }
}

#[test]
fn a_known_photo_opens_the_other_pictures_of_its_key() {
    let folder = folder();
    for number in 0..2u8 {
        folder.write_png(&format!("p{number}.png"), &waves(number.into()));
        let files = format!("p{number}.png --fixed-key --out s{number}.png");
        folder.run(&format!("etc encrypt --key etc.key {files}")).ok();
    }
    let text = folder.run("attack etc s0.png s1.png --known p0.png --originals p0.png p1.png --out-dir seen").ok();
    let text = String::from_utf8(text).expect("text");
    assert!(text.starts_with("100 % of the blocks were matched, 0 % of them ambiguously\n"), "{text}");
    assert_eq!(folder.read_photo("seen/s1.png"), folder.read_photo("p1.png"));
    folder.run("attack etc s0.png --known p0.png p1.png --out-dir seen").error("bad_argument");
    folder.write_png("small.png", &picture(45, 35, 3, 1));
    folder.run("attack etc s0.png --known small.png --out-dir seen").error("images_differ");
}

#[test]
fn the_table_of_attacks_is_printed_and_written() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("photos")).expect("a folder");
    for number in 0..2 {
        folder.write_png(&format!("photos/p{number}.png"), &waves(number));
    }
    let what = "--encryption colour PE --block 16 --side 32 --quality 80";
    let text = folder.run(&format!("attack table --data photos {what} --csv table.csv --out-dir seen")).ok();
    let text = String::from_utf8(text).expect("text");
    let csv = String::from_utf8(folder.read("table.csv")).expect("text");
    assert_eq!(text.lines().count(), csv.lines().count());
    let known = |line: &&str| line.starts_with("EtC colour,16,32,4,31,fixed,lossless,1 known,");
    let line = csv.lines().find(known).unwrap_or_else(|| panic!("{csv}"));
    assert!(line.contains(",1.000,1.000,inf,1.000,"), "{line}");
    let seen = folder.read_photo("seen/etc-colour-16-32-lossless-fixed-1-known-0.png");
    assert_eq!((seen.width(), seen.height()), (96, 32), "photo, scrambled picture, what was seen");
    folder.run(&format!("attack table --data photos {what} --side 512")).error("bad_argument");
    folder.run(&format!("attack table --data nothing {what}")).error("not_found");
}

/// A picture of a few waves, different for each number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn waves(number: u32) -> safelight::photo::Photo {
    let sample = |x: u32, y: u32, c: u32| {
        let wave = |k: u32| {
            let seed = f64::from(number * 31 + c * 7 + k);
            let (across, down) = (0.05 + 0.03 * seed.sin(), 0.06 + 0.03 * (1.7 * seed).cos());
            (f64::from(x) * across + f64::from(y) * down + seed).sin()
        };
        (127.0 + 30.0 * (0..4).map(wave).sum::<f64>()).clamp(0.0, 255.0) as u8
    };
    let places = (0..96).flat_map(|y| (0..128).flat_map(move |x| (0..3).map(move |c| (x, y, c))));
    let samples = places.map(|(x, y, c)| sample(x, y, c)).collect();
    safelight::photo::Photo::from_samples(128, 96, 3, samples).expect("a picture")
}
