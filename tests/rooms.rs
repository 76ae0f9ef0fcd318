//! The rooms of the crate and their order: imports only point down, as CONTRIBUTING.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom. A room uses those below it.
const ROOMS: [&str; 18] = [
    "main",
    "cli",
    "web",
    "server",
    "experiments",
    "learn",
    "network",
    "remote",
    "api",
    "schemes",
    "wire",
    "photo",
    "math",
    "watch",
    "json",
    "address",
    "read_at",
    "signals",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rooms that a file names in `crate::room` or `crate::{room, ...}`, outside comments.
fn used(text: &str) -> BTreeSet<String> {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = lines.join("\n");
    let mut rooms = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let rest = &code[at + found.len()..];
        let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
        let separator = if rest.starts_with('{') { ',' } else { '\0' };
        for name in names.split(separator) {
            let name: String = name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            rooms.insert(name);
        }
    }
    rooms
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rank = |name: &str| ROOMS.iter().position(|room| *room == name);
    let mut wrong = Vec::new();
    let files = sources(&src);
    assert!(files.len() > 100);
    for file in files {
        let place = file.strip_prefix(&src).expect("below src");
        let room = place.components().next().expect("a name").as_os_str().to_string_lossy().replace(".rs", "");
        if room == "lib" || room == "error" {
            continue;
        }
        let own = rank(&room).unwrap_or_else(|| panic!("{room} is not in the list"));
        let text = fs::read_to_string(&file).expect("text");
        for other in used(&text) {
            if rank(&other).is_some_and(|other| other < own) {
                wrong.push(format!("{} uses {other}", place.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn schemes_do_not_know_each_other() {
    let schemes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schemes");
    let names = ["paillier", "ckks", "etc"];
    for file in sources(&schemes) {
        let place = file.strip_prefix(&schemes).expect("below").to_path_buf();
        let own = place.components().next().expect("a name").as_os_str().to_string_lossy().replace(".rs", "");
        if !names.contains(&own.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("text");
        for other in names.iter().filter(|other| **other != own) {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let uses = lines.filter(|line| line.contains(&format!("schemes::{other}"))).count();
            assert_eq!(uses, 0, "{} uses {other}", place.display());
        }
    }
}

/// The rooms of the server, likewise.
const SERVER_ROOMS: [&str; 7] = ["http", "app", "queue", "store", "shares", "client", "config"];

/// A module's path below `src/server`, as in `["store", "keys", "folder"]`.
fn module(place: &Path) -> Vec<String> {
    place.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// The modules of the server that a file's text outside comments names, in full: those after `crate::server::` and `super::`.
fn used_in_server(text: &str, own: &[String]) -> BTreeSet<Vec<String>> {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = lines.join("\n").replace("use super::*", "");
    let mut paths = BTreeSet::new();
    let mut add = |start: &[String], rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
        let (stem, list) = (&rest[..end], rest[end..].strip_prefix('{'));
        let names = list.map_or("", |list| list.split('}').next().unwrap_or_default());
        for name in names.split(',') {
            let path = format!("{stem}{}", name.split_whitespace().next().unwrap_or_default());
            let parts = path.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
            paths.insert(start.iter().cloned().chain(parts).collect::<Vec<_>>());
        }
    };
    for (at, found) in code.match_indices("crate::server::") {
        add(&[], &code[at + found.len()..]);
    }
    for (at, _) in code.match_indices("super::") {
        if code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        // A module of tests in a file is one deeper. Its own paths start with `crate`.
        let mut start = own.to_vec();
        while let Some(shorter) = rest.strip_prefix("super::") {
            (rest, _) = (shorter, start.pop());
        }
        add(&start, rest);
    }
    paths
}

#[test]
fn imports_in_the_server_point_down_and_no_two_modules_import_each_other() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server");
    let rank = |name: &str| SERVER_ROOMS.iter().position(|room| *room == name);
    let files = sources(&server);
    let place = |file: &Path| module(file.strip_prefix(&server).expect("below src/server"));
    let modules: BTreeSet<_> = files.iter().map(|file| place(file)).collect();
    let (mut wrong, mut imports) = (Vec::new(), BTreeSet::new());
    for file in &files {
        let own = place(file);
        let text = fs::read_to_string(file).expect("text");
        let level = rank(&own[0]).unwrap_or_else(|| panic!("{} is not in the list", own[0]));
        if (1..6).contains(&level) && text.contains("axum") {
            wrong.push(format!("{} knows HTTP", own.join("/")));
        }
        for path in used_in_server(&text, &own) {
            // What is not a module is a thing in one.
            let lengths = (1..=path.len()).rev();
            let Some(other) = lengths.map(|length| path[..length].to_vec()).find(|path| modules.contains(path)) else {
                continue;
            };
            if rank(&other[0]).is_some_and(|other| other < level) {
                wrong.push(format!("{} uses {}", own.join("/"), other.join("/")));
            }
            // A module and those inside it are one thing.
            if !own.starts_with(&other) && !other.starts_with(&own) {
                imports.insert((own.clone(), other));
            }
        }
    }
    assert!(imports.len() > 50, "{imports:?}");
    for (one, other) in &imports {
        if one < other && imports.contains(&(other.clone(), one.clone())) {
            wrong.push(format!("{} and {} use each other", one.join("/"), other.join("/")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
