//! Safelight against python-paillier and against a reader of the format written in Python from its specification.
//!
//! The tests are Python programs in `tests/interop`. They need a Python with the packages of
//! `tests/interop/requirements.txt`, named by the variable `SAFELIGHT_PYTHON`; `cargo xtask test` sets it. Without it,
//! they say so and pass.
#![cfg(all(feature = "client", feature = "cli"))]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use num_bigint::{BigInt, BigUint};
use safelight::math::random;
use safelight::paillier::phe;
use safelight::wire::key::read_secret;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Python, run in the folder of the tests.
fn python() -> Option<Command> {
    let Some(python) = std::env::var_os("SAFELIGHT_PYTHON") else {
        println!(
            "skipped: SAFELIGHT_PYTHON does not name a Python with the packages of tests/interop/requirements.txt"
        );
        return None;
    };
    let mut command = Command::new(python);
    command.current_dir(folder()).env("SAFELIGHT_CLI", env!("CARGO_BIN_EXE_safelight"));
    // Leave no __pycache__ behind.
    command.arg("-B");
    Some(command)
}

fn run(module: &str) {
    let Some(mut python) = python() else { return };
    let output = python.args(["-m", "unittest", "-v", module]).output().expect("SAFELIGHT_PYTHON cannot be run");
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{report}");
    assert!(output.status.success(), "{module} failed");
    assert!(!report.contains("Ran 0 tests"), "{module} has no tests");
}

#[test]
fn python_paillier() {
    run("test_phe");
}

#[test]
fn protected_keys_and_rage() {
    run("test_age");
}

#[test]
fn the_format_from_its_specification() {
    run("test_format");
}

#[test]
fn any_server() {
    run("test_any_server");
}

/// Our own arithmetic on numbers that python-paillier encrypted.
#[test]
fn sums_and_products_made_here() {
    let Some(mut encrypt) = python() else { return };
    let key = std::fs::read(folder().join("../vectors/valid/published-test-2048.key")).expect("the test key");
    let key = read_secret(&key).expect("the test key");
    let n = key.public().n().to_string();
    let output = encrypt.args(["phe_numbers.py", "encrypt", &n, "1000", "-77"]).output().expect("SAFELIGHT_PYTHON");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (public, numbers) = phe::read_numbers(&String::from_utf8_lossy(&output.stdout)).expect("numbers");
    let [a, b] = &numbers[..] else { panic!("two numbers were encrypted") };

    let number = |n: i64| BigInt::from(n);
    let sum = public.add(a, b).expect("add");
    let results = [
        sum.clone(),
        public.subtract(a, b).expect("subtract"),
        public.multiply(a, &number(3)).expect("multiply"),
        public.multiply(b, &number(-4)).expect("multiply"),
        public.multiply(b, &number(0)).expect("multiply"),
        public.add_plain(a, &number(-1_000_000)).expect("add"),
        public.rerandomise(&sum, &mut random::system()).expect("rerandomise"),
    ];
    assert_ne!(results[0], results[6], "a new mask");
    let json = phe::write_numbers(&public, &results);

    let [p, q] = [key.primes().0, key.primes().1].map(|prime| BigUint::from_bytes_le(prime).to_string());
    let mut decrypt = python().expect("it was there before");
    decrypt.args(["phe_numbers.py", "decrypt", &p, &q]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = decrypt.spawn().expect("SAFELIGHT_PYTHON");
    child.stdin.take().expect("a pipe").write_all(json.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an end");
    let printed = String::from_utf8_lossy(&output.stdout);
    let values: Vec<i64> = printed.lines().map(|line| line.parse().expect("a number")).collect();
    assert_eq!(values, [923, 1077, 3000, 308, 0, -999_000, 923]);
}
