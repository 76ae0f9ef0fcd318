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

/// Builds them optimised. Both come from one target folder, so what they share is built once; each is copied away
/// because cargo gives them the same name.
pub fn build() -> Result<Programs> {
    let server = build_one("safelight-server", &["--no-default-features", "--features", "server,cli"])?;
    let client = build_one("safelight", &[])?;
    Ok(Programs { client, server })
}

fn build_one(name: &str, features: &[&str]) -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--bin", "safelight"]).args(features))?;
    let folder = places::memory().join("bin");
    fs::create_dir_all(&folder)?;
    let program = folder.join(name);
    // A copy moved into place works even while the old program runs.
    let fresh = folder.join(format!("{name}.new"));
    fs::copy(places::target().join("release/safelight"), &fresh)
        .context("cargo's program is not where it should be")?;
    fs::rename(&fresh, &program)?;
    Ok(program)
}
