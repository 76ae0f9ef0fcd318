//! `cargo deny`, built from source. This takes some minutes on a machine with two cores, but only once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::{answer, cargo, command, run_within};
use crate::places;

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";

/// The program of this version: the one on the `PATH`, or ours, which is built if necessary.
pub fn find_or_install() -> Result<PathBuf> {
    let folder = places::memory().join("cargo-deny");
    let ours = folder.join("bin/cargo-deny");
    for program in [PathBuf::from("cargo-deny"), ours.clone()] {
        if answer(command(&program).arg("--version")).is_some_and(|said| said == format!("cargo-deny {VERSION}")) {
            println!("    cargo-deny {VERSION}: found");
            return Ok(program);
        }
    }
    println!("    cargo-deny {VERSION} is missing: building it once");
    let mut install = cargo();
    install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--root"]).arg(&folder);
    // It only reads some files, so a quick build matters more than a fast program.
    install.args(["--profile", "dev", "--config", "profile.dev.debug=false"]);
    install.env("CARGO_TARGET_DIR", folder.join("build"));
    run_within(&mut install, Duration::from_mins(30)).context("cannot build cargo-deny")?;
    std::fs::remove_dir_all(folder.join("build")).context("cannot remove cargo-deny's build folder")?;
    Ok(ours)
}
