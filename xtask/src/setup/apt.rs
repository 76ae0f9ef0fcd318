//! Debian packages, if we are allowed to install them.

use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::{answer, command, find, run_within};

/// Whether the list of packages was fetched in this run.
static UPDATED: Mutex<bool> = Mutex::new(false);

/// Installs `packages`. If we are not root on a Debian system, says how to install them.
pub fn install(what_for: &str, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if find(&["apt-get"]).is_none() {
        bail!("{what_for} is missing. Install it (Debian packages: {names}) and run this again.");
    }
    if answer(command("id").arg("-u")).as_deref() != Some("0") {
        bail!("{what_for} is missing. Run `sudo apt-get install {names}`, then this again.");
    }
    println!("    {what_for} is missing: installing the Debian packages {names}");
    let mut updated = UPDATED.lock().expect("no other thread");
    if !*updated {
        run_within(apt_get().arg("update"), Duration::from_mins(5)).context("cannot fetch the list of packages")?;
        *updated = true;
    }
    run_within(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages), Duration::from_mins(20))
        .with_context(|| format!("cannot install {what_for}"))
}

fn apt_get() -> Command {
    let mut command = command("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["--quiet=2", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0"]);
    command
}
