//! Evaluation keys over HTTP. There is no secret key here, so the keys consist of noise: for the format, any residue is as good
//! as any other.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use safelight::schemes::ckks::keys::KeyId;
use safelight::schemes::ckks::parameters::{Parameters, SMALL};
use safelight::schemes::ckks::ring::{CONJUGATION, primes};
use safelight::schemes::ckks::wire::{Entry, Purpose, SetHead};
use serde_json::json;

use crate::client::{Answer, Request, call, get};
use crate::house::{Server, until};

const MARK: [u8; 8] = *b"\x89SLT\r\n\x1a\n";

/// A switch key of noise, written by hand. `change` can damage the residues of a limb before they are packed.
fn switch_key(set: &Parameters, key: KeyId, entry: [u8; 7], level: usize, change: fn(usize, &mut [u64])) -> Vec<u8> {
    let mut file =
        [&MARK[..], &[1, 0, 9, 4], &57u32.to_le_bytes(), &set.id.to_le_bytes(), &key.0, &entry, &[7; 32]].concat();
    let crc = crc32fast::hash(&file).to_le_bytes();
    file.extend(crc);
    let primes = primes(set).expect("primes");
    let digits = (level + 1).div_ceil(set.special);
    let places = (0..digits).flat_map(|_| 0..=set.special + level);
    let mut state = 1u64;
    for (number, place) in places.enumerate() {
        let prime = primes[place].value();
        let bits = u64::BITS - prime.leading_zeros();
        let mut residues: Vec<u64> = (0..set.degree())
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 14) % prime
            })
            .collect();
        change(number, &mut residues);
        let (mut packed, mut word, mut filled) = (Vec::new(), 0u128, 0);
        for residue in residues {
            word |= u128::from(residue) << filled;
            filled += bits;
            while filled >= 8 {
                packed.push(word.to_le_bytes()[0]);
                word >>= 8;
                filled -= 8;
            }
        }
        let number = u32::try_from(number).expect("few");
        let sum = crc32fast::hash(&[&crc[..], &number.to_le_bytes(), &packed].concat());
        file.extend(packed);
        file.extend(sum.to_le_bytes());
    }
    file
}

const OWNER: KeyId = KeyId([0xAB; 16]);
const FINGERPRINT: &str = "abababababababababababababababab";
/// Products, a rotation by one step and one by three, and conjugation, at these levels.
const ENTRIES: [([u8; 7], usize); 4] = [
    ([1, 1, 1, 0, 0, 0, 0], 1),
    ([2, 0, 1, 5, 0, 0, 0], 0),
    ([2, 0, 1, 125, 0, 0, 0], 0),
    ([2, 0, 1, 0xFF, 0x3F, 0, 0], 0),
];

fn keys_with(owner: impl Fn(usize) -> KeyId, change: fn(usize, &mut [u64])) -> Vec<u8> {
    let entry = |purpose, level| Entry { purpose, level, special: 1 };
    let entries = vec![
        entry(Purpose::Relinearise, 1),
        entry(Purpose::Galois(5), 0),
        entry(Purpose::Galois(125), 0),
        entry(Purpose::Galois(CONJUGATION), 0),
    ];
    let mut file = SetHead::new(&SMALL, OWNER, entries).expect("a list").write();
    for (place, (entry, level)) in ENTRIES.into_iter().enumerate() {
        file.extend(switch_key(&SMALL, owner(place), entry, level, if place == 2 { change } else { |_, _| () }));
    }
    file
}

pub(crate) fn keys() -> Vec<u8> {
    keys_with(|_| OWNER, |_, _| ())
}

fn begin(to: SocketAddr, length: usize) -> Answer {
    call(to, "POST", "/v1/keys", &[("Upload-Length", &length.to_string())], b"")
}

fn append(to: SocketAddr, at: &str, offset: usize, bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let headers = [("Upload-Offset", offset.as_str()), ("Content-Type", "application/partial-upload")];
    call(to, "PATCH", at, &headers, bytes)
}

/// Uploads keys in one piece and returns their address.
pub(crate) fn upload(to: SocketAddr, keys: &[u8]) -> String {
    let location = begin(to, keys.len()).header("location").to_owned();
    assert_eq!(append(to, &location, 0, keys).status, 200);
    location
}

fn offset(to: SocketAddr, at: &str) -> usize {
    let answer = call(to, "HEAD", at, &[], b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("upload-offset").parse().expect("a number")
}

/// The names of the files in a folder, without the lock.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "lock").collect()
}

fn is_set(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "keys")
}

#[test]
fn keys_come_in_pieces_are_described_and_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    let keys = keys();
    let begun = begin(server.at, keys.len());
    assert_eq!((begun.status, begun.header("upload-offset")), (201, "0"));
    let location = begun.header("location").to_owned();
    let id = begun.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(location, format!("/v1/keys/{id}"));

    let mut there = 0;
    for piece in keys.chunks(100_000) {
        let described = get(server.at, &location).json();
        assert_eq!(described, json!({ "id": id, "state": "uploading", "bytes": keys.len(), "offset": there }));
        assert_eq!(offset(server.at, &location), there);
        let answer = append(server.at, &location, there, piece);
        there += piece.len();
        assert_eq!((answer.status, answer.header("upload-offset")), (200, there.to_string().as_str()), "{answer:?}");
    }
    let described = get(server.at, &location).json();
    assert_eq!(described["state"], "ready");
    assert_eq!((&described["parameters"], &described["key"]), (&"small".into(), &FINGERPRINT.into()));
    assert_eq!(
        described["keys"],
        json!([
            { "purpose": "products", "level": 1 },
            { "purpose": "rotation", "steps": 1, "level": 0 },
            { "purpose": "rotation", "steps": 3, "level": 0 },
            { "purpose": "conjugation", "level": 0 },
        ])
    );
    let left = described["expires_seconds"].as_u64().expect("seconds");
    assert!((86_000..=86_400).contains(&left), "{left}");
    assert_eq!(offset(server.at, &location), keys.len());
    assert_eq!(append(server.at, &location, keys.len(), b"more").problem(), "wrong_offset");

    // The file on disk has the fingerprint in its name. Its name does not contain the id.
    let [name] = &names(folder.path())[..] else { panic!("one file") };
    assert!(name.starts_with(FINGERPRINT) && is_set(name) && !name.contains(&id), "{name}");
    assert!(std::fs::read(folder.path().join(name)).expect("a file") == keys);

    assert_eq!(call(server.at, "DELETE", &location, &[], b"").status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(call(server.at, method, &location, &[], b"").problem(), "keys_not_found");
    }
    assert_eq!(call(server.at, "HEAD", &location, &[], b"").status, 404);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn an_upload_goes_on_after_its_connection_broke() {
    let server = Server::start(|_| ());
    let keys = keys();
    let location = begin(server.at, keys.len()).header("location").to_owned();
    let length = keys.len().to_string();
    let mut broken =
        Request::open(server.at, "PATCH", &location, &[("Upload-Offset", "0"), ("Content-Length", &length)]);
    broken.send(&keys[..70_000]);
    until("the bytes arrive", || get(server.at, &location).json()["offset"] == 70_000);
    drop(broken);
    assert_eq!(offset(server.at, &location), 70_000);

    // This connection is still open, but asking for the offset ends its upload.
    let mut hanging =
        Request::open(server.at, "PATCH", &location, &[("Upload-Offset", "70000"), ("Transfer-Encoding", "chunked")]);
    hanging.send_chunk(&keys[70_000..90_000]).expect("sent");
    until("the bytes arrive", || get(server.at, &location).json()["offset"] == 90_000);
    assert_eq!(offset(server.at, &location), 90_000);
    assert_eq!(hanging.answer().problem(), "cancelled");

    // Sending the next piece does the same. For a piece at the wrong position, the answer contains the correct one.
    let mut hanging =
        Request::open(server.at, "PATCH", &location, &[("Upload-Offset", "90000"), ("Transfer-Encoding", "chunked")]);
    hanging.send_chunk(&keys[90_000..95_000]).expect("sent");
    until("the bytes arrive", || get(server.at, &location).json()["offset"] == 95_000);
    let wrong = append(server.at, &location, 90_000, &keys[90_000..]);
    assert_eq!((wrong.problem().as_str(), wrong.header("upload-offset")), ("wrong_offset", "95000"));
    assert_eq!(append(server.at, &location, 95_000, &keys[95_000..]).json()["state"], "ready");
}

#[test]
fn keys_that_are_not_good_never_become_usable() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    let good = keys();
    let refused = |keys: &[u8], length: usize| {
        let location = begin(server.at, length).header("location").to_owned();
        let code = append(server.at, &location, 0, keys).problem();
        until("the upload is gone", || get(server.at, &location).status == 404);
        assert_eq!(append(server.at, &location, 0, keys).problem(), "keys_not_found");
        assert!(names(folder.path()).is_empty(), "{code}");
        code
    };
    let mut damaged = good.clone();
    let end = damaged.len() - 1000;
    damaged[end] ^= 1;
    assert_eq!(refused(&damaged, good.len()), "damaged");
    // An unknown parameter set, and a switch key with another set than the list.
    let with_set = |start: usize, set: u8| {
        let mut bytes = good.clone();
        let header = u32::from_le_bytes(bytes[start + 12..start + 16].try_into().expect("4 bytes"));
        let end = start + 16 + usize::try_from(header).expect("short");
        bytes[start + 16] = set;
        let crc = crc32fast::hash(&bytes[start..end]).to_le_bytes();
        bytes[end..end + 4].copy_from_slice(&crc);
        refused(&bytes, good.len())
    };
    assert_eq!(with_set(0, 99), "unknown_parameters");
    let second = SetHead::read(&good).and_then(|head| head.ranges()).expect("a list")[1].start;
    assert_eq!(with_set(usize::try_from(second).expect("small"), 2), "wrong_parameters");
    let beyond = keys_with(
        |_| OWNER,
        |number, residues| {
            if number == 1 {
                residues[8000] = (1 << 45) - 1;
            }
        },
    );
    assert_eq!(refused(&beyond, good.len()), "residue_out_of_range");
    let foreign = keys_with(|place| if place == 3 { KeyId([1; 16]) } else { OWNER }, |_, _| ());
    assert_eq!(refused(&foreign, good.len()), "foreign_key");
    // A single switch key is not a set, nor is anything else.
    let one = switch_key(&SMALL, OWNER, ENTRIES[1].0, 0, |_, _| ());
    assert_eq!(refused(&one, one.len()), "wrong_kind");
    assert_eq!(refused(&[0; 5000], 5000), "not_safelight");
    // The list reveals that the announced length is wrong.
    assert_eq!(refused(&good[..1000], good.len() - 1), "truncated");
    assert_eq!(refused(&good[..1000], good.len() + 1), "trailing_data");

    // An incomplete set remains an upload.
    let location = begin(server.at, good.len()).header("location").to_owned();
    assert_eq!(append(server.at, &location, 0, &good[..good.len() - 1]).json()["state"], "uploading");
    assert!(names(folder.path())[0].starts_with("upload-"));
    // More data than announced are refused. The data that came before stay, because the rest may still come.
    assert_eq!(append(server.at, &location, good.len() - 1, b"xx").problem(), "too_large");
    assert_eq!(offset(server.at, &location), good.len() - 1);
    assert_eq!(append(server.at, &location, good.len() - 1, &good[good.len() - 1..]).json()["state"], "ready");
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let server = Server::start(|config| config.limits.key_bytes = 1 << 20);
    assert_eq!(call(server.at, "POST", "/v1/keys", &[], b"").problem(), "bad_argument");
    for length in ["", "x", "-1", "+1", "1.5", "0", "99999999999999999999999"] {
        let answer = call(server.at, "POST", "/v1/keys", &[("Upload-Length", length)], b"");
        assert_eq!(answer.problem(), "bad_argument", "{length}");
    }
    assert_eq!(begin(server.at, (1 << 20) + 1).problem(), "too_large");
    let location = begin(server.at, 1000).header("location").to_owned();
    assert_eq!(call(server.at, "PATCH", &location, &[], b"x").problem(), "bad_argument");
    assert_eq!(append(server.at, &location, 5, b"x").problem(), "wrong_offset");
    assert_eq!(call(server.at, "PUT", &location, &[], b"x").problem(), "method_not_allowed");
    let about = get(server.at, "/v1").json();
    assert_eq!(about["limits"]["key_bytes"], 1 << 20);
    assert_eq!(about["ckks_parameters"][0], "small");
}

#[test]
fn nobody_else_has_the_keys_of_somebody() {
    let server = Server::start(|_| ());
    let keys = keys();
    let mine = upload(server.at, &keys);
    // The fingerprint is not secret, and does not grant access.
    for other in [FINGERPRINT, "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "%FF"] {
        let other = format!("/v1/keys/{other}");
        for method in ["GET", "DELETE"] {
            assert_eq!(call(server.at, method, &other, &[], b"").problem(), "keys_not_found", "{method} {other}");
        }
        assert_eq!(append(server.at, &other, 0, b"x").problem(), "keys_not_found");
        assert_eq!(call(server.at, "HEAD", &other, &[], b"").status, 404);
    }
    // Someone who sends keys under the same fingerprint gets a separate set.
    let theirs = upload(server.at, &keys);
    assert_ne!(mine, theirs);
    assert_eq!(call(server.at, "DELETE", &theirs, &[], b"").status, 204);
    assert_eq!(get(server.at, &mine).json()["state"], "ready");
}

#[test]
fn deleting_ends_an_upload() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let server = Server::start(|config| config.keys = Some(at));
    let keys = keys();
    let location = begin(server.at, keys.len()).header("location").to_owned();
    let mut running =
        Request::open(server.at, "PATCH", &location, &[("Upload-Offset", "0"), ("Transfer-Encoding", "chunked")]);
    running.send_chunk(&keys[..50_000]).expect("sent");
    until("the bytes arrive", || get(server.at, &location).json()["offset"] == 50_000);
    assert_eq!(call(server.at, "DELETE", &location, &[], b"").status, 204);
    assert_eq!(running.answer().problem(), "cancelled");
    assert_eq!(get(server.at, &location).problem(), "keys_not_found");
    until("the file is gone", || names(folder.path()).is_empty());
}

#[test]
fn there_is_an_end_to_the_room_and_to_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_owned();
    let server = Server::start(|config| {
        config.keys = Some(at);
        config.limits.keys = 2;
        config.limits.key_bytes = 1_500_000;
        config.limits.keep_keys = Duration::from_secs(3);
        config.limits.keep_uploads = Duration::from_millis(700);
    });
    let keys = keys();
    let location = upload(server.at, &keys);
    let full = begin(server.at, 1_500_000);
    assert_eq!((full.status, full.problem().as_str()), (503, "too_busy"));
    assert!(["1", "2", "3"].contains(&full.header("retry-after")), "when the first set expires: {full:?}");
    let resting = begin(server.at, keys.len()).header("location").to_owned();
    assert_eq!(append(server.at, &resting, 0, &keys[..70_000]).status, 200);
    assert_eq!(begin(server.at, 1000).problem(), "too_busy");
    until("the upload that rests is given up", || get(server.at, &resting).status == 404);
    assert_eq!(begin(server.at, 1000).status, 201);
    until("the keys expire", || get(server.at, &location).status == 404);
    until("all files are gone", || names(folder.path()).is_empty());
}

#[test]
fn a_restart_finds_what_is_there_and_throws_halves_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |keep: u64| {
        let at = folder.path().to_owned();
        Server::start(move |config| {
            config.keys = Some(at);
            config.limits.keep_keys = Duration::from_secs(keep);
        })
    };
    let keys = keys();
    let server = start(3600);
    let location = upload(server.at, &keys);
    let half = begin(server.at, keys.len()).header("location").to_owned();
    assert_eq!(append(server.at, &half, 0, &keys[..60_000]).status, 200);
    // Two servers cannot share a folder.
    let config = safelight::server::Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        keys: Some(folder.path().to_owned()),
        ..safelight::server::Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let second = runtime.block_on(safelight::server::serve(config, |_| (), async {}));
    assert_eq!(second.err().map(|error| error.code()), Some("bad_argument"));
    drop(server);

    // Files that a killed server, or something else, has left there.
    let name = names(folder.path()).into_iter().find(|name| is_set(name)).expect("the set");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("upload-killed.part"), b"half").expect("written");
    let broken = format!("{FINGERPRINT}-{}.keys", "0".repeat(64));
    std::fs::write(place(&broken), &keys[..keys.len() - 1]).expect("written");
    std::fs::write(place("notes.txt"), b"not ours").expect("written");

    let server = start(3600);
    assert_eq!(get(server.at, &location).json()["state"], "ready");
    assert_eq!(get(server.at, &half).problem(), "keys_not_found");
    let mut left = names(folder.path());
    left.sort();
    assert_eq!(left, [name, "notes.txt".into()]);
    drop(server);

    // Time passes while no server runs.
    std::thread::sleep(Duration::from_millis(1100));
    let server = start(1);
    assert_eq!(get(server.at, &location).problem(), "keys_not_found");
    assert_eq!(names(folder.path()), ["notes.txt"]);
}
