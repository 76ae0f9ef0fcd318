//! Node and the npm packages: wasm-opt and a library for the page, the browser driver and bundlers for the tests, a
//! peer for the benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::command::{answer, command, find, run_within};
use crate::places;

/// The oldest Node that runs everything.
const OLDEST: u32 = 18;

/// A Node that is new enough.
#[derive(Clone)]
pub struct Node {
    program: PathBuf,
}

impl Node {
    /// `node`, ready for arguments.
    pub fn command(&self) -> Command {
        command(&self.program)
    }
}

/// Node with the packages of `xtask/tools`, and the folder that contains them.
pub fn for_page() -> Result<(Node, PathBuf)> {
    let node = find_or_install()?;
    let folder = places::root().join("xtask/tools");
    install_packages(&folder)?;
    Ok((node, folder.join("node_modules")))
}

/// Node with the packages of `tests/browser`.
pub fn for_browser_tests() -> Result<Node> {
    let node = find_or_install()?;
    install_packages(&places::root().join("tests/browser"))?;
    Ok(node)
}

/// Node with the packages of `tests/npm`, which use those of `tests/browser`, too.
pub fn for_npm_tests() -> Result<Node> {
    let node = for_browser_tests()?;
    install_packages(&places::root().join("tests/npm"))?;
    Ok(node)
}

/// Node with the packages that the benchmarks compare us with.
pub fn for_benches() -> Result<Node> {
    let node = find_or_install()?;
    install_packages(&places::root().join("benches/peers/node"))?;
    Ok(node)
}

fn find_or_install() -> Result<Node> {
    if find(&["node"]).is_none() || find(&["npm"]).is_none() {
        apt::install("Node", &["nodejs", "npm"])?;
    }
    let program = find(&["node"]).context("node is still missing after its installation")?;
    let version = answer(command(&program).arg("--version")).context("node does not run")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|number| number.parse::<u32>().ok());
    ensure!(major >= Some(OLDEST), "node {version} is too old: install version {OLDEST} or newer");
    println!("    node: {version}");
    Ok(Node { program })
}

/// Runs `npm ci` in `folder`, unless its `node_modules` matches the lock file.
fn install_packages(folder: &Path) -> Result<()> {
    let lock = fs::read_to_string(folder.join("package-lock.json")).context("package-lock.json is missing")?;
    let stamp = folder.join("node_modules/.safelight-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        println!("    npm packages of {}: found", places::shown(folder));
        return Ok(());
    }
    let npm = find(&["npm"]).context("npm is missing: install it")?;
    run_within(
        command(npm)
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
            .current_dir(folder),
        Duration::from_mins(10),
    )?;
    fs::write(stamp, lock)?;
    Ok(())
}
