//! `safelight train`, `evaluate`, `classify`, and `info` of a model.

use safelight::photo::Photo;
use serde_json::Value;

use crate::program::Folder;

/// The face of one of two people, who look in different directions.
fn face(person: u32, number: u32) -> Photo {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(person);
    let samples = (0..32 * 24).map(|i| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (x, y) = (i % 32, i / 32);
        let stripes = if person == 0 { x / 4 % 2 } else { y / 4 % 2 };
        u8::try_from(stripes * 120 + 40 + (state >> 25)).unwrap_or(255)
    });
    Photo::from_samples(32, 24, 1, samples.collect()).expect("a picture")
}

fn album(folder: &Folder, name: &str, numbers: std::ops::Range<u32>) {
    for (person, label) in (0..).zip(["Ada", "Berta"]) {
        std::fs::create_dir_all(folder.path(&format!("{name}/{label}"))).expect("folder");
        for number in numbers.clone() {
            folder.write_png(&format!("{name}/{label}/{number}.png"), &face(person, number));
        }
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    album(&folder, "train", 0..8);
    album(&folder, "test", 8..12);
    folder.write("train/Ada/notes.txt", b"not a picture");
    folder.write("train/.hidden", b"not a label");
    folder
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn every_learner_goes_from_folders_to_labels() {
    let folder = folder();
    for learner in ["svm-linear", "svm-rbf --strategy pairs", "svm-poly --cost 2", "knn", "forest --trees 9"] {
        folder.run(&format!("train train --out faces.model --learner {learner}")).ok();
        let report = json(&folder.run("evaluate --model faces.model --json test").ok());
        assert_eq!(report["right"], 8, "{learner}: {report}");
        assert_eq!(report["equal_error_rate"], 0.0, "{learner}");
        let facts = json(&folder.run("info --json faces.model").ok());
        assert_eq!(facts["kind"], "model");
        assert!(learner.starts_with(facts["learner"].as_str().expect("a name")));
        assert_eq!(facts["labels"][1]["label"], "Berta");
        assert_eq!(facts["labels"][1]["pictures"], 8);
    }
    let lines = folder.run("classify --model faces.model test/Berta/9.png test/Ada/9.png").ok();
    let lines = String::from_utf8(lines).expect("text");
    let said: Vec<&str> = lines.lines().map(|line| line.split('\t').nth(1).expect("a label")).collect();
    assert_eq!(said, ["Berta", "Ada"]);
    let text = String::from_utf8(folder.run("evaluate --model faces.model test").ok()).expect("text");
    assert!(text.starts_with("recognised        8 of 8 (100.00 %)\n"), "{text}");
    let text = String::from_utf8(folder.run("info faces.model").ok()).expect("text");
    assert!(text.contains("learner      forest\n") && text.contains("label        Ada, from 8 pictures\n"), "{text}");
}

#[test]
fn scrambled_pictures_are_learned_from_and_recognised_without_the_key() {
    let folder = folder();
    folder.run("keygen etc --out etc.key").ok();
    let scramble = |kind: &str, options: &str| {
        for (label, number) in ["Ada", "Berta"].into_iter().flat_map(|label| (0..12).map(move |n| (label, n))) {
            let part = if number < 8 { "train" } else { "test" };
            std::fs::create_dir_all(folder.path(&format!("{kind}-{part}/{label}"))).expect("folder");
            let (from, to) = (format!("{part}/{label}/{number}.png"), format!("{kind}-{part}/{label}/{number}.png"));
            folder.run(&format!("etc encrypt --key etc.key --block 8 {options} {from} --out {to}")).ok();
        }
    };
    scramble("fixed", "--fixed-key");
    folder.run("train fixed-train --out faces.model").ok();
    assert_eq!(json(&folder.run("evaluate --model faces.model --json fixed-test").ok())["right"], 8);

    scramble("own", "");
    let run = folder.run("train own-train --out own.model");
    assert!(run.errors().contains("16 of the pictures are each scrambled with a key of their own"), "{}", run.errors());
    let run = folder.run("classify --model faces.model own-test/Ada/9.png");
    assert!(run.errors().contains("--fixed-key"), "{}", run.errors());
}

#[test]
fn a_model_is_made_whole_or_not_at_all() {
    let folder = folder();
    let before = folder.names();
    folder.run("train nowhere --out m").error("io");
    let message = folder.run("train train/Ada --out m").error("bad_argument");
    assert!(message.contains("one folder per label"), "{message}");
    folder.run("train train --out m --learner knn --cost 2").error("bad_argument");
    folder.run("train train --out m --learner knn --neighbours 17").error("bad_argument");
    folder.run("train train --out m --sample 1000").error("bad_argument");
    folder.run("train train --out my.key").error("file_exists");
    folder.write_png("train/Berta/x.png", &crate::program::picture(8, 8, 1, 1));
    let message = folder.run("train train --out m").error("images_differ");
    assert!(message.contains("x.png"), "{message}");
    folder.write("train/Berta/x.png", b"no picture");
    let message = folder.run("train train --out m").error("unsupported_image");
    assert!(message.contains("x.png"), "{message}");
    std::fs::remove_file(folder.path("train/Berta/x.png")).expect("removed");
    assert_eq!(folder.names(), before);

    folder.run("train train --out m").ok();
    let mut model = folder.read("m");
    folder.run("classify --model my.pub test/Ada/9.png").error("wrong_kind");
    std::fs::rename(folder.path("test/Berta"), folder.path("test/Carla")).expect("renamed");
    let message = folder.run("evaluate --model m test").error("bad_argument");
    assert!(message.contains("Carla") && message.contains("it knows Ada, Berta"), "{message}");
    let last = model.len() - 9;
    model[last] ^= 1;
    folder.write("m", &model);
    folder.run("classify --model m test/Ada/9.png").error("damaged");
    folder.run("info m").error("damaged");
    folder.write("m", &model[..last]);
    folder.run("classify --model m test/Ada/9.png").error("truncated");
}
