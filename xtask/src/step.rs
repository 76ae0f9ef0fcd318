//! Prints the current step and how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Runs one small piece of work under a heading, and prints its time at the end.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n==> {name}");
    let start = Instant::now();
    let result = work().with_context(|| format!("step \"{name}\""))?;
    println!("    {name}: {}", seconds(start.elapsed()));
    Ok(result)
}

/// Steps whose times are shown together at the end.
#[derive(Default)]
pub struct Steps {
    rows: Vec<(String, Duration, &'static str)>,
}

impl Steps {
    /// Does the same as [`step`], and remembers the time and whether it succeeded.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let result = step(name, work);
        self.rows.push((name.to_owned(), start.elapsed(), if result.is_ok() { "ok" } else { "FAILED" }));
        result
    }

    /// Records a skipped step.
    pub fn skip(&mut self, name: &str, reason: &str) {
        println!("\n==> {name}: skipped ({reason})");
        self.rows.push((name.to_owned(), Duration::ZERO, "skipped"));
    }

    /// The table of all steps so far.
    pub fn print_table(&self) {
        let width = self.rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max("all".len());
        println!("\nSteps");
        for (name, time, outcome) in &self.rows {
            println!("  {name:width$}  {:>9}  {outcome}", seconds(*time));
        }
        let all = self.rows.iter().map(|(_, time, _)| *time).sum();
        println!("  {:width$}  {:>9}", "all", seconds(all));
    }
}

/// A time for people: `0.42 s`, `12.3 s`, `3 min 05 s`.
pub fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.2} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.42 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
