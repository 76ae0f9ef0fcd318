//! The results of attacks on scrambled pictures: the table of `safelight attack table`.
//!
//! Squares are cut from the photos of a folder, scrambled, stored without loss or as JPEG, and attacked. Each row is the mean
//! over the attacked pictures. Scrambled pictures do not reveal the orientation and colours of the whole. These are resolved in
//! favour of the attacker (by [`best_view`] and [`best_colours`]), except with known photos, which reveal them.

use std::fs;
use std::path::Path;

use crate::error::{Code, Error, Result};
use crate::photo::quality::{psnr, ssim};
use crate::photo::{Limits, Photo};
use crate::schemes::baselines::attack::best_colours;
use crate::schemes::baselines::{self, Scheme};
use crate::schemes::etc::attack::{self, Effort, MOST_BLOCKS, Solution, best_view};
use crate::schemes::etc::file::{Jpeg, encode_jpeg};
use crate::schemes::etc::label::sheet_limits;
use crate::schemes::etc::scramble::Plan;
use crate::schemes::etc::{Form, Label, MasterKey, Nonce, Settings, Sheet};

/// The number of pictures under one key that are attacked together.
pub const TOGETHER: usize = 5;
/// The maximum number of blocks that the attack that tries all keys places.
const LIMIT: u64 = 1_000_000;
/// The maximum number of squares to cut from one photo.
const SQUARES: u32 = 4;

/// The scrambling scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Encryption-then-compression, with blocks of this side.
    Etc(Form, u8),
    /// Another scheme.
    Other(Scheme),
}

/// The method of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One scrambled picture, with any key.
    Single,
    /// One scrambled picture, all keys of which are tried.
    AllKeys,
    /// [`TOGETHER`] scrambled pictures under one key.
    Several,
    /// A number of photos with their scrambled pictures, and another picture.
    Known(usize),
}

impl Method {
    /// The name in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Single => "one picture".into(),
            Self::AllKeys => "all keys".into(),
            Self::Several => format!("{TOGETHER} pictures"),
            Self::Known(count) => format!("{count} known"),
        }
    }
}

/// The settings of the experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The scrambling schemes.
    pub encryptions: Vec<Encryption>,
    /// The sides of the squares, in pixels.
    pub sides: Vec<u32>,
    /// JPEG qualities; `None` is lossless.
    pub qualities: Vec<Option<u8>>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The scrambling scheme.
    pub encryption: Encryption,
    /// The side of the square, in pixels.
    pub side: u32,
    /// The number of blocks.
    pub blocks: usize,
    /// The logarithm to base 2 of the number of keys, for `EtC`.
    pub bits: Option<f64>,
    /// Whether all pictures have the same key.
    pub fixed_key: bool,
    /// The JPEG quality; `None` is lossless.
    pub quality: Option<u8>,
    /// The method of attack.
    pub method: Method,
    /// The number of pictures in the means.
    pub pictures: usize,
    /// The similarity of the scrambled picture's best view to the photo (SSIM).
    pub before: f64,
    /// The similarity of the recovered picture.
    pub ssim: f64,
    /// The highest similarity of a recovered picture.
    pub highest: f64,
    /// The peak signal-to-noise ratio of the recovered picture in decibels; infinite if it is exact.
    pub psnr: f64,
    /// The share of neighbours that the attack found, for `EtC`.
    pub neighbours: Option<f64>,
    /// The share that the known photos leave open.
    pub ambiguous: Option<f64>,
}

/// A picture that an attack recovered.
pub struct Recovered {
    /// Its content, as a file name without extension.
    pub name: String,
    /// The photo, as it was scrambled.
    pub original: Photo,
    /// The stored picture.
    pub scrambled: Photo,
    /// The recovered picture.
    pub found: Photo,
}

impl Recovered {
    /// All three pictures side by side in one, from left to right.
    ///
    /// # Errors
    /// [`Code::ImagesDiffer`] if their sizes differ.
    pub fn side_by_side(&self) -> Result<Photo> {
        let all = [&self.original, &self.scrambled, &self.found];
        let (width, height, channels) = (self.original.width(), self.original.height(), self.original.channels());
        if all.iter().any(|photo| (photo.width(), photo.height(), photo.channels()) != (width, height, channels)) {
            return Err(Error::new(Code::ImagesDiffer, "only pictures of the same size can be shown side by side"));
        }
        let row = (width * u32::from(channels)) as usize;
        let rows = (0..height as usize).flat_map(|y| all.map(|photo| &photo.samples()[y * row..(y + 1) * row]));
        Photo::from_samples(3 * width, height, channels, rows.flatten().copied().collect())
    }
}

/// Runs all attacks. `watch(done, all)` receives the progress and can end them with an error; `show` receives every recovered
/// picture.
///
/// # Errors
/// Errors of `watch` and `show`; [`Code::NotFound`], [`Code::Io`] and the codes of [`Photo::decode`] for the folder;
/// [`Code::BadArgument`] if no photo in colour is as large as the squares.
pub fn run(
    folder: &Path,
    experiment: &Experiment,
    mut watch: impl FnMut(u64, u64) -> Result<()>,
    mut show: impl FnMut(Recovered) -> Result<()>,
) -> Result<Vec<Row>> {
    let photos = read(folder)?;
    let mut jobs = Vec::new();
    for &side in &experiment.sides {
        for &encryption in &experiment.encryptions {
            for &quality in &experiment.qualities {
                jobs.push((side, encryption, quality));
            }
        }
    }
    let mut rows = Vec::new();
    for (done, &(side, encryption, quality)) in (0..).zip(&jobs) {
        watch(done, jobs.len() as u64)?;
        let squares = squares(&photos, side)?;
        let case = Case { squares: &squares, side, quality };
        match encryption {
            Encryption::Etc(form, block) => case.etc(form, block, &mut rows, &mut show)?,
            Encryption::Other(scheme) => case.other(scheme, &mut rows, &mut show)?,
        }
    }
    watch(jobs.len() as u64, jobs.len() as u64)?;
    Ok(rows)
}

/// Reads the colour photos of a folder, in the order of their names.
fn read(folder: &Path) -> Result<Vec<Photo>> {
    let cannot = |error| Error::new(Code::NotFound, format!("cannot read {}: {error}", folder.display()));
    let mut files = fs::read_dir(folder)
        .map_err(cannot)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|file| file.is_file());
    files.sort();
    let mut photos = Vec::new();
    for file in files {
        let photo = Photo::decode(&fs::read(&file)?, &Limits::default())
            .map_err(|error| Error::new(error.kind(), format!("{}: {}", file.display(), error.message())))?;
        if photo.channels() == 3 {
            photos.push(photo);
        }
    }
    Ok(photos)
}

/// Cuts squares from the middle of each photo: the first square of each photo, then the second, and so on.
fn squares(photos: &[Photo], side: u32) -> Result<Vec<Photo>> {
    let mut squares = Vec::new();
    for number in 0..SQUARES {
        for photo in photos {
            let fit = |length: u32| (length / side).min(2);
            let (across, down) = (fit(photo.width()), fit(photo.height()));
            if number < across * down {
                let start = |length: u32, count: u32, at: u32| (length - count * side) / 2 + at * side;
                let left = start(photo.width(), across, number % across);
                let top = start(photo.height(), down, number / across);
                squares.push(cut(photo, left, top, side)?);
            }
        }
    }
    if squares.is_empty() {
        let message = format!("the folder has no colour photo of at least {side} x {side} pixels");
        return Err(Error::new(Code::BadArgument, message));
    }
    Ok(squares)
}

fn cut(photo: &Photo, left: u32, top: u32, side: u32) -> Result<Photo> {
    let row = |y: u32| {
        let start = 3 * ((top + y) * photo.width() + left) as usize;
        &photo.samples()[start..start + 3 * side as usize]
    };
    Photo::from_samples(side, side, 3, (0..side).flat_map(row).copied().collect())
}

/// Squares, and how to store their pictures.
struct Case<'a> {
    squares: &'a [Photo],
    side: u32,
    quality: Option<u8>,
}

/// A clear sheet, and the scrambled one as it was stored.
type Pair = (Sheet, Sheet);

impl Case<'_> {
    /// The number of squares to attack. They come from different photos if possible.
    fn targets(&self) -> usize {
        self.squares.len().min(4)
    }

    fn etc(
        &self,
        form: Form,
        block: u8,
        rows: &mut Vec<Row>,
        show: &mut impl FnMut(Recovered) -> Result<()>,
    ) -> Result<()> {
        let key = key();
        let scramble = |number: usize, nonce: Nonce| -> Result<(Pair, Solution, Label)> {
            let settings = Settings { form, block, fixed_key: nonce == Nonce::FIXED };
            let label = Label::new(&self.squares[number], &key, settings, nonce)?;
            let (clear, plan) = (Sheet::of_photo(&self.squares[number], &label), Plan::new(&key, &label)?);
            let stored = self.stored(&plan.scramble(&clear))?;
            Ok(((clear, stored), Solution::of_plan(&plan), label))
        };
        let label = scramble(0, Nonce::FIXED)?.2;
        let mut add = |method: Method, fixed_key: bool, found: Vec<Outcome>| -> Result<()> {
            let encryption = Encryption::Etc(form, block);
            let row = self.row(encryption, label.blocks(), Some(Effort::of(&label).bits), fixed_key, method, &found);
            rows.extend(row);
            self.show(encryption, fixed_key, method, found, show)
        };
        // Each picture has its own key.
        let pieces = usize::from(block);
        let own: Vec<_> = (0..self.targets()).map(|i| scramble(i, nonce(i))).collect::<Result<_>>()?;
        let mut alone = Vec::new();
        let mut tried = Vec::new();
        for ((clear, stored), truth, _) in &own {
            let one = std::slice::from_ref(stored);
            alone.push(seen((clear, stored), &attack::solve(one, pieces)?, truth, true)?);
            if label.blocks() <= MOST_BLOCKS {
                tried.push(seen((clear, stored), &attack::exhaustive(stored, pieces, LIMIT)?.solution, truth, true)?);
            }
        }
        add(Method::Single, false, alone)?;
        add(Method::AllKeys, false, tried)?;
        if self.squares.len() < 2 {
            return Ok(());
        }
        let known = attack::known(&[scramble(0, nonce(0))?.0], pieces)?;
        let mut others = Vec::new();
        for ((clear, stored), truth, _) in own.iter().skip(1) {
            let ambiguous = Some(known.ambiguous);
            others.push(Outcome { ambiguous, ..seen((clear, stored), &known.solution, truth, false)? });
        }
        add(Method::Known(1), false, others)?;
        // All pictures have the same key.
        let count = self.squares.len().min(TOGETHER);
        let fixed: Vec<_> = (0..count).map(|i| scramble(i, Nonce::FIXED)).collect::<Result<_>>()?;
        if count == TOGETHER {
            let pictures: Vec<Sheet> = fixed.iter().map(|((_, stored), ..)| stored.clone()).collect();
            let solution = attack::solve(&pictures, pieces)?;
            let found = fixed.iter().map(|((clear, stored), truth, _)| seen((clear, stored), &solution, truth, true));
            add(Method::Several, true, found.collect::<Result<_>>()?)?;
        }
        let known = attack::known(&[fixed[0].0.clone()], pieces)?;
        let found = fixed.iter().skip(1).map(|((clear, stored), truth, _)| {
            let ambiguous = Some(known.ambiguous);
            Ok(Outcome { ambiguous, ..seen((clear, stored), &known.solution, truth, false)? })
        });
        add(Method::Known(1), true, found.collect::<Result<_>>()?)
    }

    fn other(&self, scheme: Scheme, rows: &mut Vec<Row>, show: &mut impl FnMut(Recovered) -> Result<()>) -> Result<()> {
        use baselines::attack::{known, see};
        let scramble = |number: usize, nonce: Nonce| -> Result<Pair> {
            let clear = scheme.sheet(&self.squares[number]);
            let stored = self.stored(&baselines::Plan::new(scheme, &clear, &key(), &nonce)?.scramble(&clear)?)?;
            Ok((clear, stored))
        };
        let blocks = scheme.sheet(&self.squares[0]).samples.len() / (3 * scheme.block() * scheme.block());
        let mut add = |method: Method, fixed_key: bool, found: Vec<Outcome>| -> Result<()> {
            let encryption = Encryption::Other(scheme);
            rows.extend(self.row(encryption, blocks, None, fixed_key, method, &found));
            self.show(encryption, fixed_key, method, found, show)
        };
        let own: Vec<Pair> = (0..self.targets()).map(|i| scramble(i, nonce(i))).collect::<Result<_>>()?;
        let mut alone = Vec::new();
        for (clear, stored) in &own {
            if let Some(view) = see(scheme, stored)? {
                let clear = clear.clone().into_photo()?;
                let view = best_colours(&view, |view| psnr(&view.clone().into_photo()?, &clear))?.1;
                alone.push(Outcome::new(clear, stored, view)?);
            }
        }
        add(Method::Single, false, alone)?;
        for fixed_key in [false, true] {
            for count in [1, 4] {
                // The pictures after the known ones, at least one.
                if self.squares.len() <= count {
                    continue;
                }
                let nonce = |i| if fixed_key { Nonce::FIXED } else { nonce(i) };
                let pairs: Vec<Pair> = (0..count).map(|i| scramble(i, nonce(i))).collect::<Result<_>>()?;
                let found = known(scheme, &pairs)?;
                let targets = count..self.squares.len().min(count + 4);
                let outcomes = targets.map(|i| {
                    let (clear, stored) = scramble(i, nonce(i))?;
                    let view = found.plan.unscramble(&stored)?;
                    Ok(Outcome {
                        ambiguous: Some(found.ambiguous),
                        ..Outcome::new(clear.into_photo()?, &stored, view)?
                    })
                });
                add(Method::Known(count), fixed_key, outcomes.collect::<Result<_>>()?)?;
            }
        }
        Ok(())
    }

    /// A scrambled sheet after storing and reading it.
    fn stored(&self, sheet: &Sheet) -> Result<Sheet> {
        let Some(quality) = self.quality else { return Ok(sheet.clone()) };
        let file = encode_jpeg(&sheet.clone().into_photo()?, None, Jpeg { quality, ..Jpeg::default() })?;
        let stored = Sheet::from(&Photo::decode(&file, &sheet_limits())?);
        if stored.channels == sheet.channels {
            return Ok(stored);
        }
        Err(Error::new(Code::Internal, "a JPEG file has come back with other channels"))
    }

    fn row(
        &self,
        encryption: Encryption,
        blocks: usize,
        bits: Option<f64>,
        fixed_key: bool,
        method: Method,
        found: &[Outcome],
    ) -> Option<Row> {
        if found.is_empty() {
            return None;
        }
        let mean = |value: fn(&Outcome) -> Option<f64>| {
            let values = found.iter().map(value).collect::<Option<Vec<f64>>>()?;
            #[expect(clippy::cast_precision_loss, reason = "there are few pictures")]
            Some(values.iter().sum::<f64>() / values.len() as f64)
        };
        let error = mean(|outcome| Some(libm::pow(10.0, -outcome.psnr / 10.0)))?;
        Some(Row {
            encryption,
            side: self.side,
            blocks,
            bits,
            fixed_key,
            quality: self.quality,
            method,
            pictures: found.len(),
            before: mean(|outcome| Some(outcome.before))?,
            ssim: mean(|outcome| Some(outcome.ssim))?,
            highest: found.iter().map(|outcome| outcome.ssim).fold(f64::MIN, f64::max),
            psnr: -10.0 * error.log10(),
            neighbours: mean(|outcome| outcome.neighbours),
            ambiguous: mean(|outcome| outcome.ambiguous),
        })
    }

    fn show(
        &self,
        encryption: Encryption,
        fixed_key: bool,
        method: Method,
        found: Vec<Outcome>,
        show: &mut impl FnMut(Recovered) -> Result<()>,
    ) -> Result<()> {
        let encryption = match encryption {
            Encryption::Etc(form, block) => format!("etc-{}-{block}", form.as_str()),
            Encryption::Other(scheme) => scheme.as_str().to_lowercase(),
        };
        let key = if fixed_key { "fixed" } else { "own" };
        let quality = self.quality.map_or_else(|| "lossless".into(), |quality| format!("q{quality}"));
        let method = method.name().replace(' ', "-");
        for (number, outcome) in found.into_iter().enumerate() {
            let name = format!("{encryption}-{}-{quality}-{key}-{method}-{number}", self.side);
            let Outcome { original, scrambled, found, .. } = outcome;
            show(Recovered { name, original, scrambled, found })?;
        }
        Ok(())
    }
}

/// The outcome of the attack on one picture.
struct Outcome {
    original: Photo,
    scrambled: Photo,
    found: Photo,
    before: f64,
    ssim: f64,
    psnr: f64,
    neighbours: Option<f64>,
    ambiguous: Option<f64>,
}

impl Outcome {
    fn new(original: Photo, stored: &Sheet, found: Sheet) -> Result<Self> {
        let (scrambled, found) = (stored.clone().into_photo()?, found.into_photo()?);
        let (before, like, noise) = (ssim(&scrambled, &original)?, ssim(&found, &original)?, psnr(&found, &original)?);
        Ok(Self { original, scrambled, found, before, ssim: like, psnr: noise, neighbours: None, ambiguous: None })
    }
}

/// What a solution shows of a picture. `open` means that it leaves the orientation and colours of the whole open.
fn seen((clear, stored): (&Sheet, &Sheet), solution: &Solution, truth: &Solution, open: bool) -> Result<Outcome> {
    let clear = clear.clone().into_photo()?;
    let mut found = solution.apply(stored);
    if open {
        found = best_view(&found, |view| psnr(&view.clone().into_photo()?, &clear))?.1;
    }
    Ok(Outcome { neighbours: Some(solution.neighbours(truth)), ..Outcome::new(clear, stored, found)? })
}

/// Everything is deterministic, including the keys, which protect nothing.
const fn key() -> MasterKey {
    MasterKey::from_bytes([1; 32])
}

fn nonce(number: usize) -> Nonce {
    let mut nonce = [1; 16];
    nonce[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Nonce(nonce)
}
