//! Runs other programs: cargo without our own environment, quiet queries, time limits.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::places;

/// Finds the first of `names` that is a program on the `PATH`.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// Prepares a command that runs `program` in the repository's root with empty input.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(places::root()).stdin(Stdio::null());
    command
}

/// The cargo that started us, as if called by hand: without the variables that it set about the package xtask.
pub fn cargo() -> Command {
    let mut command = command("cargo");
    forget_our_own_package(&mut command);
    command.env("CARGO_TARGET_DIR", places::target());
    command
}

/// Removes the variables that cargo sets for the program that it runs (us), because build scripts would see them as a change.
pub fn forget_our_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"].contains(&text) {
            command.env_remove(&name);
        }
    }
}

/// Prints the command, runs it with its output on ours, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("    $ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Like [`run`], but ends the program after `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let line = line(command);
    println!("    $ {line}");
    let mut child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
    match wait_within(&mut child, limit)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("`{line}` ended with {status}"),
        None => {
            child.kill()?;
            child.wait()?;
            bail!("`{line}` was stopped after {} s", limit.as_secs())
        }
    }
}

/// Waits for the child's end, at most for `limit`. Returns `None` if it is still running.
pub fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The program's standard output without the newline at its end, or `None` if it fails or is missing.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The command as a person would type it, with paths inside the repository shortened.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| places::shown(Path::new(word))).collect::<Vec<_>>().join(" ")
}
