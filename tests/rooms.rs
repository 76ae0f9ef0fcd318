//! The rooms of the crate and their order: imports only point down, as CONTRIBUTING.md says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom. A room uses those below it.
const ROOMS: [&str; 16] = [
    "main",
    "cli",
    "web",
    "server",
    "experiments",
    "learn",
    "network",
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
