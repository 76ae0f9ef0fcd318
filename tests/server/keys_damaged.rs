//! Keys that are changed on the server's disk.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

#[cfg(feature = "client")]
use crate::client::post;
use crate::client::{call, get};
use crate::house::{Server, until};
use crate::keys::{keys, upload};

/// Starts a server with a set of keys. Returns the address of the keys and their file.
fn server_with_keys(folder: &Path) -> (Server, String, PathBuf) {
    let at = folder.to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    let location = upload(server.at, &keys());
    let file = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "keys"));
    (server, location, file.expect("the set"))
}

#[test]
fn a_set_that_was_changed_on_disk_is_not_ready_and_the_server_lives() {
    let cut = |file: &Path| OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(1000)).expect("cut");
    let emptied = |file: &Path| drop(fs::File::create(file).expect("emptied"));
    let flipped = |file: &Path| {
        let mut bytes = fs::read(file).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        // Some file systems have coarse timestamps.
        std::thread::sleep(std::time::Duration::from_millis(50));
        fs::write(file, bytes).expect("written");
    };
    let changes: [&dyn Fn(&Path); 3] = [&cut, &emptied, &flipped];
    for (number, change) in changes.into_iter().enumerate() {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, location, file) = server_with_keys(folder.path());
        assert_eq!(get(server.at, &location).json()["state"], "ready");
        change(&file);
        let described = get(server.at, &location);
        assert_eq!((described.status, &described.json()["state"]), (200, &"damaged".into()), "{number}");
        assert_eq!(call(server.at, "HEAD", &location, &[], b"").status, 500);
        let more = call(server.at, "PATCH", &location, &[("Upload-Offset", "0")], b"x");
        assert_eq!((more.status, more.problem().as_str()), (500, "keys_damaged"));
        until("the file is gone", || !file.exists());
        assert_eq!(get(server.at, "/v1/health").status, 200);
        assert_eq!(call(server.at, "DELETE", &location, &[], b"").status, 204);
        assert_eq!(get(server.at, &location).problem(), "keys_not_found");
        assert_eq!(get(server.at, &upload(server.at, &keys())).json()["state"], "ready");
    }
}

#[test]
fn a_set_that_was_touched_and_not_changed_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, location, file) = server_with_keys(folder.path());
    std::thread::sleep(std::time::Duration::from_millis(50));
    fs::write(&file, fs::read(&file).expect("read")).expect("written");
    assert_eq!(get(server.at, &location).json()["state"], "ready");
}

#[test]
fn an_owner_is_told_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, location, file) = server_with_keys(folder.path());
    drop(server);
    OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len(1000)).expect("cut");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    assert_eq!(get(server.at, &location).json()["state"], "damaged");
    assert!(!file.exists());
}

/// Keys that are truncated while they are in use, at every stage of the work.
#[cfg(feature = "client")]
#[test]
fn keys_cut_at_any_moment_are_an_error_with_a_code() {
    use crate::networks;

    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    let asked = networks::Asked::new(&server);
    assert_eq!(post(server.at, &asked.target, &asked.picture).status, 200);
    let file = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "keys"));
    let file = OpenOptions::new().write(true).open(file.expect("the set")).expect("open");
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let (at, target, picture) = (server.at, asked.target.clone(), asked.picture.clone());
            std::thread::spawn(move || {
                for _ in 0..20 {
                    let answer = post(at, &target, &picture);
                    if answer.status != 200 {
                        return (answer.status, answer.problem());
                    }
                }
                (200, String::new())
            })
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(30));
    file.set_len(5000).expect("cut");
    for asker in askers {
        let (status, code) = asker.join().expect("no panic");
        assert!((status, code.as_str()) == (500, "keys_damaged") || status == 200, "{status} {code}");
    }
    let answer = post(server.at, &asked.target, &asked.picture);
    assert_eq!((answer.status, answer.problem().as_str()), (500, "keys_damaged"));
    assert_eq!(get(server.at, "/v1/health").status, 200);
}
