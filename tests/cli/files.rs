//! Output files: complete or absent, never in place of a key; streams, damage, foreign keys.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Folder, Run, mode, picture};

/// A folder with a photo `photo.png` and its encrypted image `photo.slt`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(9, 7, 3, 11));
    folder.run("encrypt --key my.key photo.png --out photo.slt").ok();
    folder
}

/// Runs a command that must fail with this code and create no file, not even a partial one.
#[track_caller]
fn leaves_nothing(folder: &Folder, arguments: &str, code: &str) -> String {
    let before = folder.names();
    let message = folder.run(arguments).error(code);
    assert_eq!(folder.names(), before, "{arguments}");
    message
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let folder = folder();
    let key = folder.read("my.key");
    leaves_nothing(&folder, "keygen paillier --bits 2048 --out my.key", "file_exists");
    leaves_nothing(&folder, "keygen paillier --bits 2048 --out photo.png", "file_exists");
    // No other command overwrites a secret key either.
    leaves_nothing(&folder, "pubkey my.key --out my.key", "file_exists");
    leaves_nothing(&folder, "encrypt --key my.key photo.png --out my.key", "file_exists");
    leaves_nothing(&folder, "decrypt --key my.key photo.slt --out my.key", "file_exists");
    leaves_nothing(&folder, "filter mean photo.slt --out my.key", "file_exists");
    leaves_nothing(&folder, "phe export-key my.key --out my.key", "file_exists");
    std::os::unix::fs::symlink("my.key", folder.path("link")).expect("link");
    leaves_nothing(&folder, "pubkey my.key --out link", "file_exists");
    leaves_nothing(&folder, "keygen paillier --bits 2048 --out link", "file_exists");
    assert_eq!(folder.read("my.key"), key);
}

#[test]
fn a_protected_key_does_everything_that_a_bare_one_does() {
    let folder = folder();
    folder.write("phrase", "drei Fässer\nand a second line, which does not count\n".as_bytes());
    folder.write("wrong", b"three barrels");
    folder.run("protect my.key --passphrase-file phrase --out my.age").ok();
    assert_eq!(mode(&folder.path("my.age")) & 0o77, 0, "for its owner alone");
    assert!(folder.read("my.age").starts_with(b"age-encryption.org/v1\n-> scrypt "));

    folder.run("unprotect my.age --passphrase-file phrase --out again.key").ok();
    assert_eq!(folder.read("again.key"), folder.read("my.key"));
    folder.run("pubkey my.age --passphrase-file phrase --out again.pub").ok();
    assert_eq!(folder.read("again.pub"), folder.read("my.pub"));
    folder.run("encrypt --key my.age --passphrase-file phrase photo.png --out new.slt").ok();
    folder.run("decrypt --key my.age --passphrase-file phrase new.slt --out new.png").ok();
    assert_eq!(folder.read_photo("new.png").samples(), folder.read_photo("photo.png").samples());
    let mut command = folder.command(["decrypt", "--key", "my.age", "photo.slt", "--out", "env.png"]);
    command.env("SAFELIGHT_PASSPHRASE", "drei Fässer");
    Run::of(command.output().expect("it runs")).ok();
    folder.run("keygen paillier --bits 2048 --passphrase --passphrase-file phrase --out made.age").ok();
    folder.run("pubkey made.age --passphrase-file phrase --out made.pub").ok();

    leaves_nothing(&folder, "unprotect my.age --passphrase-file wrong --out x", "wrong_passphrase");
    leaves_nothing(&folder, "decrypt --key my.age --passphrase-file wrong photo.slt --out x", "wrong_passphrase");
    leaves_nothing(&folder, "protect my.age --passphrase-file phrase --out x", "bad_argument");
    leaves_nothing(&folder, "protect my.pub --passphrase-file phrase --out x", "wrong_kind");
    leaves_nothing(&folder, "protect my.key --passphrase-file phrase --out my.age", "file_exists");
    leaves_nothing(&folder, "pubkey my.key --out my.age", "file_exists");
    leaves_nothing(&folder, "filter mean my.age --out x", "not_safelight");
}

#[test]
fn other_outputs_replace_older_ones() {
    let folder = folder();
    folder.write("plain", b"x");
    let usual = mode(&folder.path("plain"));
    folder.run("pubkey my.key --out plain").ok();
    assert_eq!(folder.read("plain"), folder.read("my.pub"));
    assert_eq!(mode(&folder.path("plain")), usual);
    folder.run("pubkey my.pub --out copy.pub").ok();
    assert_eq!(folder.read("copy.pub"), folder.read("my.pub"));
    folder.run("decrypt --key my.key photo.slt --out plain").ok();
    assert_eq!(folder.read_photo("plain").samples(), folder.read_photo("photo.png").samples());
    folder.run("decrypt --key my.key photo.slt --out /dev/null").ok();
    // Encryption has recorded in `.home` that the photo has no colour profile.
    assert_eq!(folder.names(), [".home", "copy.pub", "my.key", "my.pub", "photo.png", "photo.slt", "plain"]);
}

#[test]
fn another_key_opens_nothing() {
    let folder = folder();
    folder.run("keygen paillier --bits 2048 --out other.key").ok();
    let message = leaves_nothing(&folder, "decrypt --key other.key photo.slt --out out.png", "foreign_key");
    assert!(message.contains("use the key"), "{message}");
    leaves_nothing(&folder, "decrypt --key my.pub photo.slt --out out.png", "wrong_kind");
    leaves_nothing(&folder, "decrypt --key photo.slt photo.slt --out out.png", "wrong_kind");
    leaves_nothing(&folder, "decrypt --key my.key my.pub --out out.png", "wrong_kind");
    leaves_nothing(&folder, "encrypt --key photo.slt photo.png --out out.slt", "wrong_kind");
    leaves_nothing(&folder, "encrypt --key photo.png photo.png --out out.slt", "not_safelight");
    leaves_nothing(&folder, "encrypt --key my.key my.pub --out out.slt", "unsupported_image");
}

#[test]
fn damaged_files_are_refused_whole() {
    let folder = folder();
    let image = folder.read("photo.slt");
    let cases: [(&str, Vec<u8>); 7] = [
        ("truncated", image[..image.len() - 1].to_vec()),
        ("truncated", image[..200].to_vec()),
        ("not_safelight", Vec::from(b"GIF89a, no photo of ours")),
        ("truncated", Vec::new()),
        ("trailing_data", [&image[..], b"x"].concat()),
        ("damaged", flipped(&image, 100)),
        ("damaged", flipped(&image, image.len() - 40)),
    ];
    for (code, bytes) in cases {
        folder.write("bad.slt", &bytes);
        leaves_nothing(&folder, "decrypt --key my.key bad.slt --out out.png", code);
        leaves_nothing(&folder, "filter mean bad.slt --out out.slt", code);
        leaves_nothing(&folder, "info --check bad.slt", code);
    }
    for (code, at) in [("damaged", 60), ("damaged", 200)] {
        folder.write("bad.key", &flipped(&folder.read("my.key"), at));
        leaves_nothing(&folder, "pubkey bad.key --out out.pub", code);
        leaves_nothing(&folder, "info bad.key", code);
    }
    let png = folder.read("photo.png");
    folder.write("half.png", &png[..png.len() / 2]);
    leaves_nothing(&folder, "encrypt --key my.key half.png --out out.slt", "damaged_image");
    leaves_nothing(&folder, "encrypt --key my.key none.png --out out.slt", "io");
    leaves_nothing(&folder, "decrypt --key my.key photo.slt --out no/such/folder.png", "io");
    leaves_nothing(&folder, "decrypt --key my.key photo.slt --out .", "io");
    leaves_nothing(&folder, "decrypt --key my.key . --out out.png", "io");
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[at] ^= 4;
    out
}

#[test]
fn everything_goes_through_pipes() {
    let folder = folder();
    let photo = folder.read("photo.png");
    let image = folder.run_on("encrypt --key my.pub - --out -", &photo).ok();
    let filtered = folder.run_on("filter sharpen - --out -", &image).ok();
    let out = folder.run_on("decrypt --from-others --key my.key - --out -", &filtered).ok();
    folder.write("out.png", &out);
    folder.run("filter sharpen photo.slt --out sharp.slt").ok();
    folder.run("decrypt --key my.key sharp.slt --out sharp.png").ok();
    assert_eq!(out, folder.read("sharp.png"));

    let key = folder.read("my.key");
    assert_eq!(folder.run_on("pubkey - --out -", &key).ok(), folder.read("my.pub"));
    assert_eq!(folder.run_on("decrypt --key - sharp.slt --out -", &key).ok(), out);
    let info: Value = serde_json::from_slice(&folder.run_on("info --json --check -", &image).ok()).expect("JSON");
    assert_eq!(info["checked"], true);
    let made = folder.run("keygen paillier --bits 2048 --out -").ok();
    assert_eq!(made.len(), key.len());

    folder.run_on("encrypt --key - - --out -", &key).error("bad_argument");
    // A program that reads the pipe receives a complete result or nothing.
    folder.run_on("filter mean - --out -", &image[..image.len() - 1]).error("truncated");
}

#[test]
fn a_closed_pipe_is_an_error_and_no_panic() {
    let folder = folder();
    let mut command = folder.command(["pubkey", "-", "--out", "-"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    // The program writes nothing before it has read the key, and by then the reader is gone.
    drop(child.stdout.take());
    child.stdin.take().expect("piped").write_all(&folder.read("my.key")).expect("it reads");
    let message = Run::of(child.wait_with_output().expect("it ends")).error("io");
    assert!(message.contains("standard output"), "{message}");
}

#[test]
fn info_tells_the_public_facts() {
    let folder = folder();
    let json = |arguments: &str| -> Value {
        serde_json::from_slice(&folder.run(&format!("info --json {arguments}")).ok()).expect("JSON")
    };
    let image = json("photo.slt");
    for (name, value) in [
        ("kind", Value::from("image")),
        ("version", 1.into()),
        ("scheme", "paillier".into()),
        ("bits", 2048.into()),
        ("width", 9.into()),
        ("height", 7.into()),
        ("channels", 3.into()),
        ("halo", serde_json::json!([1, 1])),
        ("slot_bits", 12.into()),
        ("border", "replicate".into()),
        ("range", serde_json::json!([0, 255])),
        ("divisor", 1.into()),
        ("filters", serde_json::json!([])),
        ("bytes", folder.read("photo.slt").len().into()),
        ("checked", false.into()),
    ] {
        assert_eq!(image[name], value, "{name}");
    }
    assert_eq!(json("--check photo.slt")["checked"], true);
    let (public, secret) = (json("my.pub"), json("my.key"));
    assert_eq!((&public["kind"], &secret["kind"]), (&"public_key".into(), &"secret_key".into()));
    assert_eq!(public["key_id"], image["key_id"]);
    assert_eq!(secret["key_id"], image["key_id"]);
    assert_eq!(json("--check my.key")["checked"], true);

    // The facts about the secret key are those about the public key: nothing about the primes.
    let facts = |value: &Value| value.as_object().expect("object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(facts(&public), facts(&secret));
    let text = String::from_utf8(folder.run("info photo.slt").ok()).expect("text");
    assert!(text.contains("9 x 7 pixels, RGB"), "{text}");
    let image = folder.read("photo.slt");
    folder.write("cut.slt", &image[..image.len() - 10]);
    let text = String::from_utf8(folder.run("info cut.slt").ok()).expect("text");
    assert!(text.contains("cut short, 10 bytes are missing"), "{text}");
}

#[test]
fn what_an_image_cannot_bear_is_said() {
    let folder = folder();
    leaves_nothing(&folder, "filter mean --radius 2 photo.slt --out out.slt", "halo_too_small");
    leaves_nothing(&folder, "filter kernel --kernel 99,99,99 photo.slt --out out.slt", "slot_overflow");
    folder.run("encrypt --key my.key photo.png --out photo.slt --halo 1x0 --slot-bits 17").ok();
    folder.run("filter kernel --kernel 99,99,99 --divisor 297 photo.slt --out out.slt").ok();
}

#[test]
fn an_interrupted_keygen_leaves_nothing() {
    let folder = Folder::new();
    let child = folder.spawn("keygen paillier --bits 4096 --out new.key");
    // The unfinished file shows that the program is working.
    while !folder.names().iter().any(|name| name.starts_with(".safelight-") || name == "new.key") {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    interrupt(child.id());
    let output = child.wait_with_output().expect("it ends");
    // On a very fast machine, the key may have been found already.
    if output.status.code() != Some(0) {
        Run::of(output).error("cancelled");
        assert_eq!(folder.names(), ["my.key", "my.pub"]);
    }
}

/// Sends the signal of Ctrl-C, or the one that ends background programs if these tests run in the background.
pub(crate) fn interrupt(process: u32) {
    let signal = if is_ignored(2) { "-TERM" } else { "-INT" };
    let status = std::process::Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// Whether this program, and therefore each program that it starts, ignores a signal.
pub(crate) fn is_ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map_or("0", str::trim);
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[test]
fn numbers_go_through_phe_files() {
    let folder = Folder::new();
    folder.run("phe export-key my.key --out my.json").ok();
    folder.run("phe import-key my.json --out again.pub").ok();
    assert_eq!(folder.read("again.pub"), folder.read("my.pub"));
    for key in ["my.key", "my.pub"] {
        folder.run(&format!("phe encrypt --key {key} --out numbers.json -- 1 -2 300 0")).ok();
        let printed = folder.run("phe decrypt --key my.key numbers.json").ok();
        assert_eq!(String::from_utf8(printed).expect("text"), "1\n-2\n300\n0\n");
    }
    let json: Value = serde_json::from_slice(&folder.read("numbers.json")).expect("JSON");
    assert_eq!(json["values"].as_array().map(Vec::len), Some(4));
    folder.run("keygen paillier --bits 2048 --out other.key").ok();
    leaves_nothing(&folder, "phe decrypt --key other.key numbers.json", "foreign_key");
    let huge = format!("1{}", "0".repeat(700));
    leaves_nothing(&folder, &format!("phe encrypt --key my.key --out no.json {huge}"), "plaintext_out_of_range");
    folder.write("bad.json", b"{\"public_key\":{\"n\":\"15\"},\"values\":[]}");
    leaves_nothing(&folder, "phe decrypt --key my.key bad.json", "bad_modulus");
    let mut file = std::fs::File::create(folder.path("latin.json")).expect("file");
    file.write_all(b"\xff\xfe").expect("write");
    leaves_nothing(&folder, "phe import-key latin.json --out no.pub", "bad_argument");
}

#[test]
fn files_of_encrypted_vectors_are_told_and_their_secret_keys_protected() {
    let folder = folder();
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/valid");
    let names = ["ciphertext", "plaintext", "evaluation-keys", "secret-key"];
    let mut ids = Vec::new();
    for name in names {
        let file = format!("ckks-{name}.slt");
        folder.write(&file, &std::fs::read(vectors.join(&file)).expect("a vector"));
        let facts: Value = serde_json::from_slice(&folder.run(&format!("info --json {file}")).ok()).expect("JSON");
        assert_eq!((&facts["scheme"], &facts["parameters"]), (&"ckks".into(), &"small".into()), "{name}");
        assert_eq!((&facts["bytes"], &facts["checked"]), (&folder.read(&file).len().into(), &false.into()), "{name}");
        ids.push(facts["key_id"].clone());
    }
    assert!(ids[1].is_null() && ids[0].is_string() && ids[0] == ids[2] && ids[0] == ids[3], "{ids:?}");
    let text = String::from_utf8(folder.run("info ckks-secret-key.slt").ok()).expect("text");
    assert!(text.contains("ckks secret key") && text.contains("ckks small"), "{text}");

    folder.write("phrase", b"three barrels under the stairs");
    folder.run("protect ckks-secret-key.slt --passphrase-file phrase --out ckks.age").ok();
    folder.run("unprotect ckks.age --passphrase-file phrase --out again.key").ok();
    assert_eq!(folder.read("again.key"), folder.read("ckks-secret-key.slt"));
    leaves_nothing(&folder, "protect ckks-ciphertext.slt --passphrase-file phrase --out x", "wrong_kind");
}
