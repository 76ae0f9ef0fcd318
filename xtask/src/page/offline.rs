//! Gives the vault's service worker the list of its files, and a version that changes with any of them.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::page::fingerprint;

/// The version as it is in `www/sw.js`.
const NO_VERSION: &str = "const VERSION = 'development';";
const NO_FILES: &str = "const FILES = [];";

/// Writes the list into `sw.js` of the finished vault. WebAssembly files are not included: a browser needs only one of them,
/// and the vault says which.
pub fn list_files(vault: &Path) -> Result<()> {
    let mut files = Vec::new();
    walk(vault, "", &mut files)?;
    files.sort();
    let mut contents = Vec::new();
    for file in &files {
        contents.push(fs::read(vault.join(file))?);
    }
    let parts: Vec<_> = files.iter().map(String::as_bytes).chain(contents.iter().map(Vec::as_slice)).collect();
    let version = fingerprint(&parts);
    // The folder's own address means index.html.
    let listed: Vec<_> = files
        .iter()
        .filter(|file| is_listed(file))
        .map(|file| format!("'{}'", if file == "index.html" { "" } else { file }))
        .collect();

    let script = vault.join("sw.js");
    let source = fs::read_to_string(&script).context("the vault has no sw.js")?;
    ensure!(
        source.contains(NO_VERSION) && source.contains(NO_FILES),
        "www/sw.js has no placeholder for the list of files"
    );
    let source = source.replace(NO_VERSION, &format!("const VERSION = '{version}';"));
    fs::write(script, source.replace(NO_FILES, &format!("const FILES = [{}];", listed.join(", "))))?;
    Ok(())
}

fn is_listed(file: &str) -> bool {
    let extension = Path::new(file).extension().and_then(OsStr::to_str);
    file != "sw.js" && !matches!(extension, Some("wasm" | "ts"))
}

/// Collects all files below `folder`, as addresses relative to the first folder.
fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a file's name is not Unicode")?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            files.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}
