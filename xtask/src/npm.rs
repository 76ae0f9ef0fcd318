//! Builds the npm package from the finished page and vault: the same scripts and WebAssembly files, with types, an entry for
//! Node, and a program that lays out a vault for hosting.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::browser_build::BrowserBuild;
use crate::page::{Site, copy, replace};
use crate::places;

/// The version as it is in `npm/package.json`.
const NO_VERSION: &str = r#""version": "0.0.0""#;
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Builds the package and returns its folder.
pub fn build(site: &Site) -> Result<PathBuf> {
    let package = places::npm();
    replace(&package, |folder| lay_out(folder, site))?;
    Ok(package)
}

fn lay_out(folder: &Path, site: &Site) -> Result<()> {
    copy(&places::root().join("npm"), folder)?;
    for licence in LICENCES {
        copy(&places::root().join(licence), &folder.join(licence))?;
    }
    set_version(&folder.join("package.json"))?;
    copy(&site.page.join("element"), &folder.join("element"))?;
    // The package contains the client and the shared scripts only once. The vault for hosting is assembled from all three
    // folders.
    let vault = folder.join("vault");
    copy(&site.vault, &vault)?;
    for name in ["client", "shared"] {
        fs::rename(vault.join(name), folder.join(name))?;
    }
    let (settings, _) = BrowserBuild::read()?;
    settings.modules.iter().try_for_each(|module| remove_glue_types(&folder.join(&module.folder)))
}

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    version: String,
}

/// Gives the package the version of the Rust package.
fn set_version(file: &Path) -> Result<()> {
    let manifest: Manifest = toml::from_str(&fs::read_to_string(places::root().join("Cargo.toml"))?)?;
    let text = fs::read_to_string(file)?;
    ensure!(text.contains(NO_VERSION), "npm/package.json has no placeholder for the version");
    let version = format!(r#""version": "{}""#, manifest.package.version);
    Ok(fs::write(file, text.replace(NO_VERSION, &version))?)
}

/// Removes the types of the glue. They are not part of the interface, whose types are written by hand.
fn remove_glue_types(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("the vault has no WebAssembly")? {
        let file = entry?.path();
        if file.to_string_lossy().ends_with(".d.ts") {
            fs::remove_file(file)?;
        }
    }
    Ok(())
}
