//! How `decrypt` verifies the server's work: the flags decide whether it does, never the file.

use safelight::schemes::paillier::Origin;
use safelight::schemes::paillier::wire::image::Frames;
use safelight::wire::Prologue;

use crate::program::{Folder, picture};

/// The file as a server could forge it: without its origins, and with correct checksums.
fn without_origins(file: &[u8]) -> Vec<u8> {
    let header = Prologue::parse(&file[..16]).expect("ours").total_bytes();
    let good = Frames::read(&file[..header]).expect("ours");
    let mut head = good.head.clone();
    head.origins.fill(Origin::UNKNOWN);
    let (mut forged, frames) = Frames::write(head);
    for (row, frame) in (0..).zip(file[header..].chunks_exact(good.frame_bytes())) {
        forged.extend(frames.write_frame(row, &good.read_frame(row, frame).expect("ours")));
    }
    forged
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(14, 9, 1, 1));
    folder.write_png("other.png", &picture(14, 9, 1, 2));
    folder.run("encrypt --key my.key photo.png --out photo.slt --radius 4 --slot-bits 24").ok();
    folder
}

#[test]
fn a_file_without_origins_needs_a_flag_and_gives_a_warning() {
    let folder = folder();
    folder.run("filter mean photo.slt --out mean.slt").ok();
    folder.write("forged.slt", &without_origins(&folder.read("mean.slt")));
    let decrypt = |flags: &str| folder.run(&format!("decrypt --key my.key forged.slt --out out.png {flags}"));

    let message = decrypt("").error("not_verifiable");
    assert!(message.contains("--from-others") && message.contains("--no-check"), "{message}");
    assert!(!folder.path("out.png").exists());
    for flags in ["--from-others", "--no-check", "--from-others --quiet", "--no-check --quiet"] {
        let run = decrypt(flags);
        assert!(run.errors().contains("warning: not verified"), "{flags}: {}", run.errors());
        run.ok();
    }
    // Even the filter in its own header is not trusted.
    for filter in ["mean", "sharpen"] {
        decrypt(&format!("--expect {filter}")).error("not_verifiable");
    }
    // The owner's own file causes no warning unless the check is disabled.
    let own = |flags: &str| folder.run(&format!("decrypt --key my.key mean.slt --out own.png {flags}"));
    for flags in ["", "--from-others"] {
        assert!(!own(flags).errors().contains("warning"), "{flags}");
    }
    assert!(own("--no-check").errors().contains("warning: not verified (--no-check)"));
    // If the photo is given, pixels are compared.
    decrypt("--from-others --original photo.png").ok();
    decrypt("--from-others --original other.png").error("wrong_result");
}

#[test]
fn only_the_expected_filters_are_opened() {
    let folder = folder();
    folder.run("filter gaussian --sigma 2 photo.slt --out gaussian.slt").ok();
    folder.run("filter mean photo.slt --out mean.slt").ok();
    folder.run("filter sobel-x mean.slt --out both.slt").ok();
    folder.run("encrypt --key my.key other.png --out other.slt --radius 4 --slot-bits 24").ok();
    folder.run("filter mean other.slt --out soft.slt").ok();
    folder.run("filter blend --share 30 mean.slt soft.slt --out mixed.slt").ok();
    let decrypt = |image: &str, filters: &[&str]| {
        let expect = filters.iter().flat_map(|filter| ["--expect", filter]);
        let arguments = ["decrypt", "--key", "my.key", image, "--out", "out.png"].into_iter().chain(expect);
        folder.run_with(arguments)
    };
    for (image, filters) in [
        ("gaussian.slt", &["gaussian sigma=2"][..]),
        ("both.slt", &["mean radius=1", "sobel-x"]),
        ("mixed.slt", &["mean", "blend share=30 [mean]"]),
        ("photo.slt", &[""]),
    ] {
        decrypt(image, filters).ok();
    }
    std::fs::remove_file(folder.path("out.png")).expect("it was written");
    for (image, filters) in [
        ("gaussian.slt", &["gaussian sigma=1"][..]),
        ("mean.slt", &["gaussian sigma=2"]),
        ("both.slt", &["sobel-x"]),
        ("both.slt", &["sobel-x", "mean"]),
        ("mixed.slt", &["mean", "blend share=30"]),
        ("gaussian.slt", &[""]),
    ] {
        let message = decrypt(image, filters).error("wrong_result");
        assert!(message.contains("not the result of the expected filters"), "{message}");
        assert!(!folder.path("out.png").exists());
    }
    decrypt("mean.slt", &["blur"]).error("unknown_filter");
    decrypt("mean.slt", &["mean size=2x2"]).error("bad_filter");
    decrypt("mean.slt", &["blend [mean"]).error("bad_filter");
}
