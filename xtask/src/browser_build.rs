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
    /// Best first.
    #[serde(rename = "variant")]
    pub variants: Vec<Variant>,
    pub budget: Budget,
}

/// What cargo is told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub target: String,
    pub profile: String,
    pub features: Vec<String>,
    /// For every variant.
    pub rustflags: Vec<String>,
}

/// Where in the vault the JavaScript module lies, and its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glue {
    pub folder: String,
    pub name: String,
}

/// The flags of wasm-opt for every variant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimise {
    pub flags: Vec<String>,
}

/// The same source, compiled with other instructions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    /// The `.wasm`, beside the JavaScript module.
    pub file: String,
    pub rustflags: Vec<String>,
    /// More flags of wasm-opt.
    pub optimise: Vec<String>,
}

/// The most that a browser may fetch for the class API, in KB of 1000 bytes: one `.wasm` and all scripts.
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
        let baseline = settings.variants.last().expect("a variant");
        assert_eq!(baseline.file, format!("{}_bg.wasm", settings.glue.name), "the one that the glue loads by itself");
        assert!(baseline.optimise.is_empty(), "the baseline must run everywhere");
    }

    #[test]
    fn the_page_knows_the_variants_in_their_order() {
        let (settings, _) = BrowserBuild::read().expect("it reads");
        let script = fs::read_to_string(places::root().join("www/client/build.js")).expect("it is there");
        let folder = settings.glue.folder.strip_prefix("client/").expect("beside the script");
        let places: Vec<_> = settings
            .variants
            .iter()
            .map(|Variant { name, file, .. }| {
                let entry = format!("variant: '{name}', url: new URL('{folder}/{file}', import.meta.url)");
                script.find(&entry).unwrap_or_else(|| panic!("www/client/build.js lacks {entry}"))
            })
            .collect();
        assert!(places.is_sorted(), "www/client/build.js names the variants in another order");
    }
}
