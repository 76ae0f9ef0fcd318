//! Describes the machine of a benchmark. Without it, figures are meaningless.

use std::fs;
use std::thread;

use super::results::Results;
use crate::command::{answer, command};

/// Describes the machine in a few lines of Markdown.
pub fn describe(results: &Results, quick: bool) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut facts = vec![format!("{}, {cores} cores, {}", cpu(), features())];
    if let Some(rustc) = answer(command("rustc").arg("--version")) {
        facts.push(rustc);
    }
    facts.extend(results.versions.iter().map(|version| format!("{} {}", version.who, version.version)));
    let how = if quick { "Measured briefly (`--quick`) on" } else { "Measured on" };
    format!("{how}: {}.", facts.join("; "))
}

fn cpu() -> String {
    let from_linux = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = |name: &str| text.lines().find(|line| line.starts_with(name))?.split_once(": ").map(|(_, v)| v);
        // Virtual machines often hide the model's name, but hardly ever its numbers.
        let model = line("model name")?;
        Some(match (line("cpu family"), line("model\t")) {
            (Some(family), Some(number)) => format!("{model} (family {family}, model {number})"),
            _ => model.to_owned(),
        })
    });
    let from_mac = || answer(command("sysctl").args(["-n", "machdep.cpu.brand_string"]));
    from_linux.or_else(from_mac).unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

#[cfg(target_arch = "x86_64")]
fn features() -> String {
    let found = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512ifma", is_x86_feature_detected!("avx512ifma")),
    ];
    found.map(|(name, there)| if there { name.to_owned() } else { format!("no {name}") }).join(", ")
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> String {
    std::env::consts::ARCH.to_owned()
}
