//! `wasm-pack.toml`: how the browser build is made.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::places;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserBuild {
    pub build: Build,
    pub glue: Glue,
    pub optimise: Optimise,
    pub budget: Budget,
}

/// What cargo is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub target: String,
    pub profile: String,
    pub features: Vec<String>,
    pub rustflags: Vec<String>,
}

/// Where in the page the JavaScript module lies, and its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glue {
    pub folder: String,
    pub name: String,
}

/// The flags of wasm-opt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimise {
    pub flags: Vec<String>,
}

/// The largest `.wasm` that we accept, in KiB.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub raw: usize,
    pub gzipped: usize,
}

impl BrowserBuild {
    /// Reads the file, and gives its text too (whoever caches a result needs to know when it changed).
    pub fn read() -> Result<(Self, String)> {
        let text = fs::read_to_string(places::root().join("wasm-pack.toml")).context("cannot read wasm-pack.toml")?;
        Ok((toml::from_str(&text).context("wasm-pack.toml is not as expected")?, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_as_expected() {
        let (settings, _) = BrowserBuild::read().expect("it reads");
        assert_eq!(settings.build.target, crate::setup::wasm_target::TARGET);
    }
}
