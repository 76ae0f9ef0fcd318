//! The results, read from criterion's files and from the JSON lines of all other programs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// All results of a run.
#[derive(Default, Serialize)]
pub struct Results {
    pub times: Vec<Time>,
    pub versions: Vec<Version>,
}

/// `{"who": "phe", "what": "decrypt", "bits": 2048, "ns": 2190000}`
#[derive(Deserialize, Serialize)]
pub struct Time {
    pub who: String,
    pub what: String,
    pub bits: u32,
    pub ns: f64,
}

/// `{"who": "phe", "version": "1.5.0"}`
#[derive(Deserialize, Serialize)]
pub struct Version {
    pub who: String,
    pub version: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Time(Time),
    Version(Version),
}

/// The prefix of the name that a benchmark gives the kernel that the library would choose: `ours by NAME`.
const CHOSEN: &str = "ours by ";

impl Results {
    /// The time of one row and column.
    pub fn time(&self, who: &str, what: &str, bits: u32) -> Option<f64> {
        self.times.iter().find(|time| time.who == who && time.what == what && time.bits == bits).map(|time| time.ns)
    }

    /// Runs a program, prints its output and keeps the results in its JSON lines.
    pub fn listen(&mut self, command: &mut Command) -> Result<()> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the benchmark")?;
        for line in BufReader::new(child.stdout.take().context("cannot read its output")?).lines() {
            let line = line?;
            println!("    {line}");
            match serde_json::from_str(&line) {
                Ok(Line::Time(time)) => self.times.push(time),
                Ok(Line::Version(version)) => self.versions.push(version),
                Err(_) => {}
            }
        }
        let status = child.wait()?;
        ensure!(status.success(), "the benchmark ended with {status}");
        Ok(())
    }

    /// Reads criterion's medians, each divided by the number of values processed at a time.
    pub fn read_criterion(&mut self, folder: &Path) -> Result<()> {
        let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
        for entry in entries {
            let path = entry?.path();
            if path.ends_with("new") {
                let time = read_one(&path).with_context(|| format!("criterion's files in {}", path.display()))?;
                self.add(time);
            } else if path.is_dir() {
                self.read_criterion(&path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, mut time: Time) {
        if let Some(kernel) = time.who.strip_prefix(CHOSEN) {
            if !self.versions.iter().any(|version| version.who == "kernel") {
                self.versions.push(Version { who: "kernel".into(), version: kernel.into() });
            }
            time.who = "ours".into();
        }
        self.times.push(time);
    }
}

/// Reads criterion's folder `new`; the folders beside it are for comparison.
fn read_one(folder: &Path) -> Result<Time> {
    #[derive(Deserialize)]
    struct Benchmark {
        group_id: String,
        function_id: String,
        value_str: String,
        throughput: Option<Throughput>,
    }
    #[derive(Deserialize)]
    struct Throughput {
        #[serde(rename = "Elements")]
        elements: f64,
    }
    #[derive(Deserialize)]
    struct Estimates {
        median: Estimate,
    }
    #[derive(Deserialize)]
    struct Estimate {
        point_estimate: f64,
    }
    let benchmark: Benchmark = serde_json::from_slice(&fs::read(folder.join("benchmark.json"))?)?;
    let estimates: Estimates = serde_json::from_slice(&fs::read(folder.join("estimates.json"))?)?;
    Ok(Time {
        who: benchmark.function_id,
        what: benchmark.group_id,
        bits: benchmark.value_str.parse().context("the parameter is not a number of bits")?,
        ns: estimates.median.point_estimate / benchmark.throughput.map_or(1.0, |throughput| throughput.elements),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_kernel_is_ours() {
        let mut results = Results::default();
        results.add(Time { who: "ours by ifma".into(), what: "product".into(), bits: 2048, ns: 328.0 });
        assert_eq!(results.time("ours", "product", 2048), Some(328.0));
        assert_eq!(results.versions[0].version, "ifma");
    }
}
