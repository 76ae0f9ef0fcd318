//! The results as a table in Markdown: an operation and a key length in each row, a library in each column.

use std::collections::BTreeSet;

use super::results::Results;

/// The rows from top to bottom; operations that are not listed come last.
const OPERATIONS: [&str; 16] = [
    "product",
    "square",
    "power",
    "encrypt as owner",
    "encrypt as anybody",
    "decrypt",
    "prepare key",
    "server job",
    "browser: product",
    "browser: encrypt as owner",
    "browser: encrypt as anybody",
    "browser: decrypt",
    "browser: prepare key",
    "browser: evaluation key of bootstrap-16",
    "browser: job of 512x512",
    "browser: job of 1024x768, later ones",
];

/// The columns after ours. Any other name is a variant of ours, in a separate row.
const PEERS: [&str; 7] = ["GMP", "crypto-bigint", "num-bigint", "phe", "paillier-bigint", "BigInt", "plain page"];

/// The whole table.
pub fn make(results: &Results) -> String {
    let mut rows = vec![vec!["operation".to_owned(), "bits".to_owned(), "ours".to_owned()]];
    let peers: Vec<_> = PEERS.into_iter().filter(|peer| results.times.iter().any(|time| time.who == *peer)).collect();
    rows[0].extend(peers.iter().map(|&peer| peer.to_owned()));
    for (what, bits) in operations(results) {
        let ours = results.time("ours", what, bits);
        let cells = peers.iter().map(|peer| peer_cell(results, peer, what, bits, ours));
        let mut row = vec![what.to_owned(), bits.to_string(), ours.map_or_else(String::new, shown)];
        row.extend(cells);
        if row[2..].iter().any(|cell| !cell.is_empty()) {
            rows.push(row);
        }
        for time in results.times.iter().filter(|time| time.what == what && time.bits == bits) {
            if time.who != "ours" && !PEERS.contains(&time.who.as_str()) {
                let mut row = vec![format!("- {}", time.who), String::new(), with_ratio(time.ns, ours)];
                row.resize(rows[0].len(), String::new());
                rows.push(row);
            }
        }
    }
    let starred = rows.iter().flatten().any(|cell| cell.ends_with('*'));
    let star = if starred { " \\* It has no faster way for the owner." } else { "" };
    format!("{}\nIn brackets: the time as a multiple of ours.{star}\n", markdown(&rows))
}

/// The measured operations, in the order of [`OPERATIONS`] and then of key lengths.
fn operations(results: &Results) -> Vec<(&str, u32)> {
    let place = |what: &str| OPERATIONS.iter().position(|&known| known == what).unwrap_or(OPERATIONS.len());
    let all: BTreeSet<_> =
        results.times.iter().map(|time| (place(&time.what), time.what.as_str(), time.bits)).collect();
    all.into_iter().map(|(_, what, bits)| (what, bits)).collect()
}

/// The cell of a peer. A peer that cannot encrypt with the secret key encrypts with the public one.
fn peer_cell(results: &Results, peer: &str, what: &str, bits: u32, ours: Option<f64>) -> String {
    if let Some(time) = results.time(peer, what, bits) {
        return with_ratio(time, ours);
    }
    let instead = what.replace("as owner", "as anybody");
    match results.time(peer, &instead, bits) {
        Some(time) if ours.is_some() => format!("{} \\*", with_ratio(time, ours)),
        _ => String::new(),
    }
}

fn with_ratio(time: f64, ours: Option<f64>) -> String {
    match ours {
        Some(ours) => format!("{} ({})", shown(time), three_digits(time / ours)),
        None => shown(time),
    }
}

/// A time in nanoseconds, for people.
fn shown(ns: f64) -> String {
    let (scale, unit) = match ns {
        _ if ns < 1e3 => (1.0, "ns"),
        _ if ns < 1e6 => (1e3, "µs"),
        _ if ns < 1e9 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {unit}", three_digits(ns / scale))
}

fn three_digits(number: f64) -> String {
    match number {
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// The table in Markdown. Columns are padded, so that the source is readable, too.
fn markdown(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let line = |row: &[String]| -> String {
        let cell = |(column, (cell, width)): (usize, (&String, &usize))| match column {
            0 => format!("| {cell:<width$} "),
            _ => format!("| {cell:>width$} "),
        };
        row.iter().zip(&widths).enumerate().map(cell).chain(["|\n".to_owned()]).collect()
    };
    let rule = |(column, width): (usize, &usize)| match column {
        0 => format!("|{}", "-".repeat(width + 2)),
        _ => format!("|{}:", "-".repeat(width + 1)),
    };
    let rules = widths.iter().enumerate().map(rule).chain(["|\n".to_owned()]).collect();
    let (head, body) = rows.split_first().expect("there is a head");
    [line(head), rules].into_iter().chain(body.iter().map(|row| line(row))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Time;

    fn results(times: &[(&str, &str, f64)]) -> Results {
        let time = |&(who, what, ns): &(&str, &str, f64)| Time { who: who.into(), what: what.into(), bits: 2048, ns };
        Results { times: times.iter().map(time).collect(), versions: Vec::new() }
    }

    #[test]
    fn ratios_are_to_ours() {
        let table = make(&results(&[("phe", "decrypt", 2.19e6), ("ours", "decrypt", 1e6), ("GMP", "decrypt", 1.79e6)]));
        let row = table.lines().nth(2).expect("a row");
        assert_eq!(row, "| decrypt   | 2048 | 1.00 ms | 1.79 ms (1.79) | 2.19 ms (2.19) |");
    }

    #[test]
    fn whoever_cannot_encrypt_as_owner_encrypts_as_anybody() {
        let table = make(&results(&[("ours", "encrypt as owner", 500.0), ("phe", "encrypt as anybody", 5000.0)]));
        assert!(table.contains("5.00 µs (10.0) \\*"), "{table}");
        assert!(table.lines().any(|line| line.starts_with("| encrypt as anybody")), "{table}");
    }

    #[test]
    fn variants_of_ours_have_rows_of_their_own() {
        let table = make(&results(&[("ours", "product", 328.0), ("kernel portable", "product", 3280.0)]));
        assert!(table.contains("| - kernel portable |"), "{table}");
    }
}
