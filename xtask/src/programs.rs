//! Builds our own two programs as a user has them: the client's command line, and the server that has no client code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::{cargo, run};
use crate::places;

/// Both programs.
pub struct Programs {
    /// With all features.
    pub client: PathBuf,
    /// Without the feature `client`: it cannot name a secret key.
    pub server: PathBuf,
}

/// Builds them as a release. Both come from one target folder, so what they share is built once.
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

/// Copies the program that cargo made last by this profile away, because cargo gives both the same name.
pub fn keep(name: &str, profile: &str) -> Result<PathBuf> {
    let folder = places::memory().join("bin");
    fs::create_dir_all(&folder)?;
    let program = folder.join(name);
    // A copy moved into place works even while the old program runs.
    let fresh = folder.join(format!("{name}.new"));
    fs::copy(places::target().join(profile).join("safelight"), &fresh).context("cargo's program is missing")?;
    fs::rename(&fresh, &program)?;
    Ok(program)
}
