//! Where things lie: the repository's folders and what we write under `target/`.

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

/// Where cargo keeps the sources of other packages.
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

/// What the demo leaves behind: the key, the encrypted files, the three pictures.
pub fn demo() -> PathBuf {
    target().join("demo")
}

/// What the benchmarks found.
pub fn bench() -> PathBuf {
    target().join("bench")
}

/// What xtask remembers between runs: choices, stamps, the Python environment, copies of our programs.
pub fn memory() -> PathBuf {
    target().join("xtask")
}

/// `path` as a person in the repository's root would type it.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
