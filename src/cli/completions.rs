//! `safelight completions`: print completion scripts for shells.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::files;
use crate::error::Result;

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight completions bash > ~/.local/share/bash-completion/completions/safelight
  safelight completions zsh > ~/.zfunc/_safelight
  safelight completions fish > ~/.config/fish/completions/safelight.fish")]
pub(super) struct Flags {
    /// The shell
    shell: Shell,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut super::Cli::command(), "safelight", &mut script);
    files::print(&String::from_utf8_lossy(&script))
}
