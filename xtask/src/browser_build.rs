//! `wasm-pack.toml`: the settings of the browser build.

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::places;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserBuild {
    pub build: Build,
    pub optimise: Optimise,
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
}

/// Cargo's options for every module and variant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub target: String,
    pub profile: String,
    pub rustflags: Vec<String>,
}

/// The wasm-opt flags for every variant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimise {
    pub flags: Vec<String>,
}

/// A part of the program that a browser downloads separately.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The name of its JavaScript.
    pub name: String,
    /// Its folder in the vault.
    pub folder: String,
    pub features: Vec<String>,
    pub fetched: Fetched,
    pub budget: Budget,
    /// The variants, the best first.
    #[serde(rename = "variant")]
    pub variants: Vec<Variant>,
}

/// The scripts that come with a module, as files or folders of the vault and of the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    pub vault: Vec<String>,
    pub page: Vec<String>,
}

/// The same source, compiled with different instructions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    /// The `.wasm` file, beside the JavaScript module.
    pub file: String,
    pub rustflags: Vec<String>,
    /// More wasm-opt flags.
    pub optimise: Vec<String>,
}

/// The maximum download of a module, in KB of 1000 bytes: one `.wasm` and all scripts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub raw: usize,
    pub gzipped: usize,
}

impl BrowserBuild {
    /// Reads the file and also returns its text, which caches need to detect changes.
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
        for Module { name, variants, .. } in &settings.modules {
            let baseline = variants.last().expect("a variant");
            assert_eq!(baseline.file, format!("{name}_bg.wasm"), "the one that the JavaScript loads by itself");
            let mut features = baseline.rustflags.iter().filter(|flag| flag.contains("target-feature"));
            assert!(
                features.all(|flag| flag == "-Ctarget-feature=+simd128"),
                "{name}: the baseline must run everywhere"
            );
            assert!(
                !baseline.optimise.iter().any(|flag| flag.contains("enable")),
                "{name}: the baseline must run everywhere"
            );
        }
    }

    #[test]
    fn the_page_knows_the_variants_in_their_order() {
        let (settings, _) = BrowserBuild::read().expect("it reads");
        let script = fs::read_to_string(places::root().join("www/client/build.js")).expect("it is there");
        for module in &settings.modules {
            let folder = module.folder.strip_prefix("client/").expect("below the script");
            let places: Vec<_> = module
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
}
