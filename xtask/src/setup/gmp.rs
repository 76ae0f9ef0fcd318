//! The tools for compiling GMP, which only the benchmarks need.

use anyhow::Result;

use super::apt;
use crate::command::find;

/// Finds m4, make and a C compiler, or installs Debian's.
pub fn find_or_install() -> Result<()> {
    for (name, package) in [("m4", "m4"), ("make", "make"), ("cc", "gcc")] {
        if find(&[name]).is_none() {
            apt::install(&format!("{name}, with which GMP is built,"), &[package])?;
        }
    }
    println!("    m4, make, cc: found");
    Ok(())
}
