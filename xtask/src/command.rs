//! Running other programs: cargo without our own surroundings, quiet questions, time limits.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::places;

/// The first of `names` that is a program on the `PATH`.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// `program`, started in the repository's root with nothing to read.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(places::root()).stdin(Stdio::null());
    command
}

/// The cargo that started us, as if it was called by hand: without what it told us about the package xtask.
pub fn cargo() -> Command {
    let mut command = command("cargo");
    forget_our_own_package(&mut command);
    command.env("CARGO_TARGET_DIR", places::target());
    command
}

/// Takes away what cargo sets for the program that it runs (us): build scripts would see it as a change.
pub fn forget_our_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if text.starts_with("CARGO_PKG_") || ["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"].contains(&text) {
            command.env_remove(&name);
        }
    }
}

/// Shows the command, runs it with its output on ours, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("    $ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// As [`run`], but ends the program after `limit`.
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

/// Waits for the child's end, no longer than `limit`; `None` means that it still runs.
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

/// The program's standard output without the newline at its end, or `None` when it fails or is missing.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The command as one would type it, paths inside the repository shortened.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| places::shown(Path::new(word))).collect::<Vec<_>>().join(" ")
}
