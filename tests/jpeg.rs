//! JPEG files of every sampling, order of scans and colour model, intact and damaged, compared with libjpeg-turbo. Each must
//! yield the same picture or be refused, never yield a wrong picture silently.
//!
//! `tests/interop/jpeg_corpus.py` makes the files and, through Pillow, libjpeg-turbo's pictures. It needs the Python that the
//! variable `SAFELIGHT_PYTHON` names, as `tests/interop.rs` explains; without it the test says so and passes.
#![cfg(feature = "photo")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use safelight::error::Code;
use safelight::photo::{Limits, Outline, Photo};
use serde::Deserialize;

/// A file of the corpus. The program that makes the corpus explains the fields.
#[derive(Deserialize)]
struct Entry {
    name: String,
    group: String,
    expect: Vec<String>,
    pixels: Option<String>,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    channels: u8,
}

/// The maximum difference of samples from libjpeg-turbo's.
const ROUNDING: u8 = 2;

#[test]
fn pictures_are_those_of_libjpeg_turbo_or_refused() {
    let Some(python) = std::env::var_os("SAFELIGHT_PYTHON") else {
        println!(
            "skipped: SAFELIGHT_PYTHON does not name a Python with the packages of tests/interop/requirements.txt"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/jpeg_corpus.py");
    let output = Command::new(python).arg("-B").arg(script).arg(folder.path()).output().expect("SAFELIGHT_PYTHON");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = fs::read_to_string(folder.path().join("corpus.json")).expect("a list");
    let entries: Vec<Entry> = serde_json::from_str(&list).expect("a list of files");
    assert!(entries.len() > 2500, "{} files", entries.len());

    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in &entries {
        let (verdict, detail) = verdict(entry, folder.path());
        *counts.entry((&entry.group, verdict)).or_default() += 1;
        let warned = ["notice", "wrong, notice"].contains(&verdict);
        if !entry.expect.iter().any(|allowed| allowed == verdict || (allowed == "warn" && warned)) {
            wrong.push(format!("{}: {verdict} ({detail}), not {:?}", entry.name, entry.expect));
        }
    }
    for ((group, verdict), count) in &counts {
        println!("{group:<16} {verdict:<16} {count}");
    }
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), entries.len(), wrong.join("\n"));
}

/// The outcome for a file, in the corpus's words, and details for people.
fn verdict(entry: &Entry, folder: &Path) -> (&'static str, String) {
    let file = fs::read(folder.join(format!("{}.jpg", entry.name))).expect("a file");
    let limits = Limits::default();
    // The page examines the file before its browser decodes it. It must come to the same result.
    let outline = Outline::new(&file, &limits);
    let photo = match Photo::decode(&file, &limits) {
        Ok(photo) => photo,
        Err(error) => {
            let message = error.message();
            assert!(!message.contains("JpegError") && !message.contains("Error"), "{message}");
            if entry.group == "sampling" {
                let named = message.contains("the colour sampling ") || message.contains("in one scan");
                assert!(named, "{}: {message}", entry.name);
            }
            if error.kind() != Code::UnsupportedImage {
                assert_eq!(outline.err().as_ref(), Some(&error), "{}", entry.name);
            }
            let verdict = match error.kind() {
                Code::DamagedImage => "damaged",
                Code::UnsupportedImage => "unsupported",
                Code::ImageTooLarge => "large",
                other => panic!("{other:?}"),
            };
            return (verdict, message.to_owned());
        }
    };
    assert_eq!(outline.expect("a file that is decoded").notices(), photo.notices(), "{}", entry.name);
    let noticed = !photo.notices().is_empty();
    let names: Vec<_> = photo.notices().iter().map(|notice| notice.as_str()).collect();
    let shape = (photo.width(), photo.height(), photo.channels());
    let far = match &entry.pixels {
        Some(pixels) if shape == (entry.width, entry.height, entry.channels) => {
            let pixels = fs::read(folder.join(pixels)).expect("pixels");
            pixels.iter().zip(photo.samples()).map(|(a, b)| a.abs_diff(*b)).max()
        }
        _ => None,
    };
    let verdict = match (far, noticed) {
        (Some(0..=ROUNDING), false) => "exact",
        (Some(0..=ROUNDING), true) => "notice",
        (_, true) => "wrong, notice",
        (_, false) => "wrong",
    };
    (verdict, format!("{far:?} {names:?}"))
}
