//! Finds the tools of the other commands and installs missing ones. Each part is quick if its tool is there.

pub mod apt;
mod browsers;
mod cargo_deny;
mod gmp;
mod node;
mod python;
mod rust_tools;
pub mod wasm_target;

use std::path::PathBuf;

use anyhow::Result;

pub use browsers::Browsers;
pub use node::Node;
use wasm_target::Toolchain;

/// The tools for building the page.
pub struct PageTools {
    /// The Rust that can build for WebAssembly.
    pub toolchain: Toolchain,
    /// Node, which runs the two scripts below.
    pub node: Node,
    /// The script of wasm-opt.
    pub wasm_opt: PathBuf,
    /// The script that minifies scripts.
    pub minify: PathBuf,
    /// The vault's library that writes zip files: one JavaScript module.
    pub client_zip: PathBuf,
}

/// The tools that the tests need besides [`PageTools`].
pub struct TestTools {
    /// A Python with the packages of `tests/interop`.
    pub python: PathBuf,
    /// `cargo deny`.
    pub cargo_deny: PathBuf,
    /// The tools for the tests in browsers and of the npm package, unless these are skipped.
    pub browser_tests: Option<(Node, Browsers)>,
}

/// Rust for WebAssembly, wasm-opt and the vault's external library.
pub fn for_page() -> Result<PageTools> {
    let toolchain = wasm_target::find_or_install()?;
    let (node, packages) = node::for_page()?;
    let package = |file: &str| packages.join(file);
    let (wasm_opt, client_zip) = (package("binaryen/bin/wasm-opt"), package("client-zip/index.js"));
    Ok(PageTools { toolchain, node, wasm_opt, minify: packages.with_file_name("minify.mjs"), client_zip })
}

/// Formatter, linters and Python; with `with_browsers`, also browsers and their driver.
pub fn for_tests(with_browsers: bool) -> Result<TestTools> {
    rust_tools::find_or_install()?;
    let cargo_deny = cargo_deny::find_or_install()?;
    let python = python::for_tests()?;
    let browser_tests = if with_browsers { Some((node::for_npm_tests()?, browsers::find_or_install()?)) } else { None };
    Ok(TestTools { python, cargo_deny, browser_tests })
}

/// A compiler for GMP.
pub fn for_gmp() -> Result<()> {
    gmp::find_or_install()
}

/// A Python with the library that the benchmarks compare us with.
pub fn python_for_benches() -> Result<PathBuf> {
    python::for_benches()
}

/// A Node with the library that the benchmarks compare us with.
pub fn node_for_benches() -> Result<Node> {
    node::for_benches()
}

/// A Node with that library and the browser driver, and a browser.
pub fn browser_for_benches() -> Result<(Node, Browsers)> {
    node::for_browser_tests()?;
    Ok((node::for_benches()?, browsers::find_or_install()?))
}
