//! Minifies the scripts of a finished site, each separately: the source stays readable, the files and their exports stay the
//! same, and nothing has to be bundled.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::setup::PageTools;

/// Excluded: the service worker, into which the list of files is written later, and the scripts of others.
const LEFT: [&str; 2] = ["sw.js", "vault/lib"];

/// Minifies each of our scripts below `folder`, and wasm-bindgen's glue.
pub fn scripts(folder: &Path, tools: &PageTools) -> Result<()> {
    let mut files = Vec::new();
    find(folder, &LEFT.map(|name| folder.join(name)), &mut files)?;
    let mut terser = tools.node.command();
    let status = terser.arg(&tools.minify).args(&files).status().context("cannot start node")?;
    ensure!(status.success(), "terser cannot minify the scripts");
    println!("    minified {} scripts", files.len());
    Ok(())
}

/// Collects the scripts in a folder and below.
fn find(folder: &Path, left: &[PathBuf], files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if left.contains(&path) {
            continue;
        }
        if path.is_dir() {
            find(&path, left, files)?;
        } else if path.extension() == Some(OsStr::new("js")) {
            files.push(path);
        }
    }
    Ok(())
}
