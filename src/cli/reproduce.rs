//! `safelight reproduce`: reproduce published experiments, with the paper's figures beside ours.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::etc::block_parser;
use super::files::{self, Care, Sink, Source};
use super::plot;
use super::ui::{Ui, Unit};
use crate::error::{Code, Result};
use crate::experiments::etc_svm::{Experiment, FRACTIONS, KERNELS, PAPER_LINEAR, Pictures, Row};
use crate::experiments::{self, cifar_network, yale};
use crate::learn::kernel::Family;
use crate::learn::network::Settings;
use crate::learn::svm::Training;
use crate::watch::Watch as _;

/// Reproduce a published experiment
#[derive(Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    experiment: Which,
}

#[derive(Subcommand)]
enum Which {
    EtcSvm(EtcSvmFlags),
    EtcJpeg(EtcJpegFlags),
    CifarNetwork(CifarNetworkFlags),
}

/// Recognise faces in scrambled pictures (Kawamura, Kinoshita, Kiya 2020)
///
/// Needs the Extended Yale B sheets (yaleB01.webp and so on, 8 x 8 faces of 168 x 192 pixels each). Prints the equal error
/// rates of support-vector machines on plain and scrambled pictures, mean and deviation over the seeds. With one key for all
/// pictures (the paper's key condition 1), they equal the rates on the same samples of the plain pictures, digit for digit.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight reproduce etc-svm --data ../shared/data/yaleb
  safelight reproduce etc-svm --data yaleb --kernel rbf --seeds 10 --csv rates.csv --svg rates.svg")]
struct EtcSvmFlags {
    /// Folder with the sheets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Kernel of the support-vector machines
    #[arg(long, value_enum, default_value = "all")]
    kernel: KernelName,
    /// Cost of a training picture on the wrong side of the margin
    #[arg(long, default_value_t = 1.0, value_name = "C")]
    cost: f64,
    /// Side of a block in pixels: a divisor of 160 and 192
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = block_parser())]
    block: u8,
    /// Number of runs, each with a different split, keys and samples
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Also write all rates to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<OsString>,
    /// Plot them to this SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<OsString>,
}

/// Measure the JPEG size of scrambled photos (MaungMaung, Kiya)
///
/// Needs the CIFAR-10 sheets (train-0.webp to train-4.webp and test.webp, 100 x 100 photos of 32 x 32 pixels each). Prints the
/// size of all 60,000 files without labels, plain and scrambled, with the standard Huffman tables and with tables optimised for
/// each photo, which change no pixel.
#[expect(clippy::doc_markdown, reason = "a person's name")]
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight reproduce etc-jpeg --data ../shared/data/cifar10")]
struct EtcJpegFlags {
    /// Folder with the sheets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// JPEG quality, 1 to 100
    #[arg(long, default_value_t = 85, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
}

/// Classify encrypted photos of ten kinds with a network
///
/// Needs the CIFAR-10 sheets (train-0.webp to train-4.webp and test.webp, 100 x 100 photos of 32 x 32 pixels each). Trains a
/// network on 50,000 photos, or takes a trained one. Prints how many of the other 10,000 it recognises in the clear, whether it
/// gives the same labels for encrypted ones, and how long and how many bytes that takes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight reproduce cifar-network --data ../shared/data/cifar10 --out cifar10.network
  safelight reproduce cifar-network --data ../shared/data/cifar10 --network cifar10.network --encrypted 1000")]
struct CifarNetworkFlags {
    /// Folder with the sheets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Network that is already trained
    #[arg(long, value_name = "NETWORK", conflicts_with_all = ["hidden", "filters", "epochs", "seed", "out"])]
    network: Option<OsString>,
    /// Hidden units, or 0 for a single layer
    #[arg(long, value_name = "N", default_value_t = Settings::default().hidden)]
    hidden: usize,
    /// Filters; each yields eight features of a photo
    #[arg(long, value_name = "N", default_value_t = Settings::default().filters)]
    filters: usize,
    /// Number of passes over all photos
    #[arg(long, value_name = "N", default_value_t = Settings::default().epochs)]
    epochs: usize,
    /// Seed of all random choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Also write the network to this file
    #[arg(long, value_name = "OUT")]
    out: Option<OsString>,
    /// Number of photos to encrypt
    #[arg(long, value_name = "N", default_value_t = 100)]
    encrypted: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum KernelName {
    All,
    Linear,
    Rbf,
    Poly,
}

impl KernelName {
    fn families(self) -> Vec<Family> {
        match self {
            Self::All => KERNELS.to_vec(),
            Self::Linear => vec![Family::Linear],
            Self::Rbf => vec![Family::Gaussian],
            Self::Poly => vec![Family::Polynomial],
        }
    }
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    match &flags.experiment {
        Which::EtcSvm(flags) => etc_svm(flags, ui),
        Which::EtcJpeg(flags) => etc_jpeg(flags, ui),
        Which::CifarNetwork(flags) => cifar_network(flags, ui),
    }
}

fn cifar_network(flags: &CifarNetworkFlags, ui: &Ui) -> Result<()> {
    files::reads_folder(&flags.data)?;
    let sink = flags.out.as_ref().map(|out| Sink::create(out, Care::Binary)).transpose()?;
    ui.catch_interrupts();
    let network = if let Some(name) = &flags.network {
        crate::network::wire::read(
            &Source::from(name.as_os_str()).read(crate::network::wire::LONGEST, Code::TooLarge)?,
        )?
    } else {
        let CifarNetworkFlags { hidden, filters, epochs, seed, .. } = *flags;
        let settings = Settings { hidden, filters, epochs, seed, ..Settings::default() };
        let bar = ui.bar("learning", Unit::Rows);
        let network = cifar_network::learn(&flags.data, settings, &bar)?;
        bar.clear();
        network
    };
    if let Some(sink) = sink {
        sink.write_whole(&crate::network::wire::write(&network)?)?;
    }
    let bar = ui.bar("testing", Unit::Rows);
    let report = cifar_network::test(&flags.data, &network, flags.encrypted, &bar)?;
    bar.clear();
    files::print(&cifar_table(&report))
}

fn cifar_table(report: &cifar_network::Report) -> String {
    let cifar_network::Report { clear, same, worst, bytes, server, client, keys } = report;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<44}{value:>20}");
    };
    line("recognised in the clear, of the test photos", format!("{} of {}", clear.1, clear.0));
    line("the same label when encrypted", format!("{} of {}", same.1, same.0));
    line("largest difference in a score", format!("{worst:.6}"));
    for (name, bytes) in ["keys, bytes", "encrypted photo, bytes", "encrypted answer, bytes"].into_iter().zip(bytes) {
        line(name, bytes.to_string());
    }
    for (name, time) in
        [("server's work per photo, ms", server), ("client's work per photo, ms", client), ("making keys, ms", keys)]
    {
        line(name, format!("{:.1}", 1000.0 * time.as_secs_f64()));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "sizes are shown in millions of bytes")]
fn etc_jpeg(flags: &EtcJpegFlags, ui: &Ui) -> Result<()> {
    ui.catch_interrupts();
    let bar = ui.bar("encoding", Unit::Rows);
    let sizes = experiments::etc_jpeg::run(&flags.data, flags.quality, |done, all| {
        bar.progress(done, all);
        bar.check()
    })?;
    bar.clear();
    let mut text = format!("{:<32}{:>9}{:>11}\n", "MB of all files", "plain", "scrambled");
    let mut line = |name: &str, [plain, scrambled]: [f64; 2]| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<32}{plain:>9.1}{scrambled:>11.1}");
    };
    if flags.quality == 85 {
        line("the paper", experiments::etc_jpeg::PAPER);
    }
    let [standard, optimised] = [sizes.standard, sizes.optimised].map(|sizes| sizes.map(|bytes| bytes as f64 / 1e6));
    line("the standard Huffman tables", standard);
    line("tables for each photo", optimised);
    line("  smaller by, %", [0, 1].map(|i| 100.0 * (1.0 - optimised[i] / standard[i])));
    files::print(&text)
}

fn etc_svm(flags: &EtcSvmFlags, ui: &Ui) -> Result<()> {
    files::reads_folder(&flags.data)?;
    let sink = |file: &Option<OsString>| file.as_ref().map(|file| Sink::create(file, Care::Text)).transpose();
    let (csv, svg) = (sink(&flags.csv)?, sink(&flags.svg)?);
    let faces = yale::read(&flags.data)?;
    ui.catch_interrupts();
    let bar = ui.bar("training", Unit::Rows);
    let experiment = Experiment {
        kernels: flags.kernel.families(),
        training: Training { cost: flags.cost, ..Training::default() },
        block: flags.block,
        seeds: (1..=flags.seeds).collect(),
    };
    let rows = experiments::etc_svm::run(&faces, &experiment, |done, all| {
        bar.progress(done, all);
        bar.check()
    })?;
    bar.clear();
    if let Some(sink) = csv {
        sink.write_whole(table_of_all(&rows).as_bytes())?;
    }
    if let Some(sink) = svg {
        sink.write_whole(plot::svg(&rows)?.as_bytes())?;
    }
    files::print(&table(&rows))
}

/// Means and deviations, a line for each kind of pictures. The rows are in the experiment's order.
fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<22}", "equal error rate");
    let cell = |text: &mut String, value: &str| {
        let _ = write!(text, " {value:>15}");
    };
    for fraction in FRACTIONS {
        cell(&mut text, &format!("1/{fraction}"));
    }
    text.push('\n');
    for of_kernel in rows.chunk_by(|a, b| a.kernel == b.kernel) {
        let kernel = of_kernel[0].kernel;
        let _ = writeln!(text, "\n{}", kernel.as_str());
        if kernel == Family::Linear {
            let _ = write!(text, "{:<22}", "the paper, one key");
            for rate in PAPER_LINEAR {
                cell(&mut text, &format!("{rate:.4}"));
            }
            text.push('\n');
        }
        for pictures in Pictures::ALL {
            let _ = write!(text, "{:<22}", pictures.as_str());
            for row in of_kernel.iter().filter(|row| row.pictures == pictures) {
                let (mean, deviation) = row.summary();
                cell(&mut text, &format!("{mean:.4} ± {deviation:.4}"));
            }
            text.push('\n');
        }
    }
    text
}

/// All rates, as CSV for programs.
fn table_of_all(rows: &[Row]) -> String {
    let mut text = String::from("kernel,pictures,fraction,seed,equal_error_rate\n");
    for Row { kernel, pictures, fraction, rates } in rows {
        for (run, rate) in rates.iter().enumerate() {
            let _ = writeln!(text, "{},\"{}\",1/{fraction},{},{rate}", kernel.as_str(), pictures.as_str(), run + 1);
        }
    }
    text
}
