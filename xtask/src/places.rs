//! The locations of the repository's folders and of our files under `target/`.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root, the folder above `xtask/`.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies inside the repository").to_path_buf()
}

/// Cargo's target folder, absolute.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => env::current_dir().unwrap_or_else(|_| root()).join(folder),
        None => root().join("target"),
    }
}

/// The folder where cargo keeps the sources of other packages.
pub fn cargo_home() -> PathBuf {
    let by_default = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(by_default, PathBuf::from)
}

/// The finished demo page, which embeds the vault.
pub fn page() -> PathBuf {
    target().join("page")
}

/// The finished vault, with the WebAssembly package.
pub fn vault() -> PathBuf {
    target().join("vault")
}

/// The networks that the demo offers.
pub fn models() -> PathBuf {
    root().join("models")
}

/// The finished npm package.
pub fn npm() -> PathBuf {
    target().join("npm")
}

/// The demo's output: the key, the encrypted files, the three pictures.
pub fn demo() -> PathBuf {
    target().join("demo")
}

/// The results of the benchmarks.
pub fn bench() -> PathBuf {
    target().join("bench")
}

/// Data that xtask keeps between runs: choices, stamps, the Python environment, copies of our programs.
pub fn memory() -> PathBuf {
    target().join("xtask")
}

/// `path` as a person would type it in the repository's root.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
