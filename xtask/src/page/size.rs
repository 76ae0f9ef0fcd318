//! The size of each module's download: one of its WebAssembly files, and the scripts that come with it.

use std::fs;
use std::io::Write;
use std::iter::Sum;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::browser_build::{BrowserBuild, Module};
use crate::page::Site;
use crate::places;

/// Fails if a module exceeds its budget.
pub fn check(site: &Site, settings: &BrowserBuild) -> Result<()> {
    settings.modules.iter().try_for_each(|module| check_module(site, module))
}

fn check_module(site: &Site, module: &Module) -> Result<()> {
    let Module { name, fetched, budget, .. } = module;
    let glue = site.vault.join(&module.folder);
    let mut scripts = scripts_in(&glue)?;
    for (folder, places) in [(&site.vault, &fetched.vault), (&site.page, &fetched.page)] {
        for place in places {
            let place = folder.join(place);
            scripts.extend(if place.is_dir() { scripts_in(&place)? } else { vec![place] });
        }
    }
    let scripts: Vec<Size> = scripts.iter().map(|file| Size::of(file)).collect::<Result<_>>()?;
    for variant in &module.variants {
        let wasm = Size::of(&glue.join(&variant.file))?;
        let all: Size = scripts.iter().copied().chain([wasm]).sum();
        println!("    {name}, variant {}: {wasm}, with the scripts {all}", variant.name);
        ensure!(
            all.raw <= budget.raw * 1000 && all.gzipped <= budget.gzipped * 1000,
            "variant {} of {name} exceeds its budget in wasm-pack.toml: {} KB, {} KB gzipped",
            variant.name,
            budget.raw,
            budget.gzipped
        );
    }
    Ok(())
}

fn scripts_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", places::shown(folder)))?;
    let files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|name| name == "js")).collect())
}

/// A size in bytes, uncompressed and compressed for transfer.
#[derive(Clone, Copy, Default)]
struct Size {
    raw: usize,
    gzipped: usize,
}

impl Size {
    fn of(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", places::shown(file)))?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        Ok(Self { raw: bytes.len(), gzipped: encoder.finish()?.len() })
    }
}

impl Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), |sum, size| Self { raw: sum.raw + size.raw, gzipped: sum.gzipped + size.gzipped })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} KB ({} KB gzipped)", self.raw.div_ceil(1000), self.gzipped.div_ceil(1000))
    }
}
