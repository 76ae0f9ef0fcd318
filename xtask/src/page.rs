//! Builds the page and the vault: compiles for WebAssembly, makes the JavaScript glue, optimises the result, puts it beside
//! copies of the scripts, and minifies those.

mod minify;
mod offline;
mod size;

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::browser_build::{BrowserBuild, Module, Variant};
use crate::command::run;
use crate::places;
use crate::setup::wasm_target::Toolchain;
use crate::setup::{Node, PageTools};

/// Whether warnings of the compiler about our own code are errors.
#[derive(Clone, Copy, PartialEq)]
pub enum Warnings {
    Allow,
    Deny,
}

/// The name of our own package, and therefore of the `.wasm` file that cargo makes.
const OURS: &str = "safelight";

/// The file name of the stamp in a package, which says what the package was made from.
const STAMP: &str = "made-from";

/// The two sites, each a folder of files: the files that a photo site serves, and the vault with everything secret.
pub struct Site {
    pub page: PathBuf,
    pub vault: PathBuf,
}

/// The parts of `www/` for each site. All links between files are relative, and the same in both places.
const PAGE: [&str; 7] = ["index.html", "page.js", "page.css", "controls.js", "words.js", "element", "shared"];
const VAULT: [&str; 4] = ["sw.js", "vault", "client", "shared"];

/// Builds both sites and returns their folders.
pub fn build(tools: &PageTools, warnings: Warnings) -> Result<Site> {
    let (settings, text) = BrowserBuild::read()?;
    // The optimiser works on one variant while the compiler works on the next.
    let packages = thread::scope(|scope| {
        let mut made = Vec::new();
        for module in &settings.modules {
            for variant in &module.variants {
                println!("    {}, variant {}:", module.name, variant.name);
                let compiled = compile(&tools.toolchain, &settings, (module, variant), warnings)?;
                let compiled = fs::read(&compiled).context("the compiler's output is missing")?;
                let package = || make_package(tools, &settings, &text, (module, variant), compiled);
                made.push((module, scope.spawn(package)));
            }
        }
        let finish = |(module, package): (_, thread::ScopedJoinHandle<Result<PathBuf>>)| {
            Ok((module, package.join().expect("it does not panic")?))
        };
        made.into_iter().map(finish).collect::<Result<Vec<_>>>()
    })?;
    let site = Site { page: places::page(), vault: places::vault() };
    replace(&site.page, |folder| lay_out_page(folder, tools))?;
    replace(&site.vault, |folder| lay_out_vault(folder, &packages, tools))?;
    size::check(&site, &settings)?;
    Ok(site)
}

/// Makes one variant's `.wasm` with its JavaScript glue. `text` is the text of `settings`, `compiled` the compiler's output.
fn make_package(
    tools: &PageTools,
    settings: &BrowserBuild,
    text: &str,
    (module, variant): (&Module, &Variant),
    compiled: Vec<u8>,
) -> Result<PathBuf> {
    let package = places::memory().join("pkg").join(&module.name).join(&variant.name);
    let stamp = package.join(STAMP);
    let inputs = fingerprint(&[&compiled, text.as_bytes()]);
    if fs::read_to_string(&stamp).is_ok_and(|earlier| earlier == inputs) {
        println!("    glue and optimiser: unchanged");
        return Ok(package);
    }
    make_glue(compiled, &package, &module.name)?;
    fs::rename(package.join(format!("{}_bg.wasm", module.name)), package.join(&variant.file))?;
    let flags = settings.optimise.flags.iter().chain(&variant.optimise);
    optimise(&tools.node, &tools.wasm_opt, &package.join(&variant.file), flags)?;
    fs::write(&stamp, inputs)?;
    Ok(package)
}

/// Runs cargo. Returns the `.wasm` file that it made.
fn compile(
    toolchain: &Toolchain,
    settings: &BrowserBuild,
    (module, variant): (&Module, &Variant),
    warnings: Warnings,
) -> Result<PathBuf> {
    let build = &settings.build;
    let (mut cargo, target) = toolchain.cargo(&variant.name);
    // Link-time optimisation needs cdylib to be the only crate type.
    cargo.args(["rustc", "--lib", "--crate-type", "cdylib", "--no-default-features"]);
    cargo.args(["--target", &build.target, "--profile", &build.profile, "--features", &module.features.join(",")]);
    cargo.args(toolchain.build_flags());
    let mut flags = [build.rustflags.as_slice(), &variant.rustflags].concat();
    // The file contains the names of source files for panics, but must not contain the machine's paths.
    flags.push(format!("--remap-path-prefix={}=", places::root().display()));
    flags.push(format!("--remap-path-prefix={}=cargo", places::cargo_home().display()));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    match warnings {
        Warnings::Allow => run(&mut cargo)?,
        Warnings::Deny => run_without_warnings(&mut cargo, OURS)?,
    }
    Ok(target.join(&build.target).join(&build.profile).join(OURS).with_extension("wasm"))
}

/// Fails if cargo reports a warning about our package. (Cargo repeats those of earlier builds. With `-D warnings` instead, it
/// would be another build, and every change between `demo` and `test` would compile everything again.)
fn run_without_warnings(cargo: &mut std::process::Command, package: &str) -> Result<()> {
    println!("    compiling for WebAssembly, warnings denied");
    let mut child =
        cargo.env("CARGO_TERM_COLOR", "never").stderr(Stdio::piped()).spawn().context("cannot start cargo")?;
    let ours = format!("warning: `{package}` (lib) generated");
    let mut warned = false;
    for line in BufReader::new(child.stderr.take().context("cannot read cargo's messages")?).lines() {
        let line = line?;
        warned |= line.starts_with(&ours);
        eprintln!("{line}");
    }
    ensure!(child.wait()?.success(), "the browser build does not compile");
    ensure!(!warned, "the browser build has warnings (see above)");
    Ok(())
}

/// Makes wasm-bindgen's JavaScript module, its types, and the matching `.wasm` file.
fn make_glue(compiled: Vec<u8>, package: &Path, name: &str) -> Result<()> {
    if package.exists() {
        fs::remove_dir_all(package)?;
    }
    Bindgen::new()
        .input_bytes(name, compiled)
        .out_name(name)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(false)
        .generate(package)
        .context("wasm-bindgen cannot make the JavaScript glue")
}

fn optimise<'a>(node: &Node, script: &Path, file: &Path, flags: impl Iterator<Item = &'a String>) -> Result<()> {
    // rustc records in the file which instructions it has used, and wasm-opt would allow all of them. Without this list, it
    // allows those that the flags name, and fails if there are others.
    rewrite(node, script, file, ["--strip-target-features"])?;
    rewrite(node, script, file, flags)
}

/// Runs wasm-opt on `file`.
fn rewrite(node: &Node, script: &Path, file: &Path, flags: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<()> {
    let fresh = file.with_extension("new");
    run(node.command().arg(script).arg(file).args(flags).arg("-o").arg(&fresh))?;
    fs::rename(fresh, file)?;
    Ok(())
}

/// Replaces a folder. The new one is made beside the old one and then moved, so a running server sees either, but no mixture.
pub fn replace(folder: &Path, lay_out: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let fresh = folder.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    lay_out(&fresh)?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::rename(&fresh, folder)?;
    println!("    made {}", places::shown(folder));
    Ok(())
}

fn lay_out_page(folder: &Path, tools: &PageTools) -> Result<()> {
    PAGE.iter().try_for_each(|name| copy(&places::root().join("www").join(name), &folder.join(name)))?;
    minify::scripts(folder, tools)
}

fn lay_out_vault(folder: &Path, packages: &[(&Module, PathBuf)], tools: &PageTools) -> Result<()> {
    let scripts = places::root().join("www");
    copy(&scripts.join("vault.html"), &folder.join("index.html"))?;
    VAULT.iter().try_for_each(|name| copy(&scripts.join(name), &folder.join(name)))?;

    let library = folder.join("vault/lib");
    fs::create_dir_all(&library)?;
    fs::copy(&tools.client_zip, library.join("client-zip.js"))
        .context("client-zip is missing after its installation")?;
    fs::copy(tools.client_zip.with_file_name("LICENSE.txt"), library.join("client-zip.LICENSE.txt"))?;

    for (module, package) in packages {
        let glue = folder.join(&module.folder);
        check_glue(package, &glue)?;
        copy(package, &glue)?;
        fs::remove_file(glue.join(STAMP))?;
    }
    minify::scripts(folder, tools)?;
    offline::list_files(folder)
}

/// The glue is shipped once, so the files that earlier packages have put into `folder` must equal those of this package.
fn check_glue(package: &Path, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(package)? {
        let file = entry?.path();
        let Some(name) = file.file_name().filter(|name| *name != STAMP) else { continue };
        let earlier = folder.join(name);
        ensure!(
            !earlier.exists() || fs::read(&file)? == fs::read(&earlier)?,
            "the variants of wasm-pack.toml cannot share their JavaScript: {} differs from the variants before it; \
             they must export and import the same functions",
            places::shown(&file)
        );
    }
    Ok(())
}

/// Copies a file, or a folder with all its contents.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        fs::copy(from, to).with_context(|| format!("cannot copy {}", places::shown(from)))?;
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", places::shown(from)))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
