//! Networks: `train --learner network`, and `classify` with a key, here and on a server.

use safelight::photo::Photo;
use serde_json::Value;

use crate::program::Folder;
use crate::remote::OwnServer;

/// Stripes across or down.
fn picture(class: u32, number: u32) -> Photo {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(class);
    let samples = (0..20 * 16).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let stripes = if class == 0 { (i % 20 + number) / 3 % 2 } else { (i / 20 + number) / 3 % 2 };
        u8::try_from(stripes * 120 + 40 + (state >> 26)).unwrap_or(255)
    });
    Photo::from_samples(20, 16, 1, samples.collect()).expect("a picture")
}

fn folder() -> Folder {
    let folder = Folder::new();
    for (part, numbers) in [("train", 0..30), ("test", 100..106)] {
        for (class, label) in (0..).zip(["across", "down"]) {
            std::fs::create_dir_all(folder.path(&format!("{part}/{label}"))).expect("folder");
            for number in numbers.clone() {
                folder.write_png(&format!("{part}/{label}/{number}.png"), &picture(class, number));
            }
        }
    }
    std::fs::create_dir(folder.path("models")).expect("folder");
    folder.run("train train --learner network --hidden 8 --filters 4 --epochs 40 --out models/stripes.model").ok();
    folder
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

#[test]
fn the_same_is_said_in_the_clear_here_and_there() {
    let folder = folder();
    let facts: Value = serde_json::from_slice(&folder.run("info --json models/stripes.model").ok()).expect("JSON");
    assert_eq!(
        (&facts["kind"], &facts["hidden"], &facts["parameters"]),
        (&"network".into(), &8.into(), &"small".into())
    );
    let report: Value =
        serde_json::from_slice(&folder.run("evaluate --model models/stripes.model --json test").ok()).expect("JSON");
    assert!(report["right"].as_u64().expect("a number") >= 11, "{report}");

    let pictures = "test/across/100.png test/down/101.png test/across/102.png";
    let clear = lines(&folder.run(&format!("classify --model models/stripes.model --json {pictures}")).ok());
    let here = folder.run(&format!("classify --model models/stripes.model --key v.key --json --scores {pictures}"));
    assert!(here.errors().contains("made a new secret key"), "{}", here.errors());
    let here = lines(&here.ok());
    // Now the key exists.
    let server = OwnServer::start(&folder, "--models models");
    let flags = format!("classify --server {} --model stripes --key v.key --json", server.address);
    let there = folder.run(&format!("{flags} --scores {pictures}"));
    assert!(!there.errors().contains("made"), "{}", there.errors());
    let there = lines(&there.ok());
    assert_eq!(clear.len(), 3);
    // By default, only labels are printed.
    let labels = lines(&folder.run(&format!("{flags} {pictures}")).ok());
    for (clear, label) in clear.iter().zip(&labels) {
        assert_eq!(clear["label"], label["label"]);
        assert!(label["scores"].is_null() && label["probabilities"].is_null(), "{label}");
    }
    let plain = folder.run(&format!("classify --model models/stripes.model --key v.key {pictures}")).ok();
    let plain = String::from_utf8(plain).expect("text");
    assert!(plain.lines().all(|line| line.split('\t').nth(2) == Some("")), "{plain}");
    for (clear, others) in clear.iter().zip(here.iter().zip(&there)) {
        for other in [others.0, others.1] {
            assert_eq!(clear["label"], other["label"]);
            for (clear, other) in
                clear["scores"].as_array().expect("scores").iter().zip(other["scores"].as_array().expect("scores"))
            {
                let (clear, other) = (clear.as_f64().expect("a number"), other.as_f64().expect("a number"));
                assert!((clear - other).abs() < 0.05, "{clear} became {other}");
                assert!((other * 100.0 - (other * 100.0).round()).abs() < 1e-6, "{other} is not rounded");
            }
        }
    }
}

/// The file as a server could send it, with correct checksums: its numbers have as many digits as the server likes.
fn with_scale(file: &[u8], scale: f64) -> Vec<u8> {
    let mut file = file.to_vec();
    let end = 16 + u32::from_le_bytes([file[12], file[13], file[14], file[15]]) as usize;
    file[end - 8..end].copy_from_slice(&scale.to_le_bytes());
    let crc = crc32fast::hash(&file[..end]).to_le_bytes();
    file[end..end + 4].copy_from_slice(&crc);
    file
}

#[test]
fn step_by_step_it_is_the_same() {
    let folder = folder();
    folder.run("network front models/stripes.model --out stripes.front").ok();
    assert!(folder.read("stripes.front").len() < folder.read("models/stripes.model").len());
    let owner = "--front stripes.front --key v.key";
    folder.run(&format!("network keys {owner} --out my.keys")).ok();
    folder.run(&format!("network encrypt {owner} test/down/101.png --out x.slt")).ok();
    folder.run("network evaluate models/stripes.model --keys my.keys x.slt --out y.slt").ok();
    let said = folder.run(&format!("network decrypt {owner} y.slt")).ok();
    let clear = folder.run("classify --model models/stripes.model test/down/101.png").ok();
    let label =
        |bytes: &[u8], place: usize| String::from_utf8_lossy(bytes).split('\t').nth(place).expect("a label").to_owned();
    let said = String::from_utf8(said).expect("text");
    assert_eq!(said.trim_end(), label(&clear, 1));
    let all = String::from_utf8(folder.run(&format!("network decrypt {owner} y.slt --scores")).ok()).expect("text");
    assert!(all.starts_with(&said) && all.lines().count() == 3, "{all}");
    assert!(all.lines().nth(1).expect("a line").starts_with(&format!("{}\t", said.trim_end())), "{all}");
    let rescaled = with_scale(&folder.read("y.slt"), 1.0);
    folder.write("rescaled.slt", &rescaled);
    folder.run(&format!("network decrypt {owner} rescaled.slt")).error("vectors_differ");
    folder.run(&format!("network decrypt {owner} x.slt")).error("vectors_differ");
    folder.run("network evaluate stripes.front --keys my.keys x.slt --out y.slt").error("wrong_kind");
    folder.run("network evaluate models/stripes.model --keys x.slt x.slt --out y.slt").error("wrong_kind");
}

/// The network with a convolution among the test vectors. A picture larger than its own, in colour, is cut and converted.
#[test]
fn a_network_of_convolutions_says_the_same_here_and_there() {
    let folder = Folder::new();
    let vector = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/valid/network-pixels.model");
    std::fs::create_dir(folder.path("models")).expect("folder");
    std::fs::copy(vector, folder.path("models/pixels.model")).expect("a copy");
    let facts: Value = serde_json::from_slice(&folder.run("info --json models/pixels.model").ok()).expect("JSON");
    assert_eq!(facts["layers"], serde_json::json!(["convolution 3 x 3", "squares", "averages to 2"]));
    let samples = (0..50 * 40 * 3).map(|i: u32| u8::try_from(i * i % 239).expect("a byte"));
    let photo = Photo::from_samples(50, 40, 3, samples.collect()).expect("a picture");
    folder.write_png("photo.png", &photo);
    let clear = lines(&folder.run("classify --model models/pixels.model --json photo.png").ok());
    let here = lines(&folder.run("classify --model models/pixels.model --key v.key --json --scores photo.png").ok());
    let server = OwnServer::start(&folder, "--models models");
    let flags = format!("classify --server {} --model pixels --key v.key --json --scores", server.address);
    let there = lines(&folder.run(&format!("{flags} photo.png")).ok());
    for other in [&here[0], &there[0]] {
        assert_eq!(clear[0]["label"], other["label"]);
        for label in ["yes", "no"] {
            let score = |answer: &Value| {
                let scores = answer["scores"].as_array().expect("scores");
                let labels = answer["labels"].as_array();
                let place = labels.and_then(|labels| labels.iter().position(|found| found == label));
                scores[place.unwrap_or(usize::from(label == "no"))].as_f64().expect("a number")
            };
            assert!((score(&clear[0]) - score(other)).abs() < 0.02, "{clear:?} became {other}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = folder();
    let classify = |flags: &str| folder.run(&format!("classify {flags} test/down/101.png"));
    folder.run("keygen ckks --set leveled-14 --out wide.key").ok();
    classify("--model models/stripes.model --key wide.key").error("wrong_parameters");
    classify("--model models/stripes.model --key my.key").error("wrong_kind");
    classify("--model nowhere.model --key v.key").error("io");
    let server = OwnServer::start(&folder, "--models models");
    classify(&format!("--server {} --model spots --key v.key", server.address)).error("model_not_found");
    assert!(!folder.names().contains(&"v.key".to_owned()));

    folder.run("train train --learner network --cost 2 --out m").error("bad_argument");
    folder.run("train train --hidden 2 --out m").error("bad_argument");
    folder.run("train train --learner network --hidden 9999 --out m").error("bad_argument");
}
