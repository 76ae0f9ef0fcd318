//! Runs the bodies of the fuzz targets without a fuzzer: on their corpora, on the test vectors, and on a few thousand changes
//! of both that are the same in every run.

#[expect(unreachable_pub, reason = "the fuzz targets are in another crate")]
#[path = "../fuzz/src/bodies.rs"]
mod bodies;

use std::fs;
use std::path::{Path, PathBuf};

/// Pseudorandom numbers.
struct Noise(u64);

impl Noise {
    /// A number below `bound`, which must not be zero.
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or(0) % bound
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
    }

    /// The input with one to four changes.
    fn change(&mut self, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut data = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(data.len() + 1);
            // Headers are at the start.
            let at = if self.below(2) == 0 { at } else { at.min(self.below(120)) };
            let rest = data.len() - at;
            match self.below(8) {
                0 if rest > 0 => data[at] ^= 1 << self.below(8),
                1 if rest > 0 => data[at] = self.byte(),
                2 if rest > 0 => data[at] = [0, 1, 0x7F, 0x80, 0xFF][self.below(5)],
                3 => data.truncate(at),
                4 => drop(data.drain(at..at + rest.min(self.below(40)))),
                5 => {
                    let more: Vec<u8> = (0..self.below(20)).map(|_| self.byte()).collect();
                    data.splice(at..at, more);
                }
                6 => {
                    let again = data[at..at + rest.min(self.below(600))].to_vec();
                    data.splice(at..at, again);
                }
                _ => {
                    let other = &others[self.below(others.len())];
                    let from = self.below(other.len() + 1);
                    let length = self.below(200).min(other.len() - from).min(rest);
                    data[at..at + length].copy_from_slice(&other[from..from + length]);
                }
            }
        }
        data
    }
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a file")).collect()
}

/// Runs one target on all files, and on `changes` changed inputs.
fn smoke(target: &str, changes: usize) {
    let (_, body) = bodies::ALL.into_iter().find(|(name, _)| *name == target).expect("a target");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = files(&root.join("fuzz/corpus").join(target));
    assert!(!seeds.is_empty(), "{target} has no corpus");
    let mut inputs = seeds.clone();
    inputs.extend(files(&root.join("tests/vectors/valid")));
    inputs.extend(files(&root.join("tests/vectors/hostile")));
    if target == "frames" {
        // The first byte of an input selects the filter.
        inputs.iter_mut().skip(seeds.len()).for_each(|input| input.insert(0, 0));
    }
    for input in &inputs {
        body(input);
    }
    let mut noise = Noise(0x5AFE_1167);
    for _ in 0..changes {
        let input = &seeds[noise.below(seeds.len())];
        body(&noise.change(input, &inputs));
    }
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).expect("a manifest");
    for (name, _) in bodies::ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
        assert!(fuzz.join("corpus").join(name).is_dir(), "{name}");
    }
}

#[test]
fn photo() {
    smoke("photo", 3000);
}

#[test]
fn colour() {
    smoke("colour", 1500);
}

#[test]
fn image_header() {
    smoke("image_header", 2000);
}

#[test]
fn frames() {
    smoke("frames", 300);
}

#[test]
fn public_key() {
    smoke("public_key", 2000);
}

#[test]
fn secret_key() {
    smoke("secret_key", 1000);
}

#[test]
fn protected_key() {
    smoke("protected_key", 3000);
}

#[test]
fn filter_query() {
    smoke("filter_query", 5000);
}

#[test]
fn phe_json() {
    smoke("phe_json", 2000);
}

#[test]
fn etc_key() {
    smoke("etc_key", 2000);
}

#[test]
fn etc_label() {
    smoke("etc_label", 5000);
}

#[test]
fn etc_picture() {
    smoke("etc_picture", 2000);
}

#[test]
fn network() {
    smoke("network", 1000);
}

#[test]
fn model() {
    smoke("model", 3000);
}

#[test]
fn ciphertext() {
    smoke("ciphertext", 300);
}

#[test]
fn plaintext() {
    smoke("plaintext", 300);
}

#[test]
fn ckks_public_key() {
    smoke("ckks_public_key", 100);
}

#[test]
fn switch_key() {
    smoke("switch_key", 200);
}

#[test]
fn evaluation_keys() {
    smoke("evaluation_keys", 200);
}

#[test]
fn ckks_secret_key() {
    smoke("ckks_secret_key", 1000);
}
