//! What the program inherits from its parent: pipes and devices for outputs, and ignored signals.

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{Folder, Run, picture};

/// A folder with a photo `photo.png` and its encrypted image `photo.slt`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write_png("photo.png", &picture(9, 7, 3, 11));
    folder.run("encrypt --key my.key photo.png --out photo.slt").ok();
    folder
}

/// Runs a shell script in the folder; `$s` is the program.
fn shell(folder: &Folder, script: &str) -> Run {
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).current_dir(folder.path("")).env("s", env!("CARGO_BIN_EXE_safelight"));
    command.env("SAFELIGHT_HOME", folder.path(".home")).stdin(Stdio::null());
    Run::of(command.output().expect("bash runs"))
}

#[test]
fn pipes_and_devices_are_written_as_they_are() {
    let folder = folder();
    let public = folder.read("my.pub");
    for out in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        assert_eq!(shell(&folder, &format!("\"$s\" pubkey my.key --out {out} | cat")).ok(), public, "{out}");
        shell(
            &folder,
            &format!("\"$s\" filter mean photo.slt --out {out} | \"$s\" decrypt --key my.key - --out a.png"),
        )
        .ok();
    }
    symlink("/dev/stdout", folder.path("out")).expect("link");
    assert_eq!(shell(&folder, "\"$s\" pubkey my.key --out out | cat").ok(), public);
    shell(&folder, "\"$s\" pubkey my.key --out >(cat > copy.pub); sleep 1").ok();
    assert_eq!(folder.read("copy.pub"), public);
    // A new secret is also written there if the user asks for it, but not through a link.
    shell(&folder, "\"$s\" keygen etc --out >(cat > etc.key); sleep 1").ok();
    folder.run("info etc.key").ok();
    shell(&folder, "\"$s\" keygen etc --out out | cat; exit ${PIPESTATUS[0]}").error("file_exists");
    // The error for a full disk names the file that did not fit.
    let message = folder.run("pubkey my.key --out /dev/full").error("io");
    assert!(message.contains("/dev/full") && message.contains("No space left"), "{message}");
}

#[test]
fn readers_that_have_enough_are_no_error() {
    let folder = folder();
    // The reader ends before anything is written.
    let run = shell(&folder, "{ sleep 1; \"$s\" info photo.slt; echo $? > code; } | true; sleep 2");
    assert_eq!(run.errors(), "");
    assert_eq!(folder.read("code"), b"0\n");
}

#[test]
fn names_that_are_none_are_told() {
    let folder = folder();
    let message = folder.run("decrypt --key my.key photo.slt --out .jpg").error("bad_argument");
    assert!(message.contains("ending without a name"), "{message}");
    for (out, code) in [("no/", "io"), ("new/", "io"), ("./", "io")] {
        let message = folder.run(&format!("decrypt --key my.key photo.slt --out {out}")).error(code);
        assert!(message.contains("is a folder"), "{message}");
    }
    folder.run("unprotect my.key --out copy.key").error("bad_argument");
    folder.write("phrase", b"three barrels");
    folder.run("keygen etc --out etc.key").ok();
    let message = folder.run("etc encrypt --key etc.key photo.png --out s.gif").error("bad_argument");
    assert!(!message.contains(".webp"), "{message}");
}

#[test]
fn flags_name_filters_alike() {
    let folder = folder();
    let one = |flags: &[&str], rest: &[&str]| folder.run_with([flags, rest].concat());
    one(&["encrypt", "--key", "my.key", "photo.png", "--out", "k.slt"], &["--for", "kernel kernel=1,1,1"]).ok();
    folder.run("filter kernel --kernel 1,1,1 k.slt --out l.slt").ok();
    one(&["decrypt", "--key", "my.key", "l.slt", "--out", "l.png"], &["--expect", "kernel kernel=1,1,1"]).ok();
    let message = folder.run("encrypt --key my.key photo.png --out k.slt --for kernel").error("bad_filter");
    assert!(message.contains("kernel is missing") && !message.contains("weights"), "{message}");
}

#[test]
fn ignored_signals_stay_ignored() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_safelight")]);
    command.args(["filter", "mean", "photo.slt", "--out", "out.slt", "--server", &url, "--proxy", ""]);
    command.current_dir(folder.path("")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // The request has been sent, so all signal handlers are installed.
    let (mut stream, _) = listener.accept().expect("a request");
    stream.read_exact(&mut [0; 10]).expect("its start");
    let process = child.id().to_string();
    let send = |signal: &str| {
        let status = Command::new("kill").args([signal, &process]).status();
        assert!(status.is_ok_and(|status| status.success()));
    };
    send("-HUP");
    send("-INT");
    send("-HUP");
    std::thread::sleep(Duration::from_secs(1));
    assert!(child.try_wait().expect("a process").is_none(), "it was ended by a signal that is ignored");
    send("-TERM");
    Run::of(child.wait_with_output().expect("it ends")).error("cancelled");
}
