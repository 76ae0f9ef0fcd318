//! The browsers for the tests of the page.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::apt;
use crate::command::find;

/// The programs of the browsers.
pub struct Browsers {
    pub chromium: PathBuf,
    pub firefox: PathBuf,
}

/// The variables that select other programs. The tests read the same ones.
pub const CHROMIUM_VARIABLE: &str = "SAFELIGHT_CHROMIUM";
pub const FIREFOX_VARIABLE: &str = "SAFELIGHT_FIREFOX";

const CHROMIUM: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FIREFOX: [&str; 3] = ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];

/// Finds both browsers, or installs Debian's.
pub fn find_or_install() -> Result<Browsers> {
    let chromium = || named(CHROMIUM_VARIABLE).or_else(|| find(&CHROMIUM));
    let firefox = || named(FIREFOX_VARIABLE).or_else(|| find(&FIREFOX));
    if chromium().is_none() || firefox().is_none() {
        apt::install(
            "a browser for the tests (Chromium or Firefox)",
            &["chromium", "firefox-esr", "fonts-dejavu-core"],
        )?;
    }
    let browsers = Browsers {
        chromium: chromium().context("Chromium is still missing after its installation")?,
        firefox: firefox().context("Firefox is still missing after its installation")?,
    };
    println!("    browsers: {}, {}", browsers.chromium.display(), browsers.firefox.display());
    Ok(browsers)
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|file| file.is_file())
}
