//! Our own Python environments, with the packages used by the tests and the benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::apt;
use crate::command::{answer, command, find, run_within};
use crate::places;

/// The environment for the interoperability tests.
pub fn for_tests() -> Result<PathBuf> {
    environment("python", "tests/interop/requirements.txt")
}

/// The environment for the benchmarks.
pub fn for_benches() -> Result<PathBuf> {
    environment("python-bench", "benches/peers/python/requirements.txt")
}

/// The environment's Python, with the listed packages installed.
fn environment(name: &str, list: &str) -> Result<PathBuf> {
    let folder = places::memory().join(name);
    let python = folder.join("bin/python");
    let list = places::root().join(list);
    let wanted = fs::read_to_string(&list).with_context(|| format!("cannot read {}", places::shown(&list)))?;

    let stamp = folder.join("installed.txt");
    if works(&python) && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        println!("    python: found, with the packages of {}", places::shown(&list));
        return Ok(python);
    }
    create(&folder)?;
    run_within(
        command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list),
        Duration::from_mins(10),
    )?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// Creates the environment. Uses Debian's Python if the default one cannot do it.
fn create(folder: &Path) -> Result<()> {
    let by = |python: &str| {
        let mut command = command(python);
        command.args(["-m", "venv", "--clear"]).arg(folder);
        run_within(&mut command, Duration::from_mins(5))
    };
    if find(&["python3"]).is_some() && by("python3").is_ok() {
        return Ok(());
    }
    apt::install("Python with its module venv", &["python3", "python3-venv"])?;
    by("/usr/bin/python3")
}

fn works(python: &Path) -> bool {
    answer(command(python).arg("--version")).is_some()
}
