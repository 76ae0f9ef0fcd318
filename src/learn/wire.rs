//! Model files. See [`crate::wire`] for the format.

use crate::error::{Code, Error, Result};
use crate::learn::committee::{Committee, Member, Strategy};
use crate::learn::features::Standardiser;
use crate::learn::kernel::Kernel;
use crate::learn::model::{
    MOST_CLASSES, MOST_PAIRED, MOST_PICTURES, MOST_PLACES, MOST_SAMPLES, Model, Parts, Rule, Voters,
};
use crate::learn::sigmoid::Sigmoid;
use crate::learn::svm::Machine;
use crate::learn::{Shape, model};
use crate::math::checksum;
use crate::watch::Watch;
use crate::wire::{Kind, PROLOGUE_BYTES, Prologue, Reader, Size, in_header, open, seal};

/// The maximum length of a model file in bytes: far more than any model has.
pub const LONGEST: u64 = 1 << 30;

/// Writes a model file.
///
/// # Errors
/// [`Code::Internal`], in theory only: a model's counts are far below 2^32.
pub fn write(model: &Model) -> Result<Vec<u8>> {
    let parts = model.parts();
    let body = body(parts)?;
    let (rule, machines, kernel, number, gamma, shift, seed) = match &parts.rule {
        Rule::Machines { kernel, committee } => {
            let machines = if committee.strategy == Strategy::Rest { 1 } else { 2 };
            let (kernel, degree, gamma, shift) = match *kernel {
                Kernel::Linear => (1, 0, 0.0, 0.0),
                Kernel::Gaussian { gamma } => (2, 0, gamma, 0.0),
                Kernel::Polynomial { degree, gamma, shift } => (3, degree, gamma, shift),
            };
            (1, machines, kernel, degree, gamma, shift, 0)
        }
        Rule::Neighbours { k } => (2, 0, 0, small(*k)?, 0.0, 0.0, 0),
        Rule::Forest { trees, seed } => (3, 0, 0, *trees, 0.0, 0.0, *seed),
    };
    let Shape { width, height, channels } = parts.shape;
    let mut header = vec![rule, machines, kernel, channels];
    let learned_from = usize::try_from(parts.standardiser.count()).map_err(|_| too_many())?;
    let counts = [parts.places.len(), parts.labels.len(), learned_from, parts.rows.len()];
    header.extend([width, height].into_iter().flat_map(u32::to_le_bytes));
    for count in counts {
        header.extend(small(count)?.to_le_bytes());
    }
    header.extend(number.to_le_bytes());
    header.extend([gamma, shift].into_iter().flat_map(f64::to_le_bytes));
    header.extend([seed, body.len() as u64].into_iter().flat_map(u64::to_le_bytes));
    let mut bytes = seal(Kind::Model, &header);
    let crc = body_crc(&bytes[bytes.len() - 4..], &body);
    bytes.extend(body);
    bytes.extend(crc.to_le_bytes());
    Ok(bytes)
}

fn body(parts: &Parts) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for (label, pictures) in parts.labels.iter().zip(&parts.pictures) {
        out.push(u8::try_from(label.len()).map_err(|_| too_many())?);
        out.extend(label.as_bytes());
        out.extend(pictures.to_le_bytes());
    }
    out.extend(parts.places.iter().flat_map(|place| place.to_le_bytes()));
    out.extend(parts.standardiser.sums().iter().flat_map(|(sum, spread)| [*sum, *spread]).flat_map(i64::to_le_bytes));
    for (row, class) in parts.rows.iter().zip(&parts.class) {
        out.extend(class.to_le_bytes());
        out.extend(row);
    }
    let Rule::Machines { committee, .. } = &parts.rule else { return Ok(out) };
    for Member { machine: Machine { weights, bias }, sigmoid, .. } in &committee.members {
        out.extend(bias.to_le_bytes());
        match sigmoid {
            None => out.push(0),
            Some(Sigmoid { slope, offset }) => {
                out.push(1);
                out.extend([*slope, *offset].into_iter().flat_map(f64::to_le_bytes));
            }
        }
        let used: Vec<(u32, f64)> = (0..).zip(weights.iter().copied()).filter(|(_, weight)| *weight != 0.0).collect();
        out.extend(small(used.len())?.to_le_bytes());
        for (row, weight) in used {
            out.extend(row.to_le_bytes());
            out.extend(weight.to_le_bytes());
        }
    }
    Ok(out)
}

/// The size of a model, from the first bytes of its file; `None` if they do not contain the whole header.
///
/// # Errors
/// As [`open`], and [`Code::BadHeader`] for invalid numbers.
pub fn size(bytes: &[u8]) -> Result<Option<Size>> {
    let header_bytes = Prologue::parse(bytes)?.total_bytes();
    if bytes.len() < header_bytes {
        return Ok(None);
    }
    let header = Header::parse(open(bytes, Kind::Model)?.header).map_err(in_header)?;
    let voters = match (header.rule, header.machines) {
        (1, 1) => Voters::Machines(Strategy::Rest.count(header.labels)),
        (1, _) => Voters::Machines(Strategy::Pairs.count(header.labels.min(MOST_PAIRED))),
        (2, _) => Voters::Neighbours,
        _ => Voters::Trees(header.number as usize),
    };
    let memory = model::memory(header.rows, header.places, voters);
    Ok(Some(Size { bytes: header.body.saturating_add(header_bytes as u64 + 4), memory }))
}

/// Reads a model file. The watcher can end it while the trees of a forest grow.
///
/// # Errors
/// As [`open`], and [`Code::BadHeader`] for invalid numbers, [`Code::Damaged`], [`Code::TrailingData`], [`Code::TooLarge`], and
/// errors of the watcher.
pub fn read(bytes: &[u8], watch: &dyn Watch) -> Result<Model> {
    let checked = open(bytes, Kind::Model)?;
    let header = Header::parse(checked.header).map_err(in_header)?;
    let mut reader = Reader::new(&bytes[PROLOGUE_BYTES + checked.header.len() + 4..]);
    let length = usize::try_from(header.body).map_err(|_| bad())?;
    let body = reader.take(length)?;
    let crc = reader.u32()?;
    reader.end()?;
    if crc != body_crc(&checked.crc.to_le_bytes(), body) {
        return Err(Error::new(Code::Damaged, "the model is damaged; send or copy the whole file again"));
    }
    let parts = header.parts(body).map_err(in_header)?;
    Model::from_parts(parts, watch)
}

/// The numbers at the start of a model, all within their limits.
struct Header {
    rule: u8,
    machines: u8,
    kernel: u8,
    shape: Shape,
    places: usize,
    labels: usize,
    learned_from: u32,
    rows: usize,
    number: u32,
    gamma: f64,
    shift: f64,
    seed: u64,
    body: u64,
}

impl Header {
    fn parse(header: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(header);
        let [rule, machines, kernel, channels] = reader.array()?;
        let shape = Shape { width: reader.u32()?, height: reader.u32()?, channels };
        let mut count = |most: usize| reader.u32().map(|count| count as usize).and_then(|count| within(count, most));
        let (places, labels) = (count(MOST_PLACES)?, count(MOST_CLASSES)?);
        let learned_from = count(MOST_PICTURES)?;
        let rows = count(MOST_PICTURES)?;
        within(rows * places, MOST_SAMPLES)?;
        let this = Self {
            rule,
            machines,
            kernel,
            shape,
            places,
            labels,
            learned_from: small(learned_from)?,
            rows,
            number: reader.u32()?,
            gamma: reader.f64()?,
            shift: reader.f64()?,
            seed: reader.u64()?,
            body: reader.u64()?,
        };
        reader.end()?;
        // Unused fields are zero, so that every model has exactly one form.
        let unused = match this.rule {
            1 => this.seed == 0 && (this.kernel == 3 || (this.number == 0 && this.shift.to_bits() == 0)),
            2 => this.machines == 0 && this.kernel == 0 && this.no_kernel_numbers() && this.seed == 0,
            3 => this.machines == 0 && this.kernel == 0 && this.no_kernel_numbers(),
            _ => false,
        };
        if unused && (this.kernel != 1 || this.gamma.to_bits() == 0) { Ok(this) } else { Err(bad()) }
    }

    fn no_kernel_numbers(&self) -> bool {
        self.gamma.to_bits() == 0 && self.shift.to_bits() == 0
    }

    fn parts(&self, body: &[u8]) -> Result<Parts> {
        let mut reader = Reader::new(body);
        let mut labels = Vec::with_capacity(self.labels);
        let mut pictures = Vec::with_capacity(self.labels);
        for _ in 0..self.labels {
            let length = within(usize::from(reader.u8()?), model::LONGEST_LABEL)?;
            let label = std::str::from_utf8(reader.take(length)?).map_err(|_| bad())?;
            labels.push(label.to_owned());
            pictures.push(reader.u32()?);
        }
        let places = (0..self.places).map(|_| reader.u32()).collect::<Result<_>>()?;
        let sums = (0..self.places).map(|_| Ok((reader.i64()?, reader.i64()?))).collect::<Result<_>>()?;
        let standardiser = Standardiser::from_parts(u64::from(self.learned_from), sums)?;
        let mut rows = Vec::with_capacity(self.rows);
        let mut class = Vec::with_capacity(self.rows);
        for _ in 0..self.rows {
            class.push(reader.u16()?);
            rows.push(reader.take(self.places)?.to_vec());
        }
        let rule = self.rule(&mut reader)?;
        reader.end()?;
        Ok(Parts { shape: self.shape, places, labels, pictures, standardiser, rows, class, rule })
    }

    fn rule(&self, reader: &mut Reader<'_>) -> Result<Rule> {
        let (gamma, shift) = (self.gamma, self.shift);
        let kernel = match (self.rule, self.kernel) {
            (2, _) => return Ok(Rule::Neighbours { k: self.number as usize }),
            (3, _) => return Ok(Rule::Forest { trees: self.number, seed: self.seed }),
            (_, 1) => Kernel::Linear,
            (_, 2) => Kernel::Gaussian { gamma },
            (_, 3) => Kernel::Polynomial { degree: self.number, gamma, shift },
            _ => return Err(bad()),
        };
        let strategy = match self.machines {
            1 => Strategy::Rest,
            2 => Strategy::Pairs,
            _ => return Err(bad()),
        };
        if strategy == Strategy::Pairs {
            within(self.labels, MOST_PAIRED)?;
        }
        let member = |(class, against)| {
            let bias = reader.f64()?;
            let sigmoid = match reader.u8()? {
                0 => None,
                1 => Some(Sigmoid { slope: reader.f64()?, offset: reader.f64()? }),
                _ => return Err(bad()),
            };
            let mut weights = vec![0.0; self.rows];
            let mut from = 0;
            for _ in 0..reader.u32()? {
                let row = reader.u32()? as usize;
                let weight = reader.f64()?;
                if row < from || row >= self.rows || weight == 0.0 {
                    return Err(bad());
                }
                weights[row] = weight;
                from = row + 1;
            }
            Ok(Member { class, against, machine: Machine { weights, bias }, sigmoid })
        };
        let members = strategy.pairs(self.labels).into_iter().map(member).collect::<Result<_>>()?;
        Ok(Rule::Machines { kernel, committee: Committee { strategy, classes: self.labels, members } })
    }
}

fn body_crc(header_crc: &[u8], body: &[u8]) -> u32 {
    let mut hasher = checksum::Hasher::new();
    hasher.update(header_crc);
    hasher.update(body);
    hasher.finalize()
}

fn within(count: usize, most: usize) -> Result<usize> {
    if count <= most { Ok(count) } else { Err(bad()) }
}

fn small(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| too_many())
}

fn too_many() -> Error {
    Error::new(Code::Internal, "the model is too large for its file format")
}

fn bad() -> Error {
    Error::new(Code::BadHeader, "this is not a valid model: its numbers are inconsistent")
}
