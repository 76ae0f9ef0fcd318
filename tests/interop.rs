//! Safelight compared with python-paillier, rage, scikit-learn, and with readers of the format written in Python from its
//! specification.
//!
//! The tests are Python programs in `tests/interop`. They need a Python with the packages of `tests/interop/requirements.txt`,
//! named by the variable `SAFELIGHT_PYTHON`; `cargo xtask test` sets it. Without it, they say that they are skipped, and pass.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use num_bigint::{BigInt, BigUint};
use safelight::math::random;
use safelight::schemes::paillier::phe;
use safelight::schemes::paillier::wire::key::read_secret;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Python, started in the folder of the tests.
fn python() -> Option<Command> {
    let Some(python) = std::env::var_os("SAFELIGHT_PYTHON") else {
        println!(
            "skipped: SAFELIGHT_PYTHON does not name a Python with the packages of tests/interop/requirements.txt"
        );
        return None;
    };
    let mut command = Command::new(python);
    command.current_dir(folder()).env("SAFELIGHT_CLI", env!("CARGO_BIN_EXE_safelight"));
    // Do not create `__pycache__`.
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
fn scrambled_pictures_from_their_documentation() {
    run("test_etc");
}

#[test]
fn colours_as_little_cms_sees_them() {
    run("test_colour");
}

/// Support-vector machines make the same decisions as scikit-learn's.
#[test]
fn decisions_of_scikit_learn() {
    use std::fmt::Write as _;

    use safelight::learn::features::Matrix;
    use safelight::learn::kernel::Kernel;
    use safelight::learn::svm::{Machine, Training};
    use safelight::watch::NoWatch;

    let Some(mut python) = python() else { return };
    let mut state = 5u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1u32 << 24) - 0.5
    };
    let (count, columns) = (150, 6);
    let positive: Vec<bool> = (0..count).map(|i| i % 3 == 0).collect();
    let values: Vec<f64> =
        (0..count * columns).map(|i| random() + if positive[i / columns] { 0.3 } else { 0.0 }).collect();
    let rows = Matrix::new(columns, values).expect("rows");
    let kernels = [
        ("linear", Kernel::Linear, 0.7, (1.0, 1, 0.0)),
        ("rbf", Kernel::Gaussian { gamma: 0.8 }, 2.0, (0.8, 1, 0.0)),
        ("poly", Kernel::Polynomial { degree: 3, gamma: 0.5, shift: 1.0 }, 1.0, (0.5, 3, 1.0)),
    ];
    let mut input = String::new();
    for (name, kernel, cost, (gamma, degree, shift)) in kernels {
        let table = kernel.table(&rows, &rows);
        let machine =
            Machine::train(&table, &positive, Training { cost, tolerance: 1e-9 }, &NoWatch).expect("a machine");
        writeln!(input, "{name} {cost} {gamma} {degree} {shift}").expect("text");
        for i in 0..count {
            let class = if positive[i] { 1 } else { -1 };
            let samples: Vec<String> = rows.row(i).iter().map(ToString::to_string).collect();
            writeln!(input, "{class} {} {}", machine.decide(&table[i]), samples.join(" ")).expect("text");
        }
        input.push('\n');
    }
    let mut child =
        python.arg("svm_numbers.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("SAFELIGHT_PYTHON");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an end");
    let far: Vec<f64> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().expect("a number")).collect();
    println!("largest differences of decisions: {far:?}");
    assert_eq!(far.len(), kernels.len());
    assert!(far.iter().all(|&far| far < 1e-3));
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
    let (public, numbers) = phe::read_numbers(&String::from_utf8_lossy(&output.stdout), None).expect("numbers");
    let [a, b] = &numbers[..] else { panic!("two numbers were encrypted") };
    let (a, b) = (&a.ciphertext, &b.ciphertext);

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
