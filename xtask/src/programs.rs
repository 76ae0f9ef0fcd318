//! Builds our two programs as users get them: the client's command line, and the server, which has no client code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::{cargo, run};
use crate::places;

/// Both programs.
pub struct Programs {
    /// The program with all features.
    pub client: PathBuf,
    /// The program without the feature `client`: it contains no code for secret keys.
    pub server: PathBuf,
}

/// Builds both in release mode. They use one target folder, so shared code is built once.
pub fn build() -> Result<Programs> {
    let build = |name, features: &[&str]| {
        run(cargo().args(["build", "--release", "--bin", "safelight"]).args(features))?;
        keep(name, "release")
    };
    let server = build("safelight-server", &SERVER)?;
    Ok(Programs { client: build("safelight", &[])?, server })
}

/// Cargo's options for a program without the feature `client`.
pub const SERVER: [&str; 3] = ["--no-default-features", "--features", "server,cli"];

/// Copies the program that cargo has just made in this profile elsewhere, because cargo gives both the same name.
pub fn keep(name: &str, profile: &str) -> Result<PathBuf> {
    let folder = places::memory().join("bin");
    fs::create_dir_all(&folder)?;
    let program = folder.join(name);
    // Moving a copy into place works even while the old program is running.
    let fresh = folder.join(format!("{name}.new"));
    fs::copy(places::target().join(profile).join("safelight"), &fresh).context("cargo's program is missing")?;
    fs::rename(&fresh, &program)?;
    Ok(program)
}
