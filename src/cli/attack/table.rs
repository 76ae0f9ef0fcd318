//! `safelight attack table`: all attacks on all schemes.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, value_parser};

use crate::cli::etc::block_parser;
use crate::cli::files::{self, Care, Sink};
use crate::cli::ui::{Ui, Unit};
use crate::error::Result;
use crate::experiments::attacks::{self, Encryption, Experiment, Row};
use crate::schemes::baselines::Scheme;
use crate::schemes::etc::{Form, file};
use crate::watch::Watch as _;

/// Print how much attacks recover, for all schemes, keys and qualities
///
/// Scrambles squares cut from a folder of colour photos and attacks them: one picture alone, five under one key, and one with
/// another photo known. Prints the similarity to the photos before and after (SSIM, 1 means identical; PSNR in decibels), the
/// share of neighbouring blocks found, and the share that known photos leave open. LE, ELE and PE are published schemes, for
/// comparison. All of this is obfuscation, not encryption.
#[derive(Args)]
#[command(after_help = "\
Examples:
  safelight attack table --data photos --csv table.csv --out-dir seen
  safelight attack table --data photos --encryption colour --block 16 --side 64 224 512 --quality 80

The program's warnings are based on the figures in docs/etc-attacks.md.")]
pub(super) struct Flags {
    /// Folder with the photos
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What to attack [default: all]
    #[arg(long, num_args = 1.., value_name = "NAME", value_parser = encryption_parser())]
    encryption: Vec<Name>,
    /// Sides of the squares in pixels
    #[arg(long, num_args = 1.., value_name = "N", default_values_t = [128u32], value_parser = value_parser!(u32).range(16..=1024))]
    side: Vec<u32>,
    /// Sides of `EtC` blocks in pixels
    #[arg(long, num_args = 1.., value_name = "N", default_values_t = [8u8, 16], value_parser = block_parser())]
    block: Vec<u8>,
    /// JPEG qualities, 1 to 100, in addition to lossless files
    #[arg(long, num_args = 0.., value_name = "N", default_values_t = [90u8, 80], value_parser = value_parser!(u8).range(1..=100))]
    quality: Vec<u8>,
    /// Also write the table to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<OsString>,
    /// Folder for PNG files that show each photo, the scrambled and the recovered picture side by side
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
}

/// The name of a scheme to attack, without the side of a block.
#[derive(Clone, Copy)]
enum Name {
    Etc(Form),
    Other(Scheme),
}

impl Name {
    const ALL: [Self; 6] = [
        Self::Etc(Form::Colour),
        Self::Etc(Form::Grey),
        Self::Etc(Form::Grey420),
        Self::Other(Scheme::Le),
        Self::Other(Scheme::Ele),
        Self::Other(Scheme::Pe),
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Etc(form) => form.as_str(),
            Self::Other(scheme) => scheme.as_str(),
        }
    }
}

fn encryption_parser() -> impl TypedValueParser<Value = Name> {
    let parser = PossibleValuesParser::new(Name::ALL.map(Name::as_str));
    parser.map(|text| Name::ALL.into_iter().find(|name| name.as_str() == text).unwrap_or(Name::ALL[0]))
}

pub(super) fn run(flags: &Flags, ui: &Ui) -> Result<()> {
    files::reads_folder(&flags.data)?;
    let csv = flags.csv.as_ref().map(|file| Sink::create(file, Care::Text)).transpose()?;
    if let Some(folder) = &flags.out_dir {
        std::fs::create_dir_all(folder)?;
    }
    let names = if flags.encryption.is_empty() { &Name::ALL } else { flags.encryption.as_slice() };
    let encryptions = names.iter().flat_map(|&name| match name {
        Name::Etc(form) => flags.block.iter().map(|&block| Encryption::Etc(form, block)).collect(),
        Name::Other(scheme) => vec![Encryption::Other(scheme)],
    });
    let experiment = Experiment {
        encryptions: encryptions.collect(),
        sides: flags.side.clone(),
        qualities: std::iter::once(None).chain(flags.quality.iter().copied().map(Some)).collect(),
    };
    ui.catch_interrupts();
    let bar = ui.bar("attacking", Unit::Rows);
    let watch = |done, all| {
        bar.progress(done, all);
        bar.check()
    };
    let rows = attacks::run(&flags.data, &experiment, watch, |picture| {
        let Some(folder) = &flags.out_dir else { return Ok(()) };
        let png = file::encode_png(&picture.side_by_side()?, None)?;
        let name = folder.join(picture.name).with_extension("png");
        Sink::create(name.as_os_str(), Care::Picture)?.write_whole(&png)
    })?;
    bar.clear();
    if let Some(sink) = csv {
        sink.write_whole(for_programs(&rows).as_bytes())?;
    }
    files::print(&for_people(&rows))
}

const COLUMNS: [&str; 14] = [
    "encryption",
    "block",
    "side",
    "blocks",
    "key_bits",
    "key",
    "file",
    "attack",
    "pictures",
    "ssim_before",
    "ssim",
    "ssim_highest",
    "psnr",
    "neighbours",
];

/// A row's cells, in the order of [`COLUMNS`] and then `ambiguous`; empty where a column does not apply.
fn cells(row: &Row) -> Vec<String> {
    let (name, block) = match row.encryption {
        Encryption::Etc(form, block) => (format!("EtC {}", form.as_str()), block.into()),
        Encryption::Other(scheme) => (scheme.as_str().into(), scheme.block()),
    };
    let share = |share: Option<f64>| share.map(|share| format!("{share:.3}")).unwrap_or_default();
    vec![
        name,
        block.to_string(),
        row.side.to_string(),
        row.blocks.to_string(),
        row.bits.map(|bits| format!("{bits:.0}")).unwrap_or_default(),
        if row.fixed_key { "fixed" } else { "own" }.into(),
        row.quality.map_or_else(|| "lossless".into(), |quality| format!("JPEG {quality}")),
        row.method.name(),
        row.pictures.to_string(),
        share(Some(row.before)),
        share(Some(row.ssim)),
        share(Some(row.highest)),
        format!("{:.1}", row.psnr),
        share(row.neighbours),
        share(row.ambiguous),
    ]
}

fn for_programs(rows: &[Row]) -> String {
    let mut text = COLUMNS.join(",") + ",ambiguous\n";
    for row in rows {
        // No cell contains a comma.
        let _ = writeln!(text, "{}", cells(row).join(","));
    }
    text
}

fn for_people(rows: &[Row]) -> String {
    let heads = COLUMNS.iter().map(|head| head.replace('_', " ")).chain(["ambiguous".into()]);
    let lines: Vec<Vec<String>> = std::iter::once(heads.collect()).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let row: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            // Align names to the left and numbers to the right.
            .map(
                |(i, (cell, &width))| {
                    if matches!(i, 0 | 5..=7) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", row.join("  ").trim_end());
    }
    text
}
