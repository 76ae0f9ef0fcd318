//! Outputs: never an input, with the required permissions and format, and no remains of interrupted runs.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use safelight::photo::Photo;
use serde_json::Value;

use crate::program::{Folder, Run, mode, picture};

/// A folder with a photo, its encrypted image, a scrambled picture and their keys.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(20, 17, 3, 11));
    folder.run("encrypt --key my.key photo.png --out photo.slt").ok();
    folder.run("keygen etc --out etc.key").ok();
    folder.run("etc encrypt --key etc.key photo.png --block 4 --out scrambled.png").ok();
    folder
}

/// All files and their contents.
fn contents(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    folder
        .names()
        .into_iter()
        .map(|name| (name.clone(), std::fs::read(folder.path(&name)).unwrap_or_default()))
        .collect()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn an_output_is_never_an_input() {
    let folder = folder();
    folder.run("phe export-key my.pub --out pub.json").ok();
    folder.write("phrase", b"three barrels");
    std::fs::create_dir_all(folder.path("faces/a")).expect("folder");
    std::fs::create_dir_all(folder.path("faces/b")).expect("folder");
    for name in ["faces/a/1", "faces/a/2.png", "faces/b/1.png"] {
        std::fs::copy(folder.path("photo.png"), folder.path(name)).expect("copy");
    }
    std::fs::hard_link(folder.path("faces/a/2.png"), folder.path("model")).expect("link");
    for (name, target) in [("symbolic", "photo.png"), ("chain", "symbolic")] {
        symlink(target, folder.path(name)).expect("link");
    }
    std::fs::hard_link(folder.path("photo.png"), folder.path("hard")).expect("link");
    std::fs::hard_link(folder.path("photo.slt"), folder.path("image")).expect("link");
    let before = contents(&folder);
    let absolute = folder.path("photo.png").display().to_string();
    for command in [
        "encrypt --key my.key photo.png --out photo.png",
        "encrypt --key my.key photo.png --out ./photo.png",
        &format!("encrypt --key my.key photo.png --out {absolute}"),
        "encrypt --key my.key photo.png --out symbolic",
        "encrypt --key my.key photo.png --out chain",
        "encrypt --key my.key photo.png --out hard",
        "encrypt --key my.key chain --out photo.png",
        "encrypt --key my.pub photo.png --out my.pub",
        "encrypt --key my.key photo.png --out my.key",
        "etc encrypt --key etc.key photo.png --out photo.png",
        "etc encrypt --key etc.key photo.png --out hard",
        "etc decrypt --key etc.key scrambled.png --out scrambled.png",
        "etc decrypt --key etc.key scrambled.png --original photo.png --out photo.png",
        "decrypt --key my.key photo.slt --out photo.slt",
        "decrypt --key my.key photo.slt --out image",
        "decrypt --key my.key photo.slt --original photo.png --out photo.png",
        "filter mean photo.slt --out photo.slt",
        "filter mean photo.slt --out image",
        "filter mean photo.slt --out photo.slt --server http://127.0.0.1:9",
        "filter blend photo.slt image --out image",
        "pubkey my.pub --out my.pub",
        "phe export-key my.pub --out my.pub",
        "phe import-key pub.json --out pub.json",
        "phe encrypt --key my.pub --out my.pub 1",
        "protect my.key --passphrase-file phrase --out phrase",
        // The passphrase file is not read, because the key is not protected.
        "encrypt --key my.key photo.png --passphrase-file phrase --out phrase",
        "pubkey my.key --passphrase-file phrase --out ./phrase",
        "phe encrypt --key my.pub --passphrase-file phrase --out phrase 1",
        "train faces --out model",
        "attack etc scrambled.png --originals photo.png --out-dir .",
    ] {
        let message = folder.run(command).error("file_exists");
        assert!(!message.contains(".part"), "{message}");
        assert!(contents(&folder) == before, "{command}");
    }
    // By redirection.
    let mut command = folder.command(["encrypt", "--key", "my.key", "-", "--out", "photo.png"]);
    command.stdin(std::fs::File::open(folder.path("photo.png")).expect("photo"));
    Run::of(command.output().expect("it runs")).error("file_exists");
    let mut command = folder.command(["encrypt", "--key", "my.key", "photo.png", "--out", "-"]);
    command.stdout(std::fs::OpenOptions::new().append(true).open(folder.path("photo.png")).expect("photo"));
    command.stderr(Stdio::piped());
    Run::of(command.spawn().expect("it runs").wait_with_output().expect("it ends")).error("file_exists");
    assert!(contents(&folder) == before);
    // Two outputs must not be the same file either.
    folder.run("reproduce etc-svm --data faces --csv rates --svg ./rates").error("bad_argument");
    assert!(contents(&folder) == before);
    // A file equal to an input, but not identical to it, is overwritten.
    std::fs::copy(folder.path("photo.slt"), folder.path("copy.slt")).expect("copy");
    folder.run("filter mean photo.slt --out copy.slt").ok();
    folder.run("decrypt --key my.key photo.slt --out /dev/null").ok();
}

#[test]
fn a_replaced_file_keeps_its_permissions_and_a_new_one_has_the_usual_ones() {
    let folder = folder();
    folder.write("usual", b"");
    folder.run("decrypt --key my.key photo.slt --out new.png").ok();
    assert_eq!(mode(&folder.path("new.png")), mode(&folder.path("usual")));
    for wanted in [0o600, 0o640, 0o666, 0o755] {
        for (command, out) in [
            ("decrypt --key my.key photo.slt --out", "new.png"),
            ("etc decrypt --key etc.key scrambled.png --out", "again.png"),
            ("filter mean photo.slt --out", "new.slt"),
            ("pubkey my.key --out", "new.pub"),
            ("phe encrypt --key my.pub 1 --out", "new.json"),
        ] {
            folder.write(out, b"older");
            set_mode(&folder.path(out), wanted);
            folder.run(&format!("{command} {out}")).ok();
            assert_ne!(folder.read(out), b"older");
            assert_eq!(mode(&folder.path(out)), wanted, "{command} {out}");
        }
    }
    // A file of another owner, if this test may create one.
    let owned = folder.path("new.png");
    if std::os::unix::fs::chown(&owned, Some(65_534), Some(65_534)).is_ok() {
        folder.run("decrypt --key my.key photo.slt --out new.png").ok();
        let data = owned.metadata().expect("metadata");
        assert_eq!((data.uid(), data.gid()), (65_534, 65_534));
    }
}

#[test]
fn a_private_file_is_private_while_it_is_replaced() {
    let folder = folder();
    folder.write("out.age", b"");
    std::fs::remove_file(folder.path("out.age")).expect("remove");
    folder.write("out.slt", b"older");
    set_mode(&folder.path("out.slt"), 0o600);
    fifo(&folder, "image");
    let mut child = folder.spawn("filter mean image --out out.slt");
    // The image never ends, so the part remains unfinished.
    let mut image = std::fs::OpenOptions::new().write(true).open(folder.path("image")).expect("the fifo");
    std::io::Write::write_all(&mut image, &folder.read("photo.slt")[..100]).expect("write");
    let part = wait_for_part(&folder);
    assert_eq!(mode(&folder.path(&part)), 0o600);
    child.kill().expect("kill");
    child.wait().expect("it ends");
    assert_eq!(folder.read("out.slt"), b"older");
}

#[test]
fn links_are_followed() {
    let folder = folder();
    std::fs::create_dir(folder.path("deep")).expect("folder");
    symlink("deep/target.png", folder.path("dangling.png")).expect("link");
    symlink("../dangling.png", folder.path("deep/chain.png")).expect("link");
    folder.run("decrypt --key my.key photo.slt --out deep/chain.png").ok();
    assert!(folder.path("dangling.png").is_symlink() && folder.path("deep/chain.png").is_symlink());
    assert!(!folder.path("deep/target.png").is_symlink());
    assert_eq!(folder.read_photo("deep/target.png").samples(), folder.read_photo("photo.png").samples());
    // The existing file is replaced, and its permissions are kept.
    set_mode(&folder.path("deep/target.png"), 0o600);
    folder.run("etc decrypt --key etc.key scrambled.png --out dangling.png").ok();
    assert!(folder.path("dangling.png").is_symlink());
    assert_eq!(mode(&folder.path("deep/target.png")), 0o600);
    // A new secret is not written through a link, because someone else may have created it.
    symlink("nowhere", folder.path("link.key")).expect("link");
    folder.run("keygen etc --out link.key").error("file_exists");
    symlink("loop.png", folder.path("loop.png")).expect("link");
    folder.run("decrypt --key my.key photo.slt --out loop.png").error("io");
    symlink("no/such/folder.png", folder.path("far.png")).expect("link");
    let message = folder.run("decrypt --key my.key photo.slt --out far.png").error("io");
    assert!(message.contains("no folder") && !message.contains(".part"), "{message}");

    // Both names of a file still refer to the same file.
    folder.write("one.png", b"older");
    std::fs::hard_link(folder.path("one.png"), folder.path("two.png")).expect("link");
    folder.run("decrypt --key my.key photo.slt --out one.png").ok();
    assert_eq!(folder.read("two.png"), folder.read("one.png"));
    assert_eq!(folder.read_photo("two.png").samples(), folder.read_photo("photo.png").samples());
}

#[test]
fn what_the_folder_forbids_is_written_in_place_or_named() {
    let folder = folder();
    let open = folder.path("open.png");
    folder.write("open.png", &vec![7; 1 << 16]);
    folder.write("shut.png", b"older");
    set_mode(&open, 0o666);
    set_mode(&folder.path("shut.png"), 0o444);
    set_mode(&folder.path("my.key"), 0o644);
    let inode = open.metadata().expect("metadata").ino();
    set_mode(folder.path("").as_path(), 0o555);
    // Nothing is forbidden to root, so run as nobody.
    let run = |out: &str| {
        let mut command = folder.command(["decrypt", "--key", "my.key", "photo.slt", "--out", out]);
        if folder.path("").metadata().expect("metadata").uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        match command.output() {
            Ok(output) => Some(Run::of(output)),
            // The program may be in a place where nobody else may run it.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => None,
            Err(error) => panic!("{error}"),
        }
    };
    let runs = ["open.png", "new.png", "shut.png"].map(run);
    set_mode(folder.path("").as_path(), 0o755);
    let [Some(in_place), Some(new), Some(read_only)] = runs else { return };
    in_place.ok();
    assert_eq!(open.metadata().expect("metadata").ino(), inode);
    assert_eq!(folder.read_photo("open.png").samples(), folder.read_photo("photo.png").samples());
    let message = new.error("io");
    assert!(message.contains("folder") && message.contains("ermission denied"), "{message}");
    assert!(!message.contains(".part"), "{message}");
    let message = read_only.error("io");
    assert!(message.contains("cannot write shut.png"), "{message}");
    assert_eq!(folder.read("shut.png"), b"older");
}

#[test]
fn the_name_decides_the_kind_of_picture() {
    let folder = folder();
    let kind = |name: &str| match &folder.read(name)[..4] {
        b"\x89PNG" => "png",
        [0xff, 0xd8, 0xff, _] => "jpeg",
        b"RIFF" => "webp",
        other => panic!("{name}: {other:?}"),
    };
    for (name, wanted) in [
        ("d.png", "png"),
        ("d", "png"),
        ("d.jpg", "jpeg"),
        ("d.JPEG", "jpeg"),
        ("d.jpe", "jpeg"),
        ("d.jfif", "jpeg"),
        ("d.webp", "webp"),
        ("d.WebP", "webp"),
    ] {
        folder.run(&format!("decrypt --key my.key photo.slt --out {name}")).ok();
        assert_eq!(kind(name), wanted, "{name}");
        folder.run(&format!("etc decrypt --key etc.key scrambled.png --out {name}")).ok();
        assert_eq!(kind(name), wanted, "{name}");
        let scrambled = folder.run(&format!("etc encrypt --key etc.key photo.png --out {name}"));
        if wanted == "webp" {
            let message = scrambled.error("bad_argument");
            assert!(message.contains(".png or .jpg"), "{message}");
        } else {
            scrambled.ok();
            assert_eq!(kind(name), wanted, "{name}");
        }
        if wanted != "jpeg" {
            folder.run(&format!("decrypt --key my.key photo.slt --out {name}")).ok();
            assert_eq!(folder.read_photo(name).samples(), folder.read_photo("photo.png").samples(), "{name}");
        }
    }
    let before = contents(&folder);
    for name in ["d.gif", "d.tiff", "d.heic", "d.avif", "d.slt", "d.txt"] {
        for command in [
            "decrypt --key my.key photo.slt",
            "etc decrypt --key etc.key scrambled.png",
            "etc encrypt --key etc.key photo.png",
        ] {
            let message = folder.run(&format!("{command} --out {name}")).error("bad_argument");
            assert!(message.contains(".png") && message.contains(".jpg"), "{message}");
        }
    }
    for flags in [
        "--out e.jpg --view exact16",
        "--out e.webp --view exact16",
        "--out e.png --quality 80",
        "--out e.webp --subsampling 420",
    ] {
        folder.run(&format!("decrypt --key my.key photo.slt {flags}")).error("bad_argument");
    }
    assert!(contents(&folder) == before);
    let size = |flags: &str| {
        folder.run(&format!("decrypt --key my.key photo.slt --out q.jpg {flags}")).ok();
        folder.read("q.jpg").len()
    };
    assert!(size("--quality 20") < size("--quality 95 --subsampling 420"));
    // A file that is not a picture must not have a picture's extension.
    for (command, name) in [
        ("encrypt --key my.key photo.png", "e.png"),
        ("filter mean photo.slt", "e.jpg"),
        ("keygen etc", "e.webp"),
        ("pubkey my.key", "e.jpeg"),
        ("phe export-key my.key", "e.gif"),
    ] {
        let message = folder.run(&format!("{command} --out {name}")).error("bad_argument");
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn transparency_is_kept_or_said_to_be_lost() {
    let folder = folder();
    let photo = folder.read_photo("photo.png");
    let alpha: Vec<u8> = (0..20 * 17).map(|i| u8::try_from(i % 256).expect("a byte")).collect();
    let clear =
        Photo::from_samples(20, 17, 3, photo.samples().to_vec()).and_then(|photo| photo.with_alpha(alpha.clone()));
    folder.write_png("clear.png", &clear.expect("a photo"));
    let run = folder.run("etc encrypt --key etc.key clear.png --block 4 --out scrambled.png");
    assert!(run.errors().contains("--original"), "{}", run.errors());
    run.ok();
    assert!(folder.read_photo("scrambled.png").alpha().is_none());
    for out in ["back.png", "back.webp"] {
        folder.run(&format!("etc decrypt --key etc.key scrambled.png --original clear.png --out {out}")).ok();
        let back = folder.read_photo(out);
        assert_eq!((back.alpha(), back.samples()), (Some(&alpha[..]), photo.samples()), "{out}");
    }
    let run = folder.run("etc decrypt --key etc.key scrambled.png --original clear.png --out back.jpg --quality 100");
    assert!(run.errors().contains("JPEG has no transparency"), "{}", run.errors());
    run.ok();
    // The first pixel is fully transparent: white.
    assert!(folder.read_photo("back.jpg").samples()[..3].iter().all(|&sample| sample > 200));
    folder.write_png("small.png", &picture(5, 5, 3, 1));
    folder.run("etc decrypt --key etc.key scrambled.png --original small.png --out no.png").error("images_differ");
    folder.run("encrypt --key my.key clear.png --out clear.slt").ok();
    let run = folder.run("decrypt --key my.key clear.slt --original clear.png --out clear.jpg");
    assert!(run.errors().contains("JPEG has no transparency"), "{}", run.errors());
    run.ok();
}

#[test]
fn what_killed_runs_left_is_cleared_up() {
    let folder = folder();
    fifo(&folder, "phrase");
    let before = folder.names();
    let mut killed = folder.spawn("protect my.key --passphrase-file phrase --out killed.age");
    let left = wait_for_part(&folder);
    killed.kill().expect("kill");
    killed.wait().expect("it ends");
    assert!(folder.names().contains(&left));
    // Similar files that are not ours stay, and so do the files of a running program.
    folder.write(".safelight-notes.part", b"somebody's own");
    let mut at_work = folder.spawn("protect my.key --passphrase-file phrase --out working.age");
    let held = loop {
        let found = folder.names().into_iter().find(|name| is_part(name) && *name != left);
        if let Some(found) = found {
            break found;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    folder.run("pubkey my.key --out new.pub").ok();
    let names = folder.names();
    assert!(!names.contains(&left) && names.contains(&held), "{names:?}");
    assert!(names.contains(&".safelight-notes.part".to_owned()), "{names:?}");
    at_work.kill().expect("kill");
    at_work.wait().expect("it ends");
    folder.run("pubkey my.key --out new.pub").ok();
    let mut expected = [&before[..], &[".safelight-notes.part".to_owned(), "new.pub".to_owned()]].concat();
    expected.sort();
    assert_eq!(folder.names(), expected);
}

#[test]
fn signals_leave_no_half_files() {
    let folder = folder();
    fifo(&folder, "phrase");
    let before = folder.names();
    for (number, signal) in [(2, "-INT"), (15, "-TERM"), (1, "-HUP")] {
        if crate::files::is_ignored(number) {
            println!("skipped: {signal} is ignored here, and so the program would ignore it");
            continue;
        }
        let child = folder.spawn("protect my.key --passphrase-file phrase --out new.age");
        wait_for_part(&folder);
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let output = child.wait_with_output().expect("it ends");
        assert!(!output.status.success(), "{signal}");
        assert_eq!(folder.names(), before, "{signal}");
    }
}

fn fifo(folder: &Folder, name: &str) {
    let made = Command::new("mkfifo").arg(folder.path(name)).status();
    assert!(made.is_ok_and(|status| status.success()));
}

fn is_part(name: &str) -> bool {
    name.starts_with(".safelight-") && name.len() == ".safelight-123456.part".len()
}

fn wait_for_part(folder: &Folder) -> String {
    loop {
        if let Some(name) = folder.names().into_iter().find(|name| is_part(name)) {
            return name;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_protected_key_is_told_apart() {
    let folder = folder();
    folder.write("phrase", b"three barrels\n");
    folder.run("protect my.key --passphrase-file phrase --out my.age").ok();
    let text = String::from_utf8(folder.run("info my.age").ok()).expect("text");
    assert!(text.contains("protected key") && text.contains("by a passphrase"), "{text}");
    let json: Value = serde_json::from_slice(&folder.run("info --json my.age").ok()).expect("JSON");
    assert_eq!(
        (&json["kind"], &json["scheme"], &json["armored"]),
        (&"protected_key".into(), &"age".into(), &false.into())
    );
    assert_eq!((&json["work_factor"], &json["checked"]), (&17.into(), &false.into()));
    assert_eq!(folder.run_on("info -", &folder.read("my.age")).ok(), folder.run("info my.age").ok());
    assert_eq!(&folder.read("my.age")[..22], b"age-encryption.org/v1\n");
    folder.write("cut.age", &folder.read("my.age")[..60]);
    folder.run("info cut.age").error("truncated");
}

#[test]
fn an_armored_key_opens_everywhere() {
    use base64::Engine as _;
    let folder = folder();
    folder.write("phrase", b"three barrels\n");
    folder.run("protect my.key --passphrase-file phrase --out my.age").ok();
    let body = base64::engine::general_purpose::STANDARD.encode(folder.read("my.age"));
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("text")).collect();
    let text = format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"));
    folder.write("armored.age", text.as_bytes());
    folder.run("unprotect armored.age --passphrase-file phrase --out again.key").ok();
    assert_eq!(folder.read("again.key"), folder.read("my.key"));
    folder.run("pubkey armored.age --passphrase-file phrase --out again.pub").ok();
    assert_eq!(folder.read("again.pub"), folder.read("my.pub"));
    folder.run("decrypt --key armored.age --passphrase-file phrase photo.slt --out again.png").ok();
    let text = String::from_utf8(folder.run("info armored.age").ok()).expect("text");
    assert!(text.contains("protected key") && text.contains("as text"), "{text}");
    // An armored file is a secret key, too.
    folder.run("pubkey my.key --out armored.age").error("file_exists");
    folder.write("wrong", b"four barrels");
    folder.run("unprotect armored.age --passphrase-file wrong --out no.key").error("wrong_passphrase");
    folder.write("damaged.age", &folder.read("armored.age")[..300]);
    folder.run("unprotect damaged.age --passphrase-file phrase --out no.key").error("truncated");
}

#[test]
fn kernels_with_an_even_number_of_weights_and_mirrored_edges_are_what_the_help_says() {
    let folder = Folder::new();
    let row = Photo::from_samples(4, 1, 1, vec![10, 20, 30, 40]).expect("a photo");
    folder.write_png("row.png", &row);
    folder.write_png("column.png", &Photo::from_samples(1, 4, 1, vec![10, 20, 30, 40]).expect("a photo"));
    let filtered = |photo: &str, border: &str, kernel: &str| {
        folder.run(&format!("encrypt --key my.key {photo} --border {border} --radius 2 --out row.slt")).ok();
        folder.run(&format!("filter kernel --kernel {kernel} row.slt --out out.slt")).ok();
        folder.run("decrypt --key my.key out.slt --out out.png").ok();
        folder.read_photo("out.png").samples().to_vec()
    };
    // numpy.pad(mode="reflect"), BORDER_REFLECT_101, scipy's mirror: c b | a b c d | c b.
    assert_eq!(filtered("row.png", "reflect", "1,0,0"), [20, 10, 20, 30]);
    assert_eq!(filtered("row.png", "reflect", "1,0,0,0,0"), [30, 20, 10, 20]);
    assert_eq!(filtered("row.png", "reflect", "0,0,0,0,1"), [30, 40, 30, 20]);
    assert_eq!(filtered("row.png", "replicate", "1,0,0"), [10, 10, 20, 30]);
    assert_eq!(filtered("row.png", "zero", "1,0,0"), [0, 10, 20, 30]);
    // The pixel is under weight number 2/2 = 1, or 4/2 = 2.
    assert_eq!(filtered("row.png", "replicate", "0,1"), [10, 20, 30, 40]);
    assert_eq!(filtered("row.png", "replicate", "1,0"), [10, 10, 20, 30]);
    assert_eq!(filtered("row.png", "replicate", "0,0,1,0"), [10, 20, 30, 40]);
    assert_eq!(filtered("row.png", "replicate", "0,0,0,1"), [20, 30, 40, 40]);
    assert_eq!(filtered("column.png", "replicate", "0;1"), [10, 20, 30, 40]);
    assert_eq!(filtered("column.png", "replicate", "1;0"), [10, 10, 20, 30]);
}
