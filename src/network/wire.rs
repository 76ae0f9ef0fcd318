//! Files of networks and their public parts. See [`crate::wire`] for the format.

use crate::error::{Code, Error, Result};
use crate::math::checksum;
use crate::network::layers::{Layer, Weights};
use crate::network::{Network, NetworkSpec, Patches};
use crate::photo::Shape;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::wire::{VectorHead, read_ciphertext, same_set};
use crate::wire::{Checked, Kind, PROLOGUE_BYTES, Reader, in_header, open, seal, seal_in};

/// An upper bound on the length of a network's file, in bytes.
pub const LONGEST: u64 = 1 << 28;

/// The numbers that stand for the kinds of layers in a file.
const DENSE: u8 = 1;
const SQUARE: u8 = 2;

/// The bytes of a network's public part.
///
/// # Errors
/// [`Code::Internal`], in theory only: the counts of a checked network fit.
pub fn write_spec(spec: &NetworkSpec) -> Result<Vec<u8>> {
    let Patches { shape, side, stride, grid, threshold, filters, offsets, means, scales } = spec.patches();
    let mut labels = Vec::new();
    for label in spec.labels() {
        labels.push(u8::try_from(label.len()).map_err(|_| too_many())?);
        labels.extend(label.as_bytes());
    }
    let mut header = spec.parameters().id.to_le_bytes().to_vec();
    header.extend([shape.width, shape.height].into_iter().flat_map(u32::to_le_bytes));
    header.extend([shape.channels, *side, *stride, *grid]);
    for count in [offsets.len(), spec.labels().len()] {
        header.extend(count16(count)?);
    }
    // A network that version 1 can express is written in version 1, for programs that know only version 1.
    let hidden = spec.hidden();
    let version = if spec.layers() == Layer::perceptron(hidden, spec.labels().len()) { 1 } else { 2 };
    if version == 1 {
        header.extend(count16(hidden)?);
    }
    header.extend(threshold.to_le_bytes());
    header.extend(u32::try_from(labels.len()).map_err(|_| too_many())?.to_le_bytes());
    if version == 2 {
        header.extend(list(spec.layers())?);
    }
    let mut body = labels;
    body.extend(halves(filters));
    body.extend([offsets, means, scales].into_iter().flatten().flat_map(|number| number.to_le_bytes()));
    Ok(sealed(seal_in(version, Kind::NetworkFront, &header), &body))
}

/// Reads the public part of a network.
///
/// # Errors
/// As [`open`], and [`Code::UnknownParameters`], [`Code::BadHeader`], [`Code::Truncated`], [`Code::TrailingData`],
/// [`Code::Damaged`].
pub fn read_spec(bytes: &[u8]) -> Result<NetworkSpec> {
    let checked = open(bytes, Kind::NetworkFront)?;
    let header = SpecHeader::parse(&checked).map_err(in_header)?;
    let body = body(bytes, checked.header.len(), checked.crc, header.body_bytes())?;
    header.spec(body).map_err(in_header)
}

/// The bytes of a network.
///
/// # Errors
/// As [`write_spec`].
pub fn write(network: &Network) -> Result<Vec<u8>> {
    let spec = write_spec(network.spec())?;
    let header = u32::try_from(spec.len()).map_err(|_| too_many())?.to_le_bytes();
    let mut body = spec;
    for layer in network.weights() {
        body.extend(halves(&layer.weights));
        body.extend(layer.bias.iter().flat_map(|number| number.to_le_bytes()));
    }
    Ok(sealed(seal(Kind::Network, &header), &body))
}

/// Reads a network.
///
/// # Errors
/// As [`read_spec`].
pub fn read(bytes: &[u8]) -> Result<Network> {
    let checked = open(bytes, Kind::Network)?;
    let mut reader = Reader::new(checked.header);
    let length = reader.u32().map_err(in_header)? as usize;
    reader.end().map_err(in_header)?;
    let mut rest = Reader::new(&bytes[PROLOGUE_BYTES + checked.header.len() + 4..]);
    let spec = read_spec(rest.take(length)?)?;
    let numbers = spec.numbers();
    let wanted = numbers.iter().map(|(weights, biases)| 2 * weights + 4 * biases).sum::<usize>();
    let body = body(bytes, checked.header.len(), checked.crc, length + wanted)?;
    let mut reader = Reader::new(&body[length..]);
    let weights = |(weights, biases): (usize, usize)| {
        Ok(Weights { weights: read_halves(&mut reader, weights)?, bias: read_numbers(&mut reader, biases)? })
    };
    let weights = numbers.into_iter().map(weights).collect::<Result<_>>()?;
    Network::new(spec, weights)
}

/// Reads a server's answer, if its header is that of an answer of this network.
///
/// # Errors
/// As [`read_ciphertext`], and as [`NetworkSpec::check_answer`], also for a ciphertext with a seed, which no computed ciphertext has.
pub fn read_answer(spec: &NetworkSpec, ring: &Ring, bytes: &[u8]) -> Result<Ciphertext> {
    let head = VectorHead::of_ciphertext(bytes)?;
    same_set(ring, head.parameters)?;
    spec.check_answer(ring, head.level, head.slots, head.scale)?;
    if head.seed.is_some() {
        let message = "this is a fresh ciphertext, not the answer of a network";
        return Err(Error::new(Code::VectorsDiffer, message));
    }
    read_ciphertext(ring, bytes)
}

/// The size of a network, from the first bytes of its file; `None` if they do not contain the headers.
///
/// # Errors
/// As [`open`], and [`Code::UnknownParameters`], [`Code::BadHeader`].
#[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
pub fn size(bytes: &[u8]) -> Result<Option<crate::wire::Size>> {
    use crate::network::layers;
    use crate::wire::{Prologue, Size};

    let header_bytes = Prologue::parse(bytes)?.total_bytes();
    let Some(spec) = bytes.get(header_bytes..).filter(|spec| spec.len() >= PROLOGUE_BYTES) else { return Ok(None) };
    let mut reader = Reader::new(open(bytes, Kind::Network)?.header);
    let length = u64::from(reader.u32().map_err(in_header)?);
    if spec.len() < Prologue::parse(spec)?.total_bytes() {
        return Ok(None);
    }
    let spec = SpecHeader::parse(&open(spec, Kind::NetworkFront)?).map_err(in_header)?;
    let numbers = layers::numbers(&spec.layers, spec.features());
    let (weights, biases) = numbers.iter().fold((0, 0), |(w, b), (weights, biases)| (w + weights, b + biases));
    // A network that does not fit its slots is refused when all of it is read.
    let placed = layers::place(&spec.layers, spec.features(), spec.parameters.slots()).unwrap_or_default();
    let encoded = layers::memory(&placed, spec.parameters.degree());
    Ok(Some(Size {
        bytes: length + (header_bytes + 2 * weights + 4 * biases + 4) as u64,
        memory: (4 * weights + encoded) as u64,
    }))
}

/// The layers as stored in a file: their number, then the kind and the parameters of each.
fn list(layers: &[Layer]) -> Result<Vec<u8>> {
    let mut bytes = count16(layers.len())?.to_vec();
    for layer in layers {
        match *layer {
            Layer::Dense { outputs } => {
                bytes.push(DENSE);
                bytes.extend(count16(outputs)?);
            }
            Layer::Square => bytes.push(SQUARE),
        }
    }
    Ok(bytes)
}

fn read_list(reader: &mut Reader<'_>) -> Result<Vec<Layer>> {
    let count = reader.u16()?;
    let layer = |number| match reader.u8()? {
        DENSE => Ok(Layer::Dense { outputs: reader.u16()?.into() }),
        SQUARE => Ok(Layer::Square),
        kind => Err(bad(&format!("its layer {number} is of the unknown kind {kind}"))),
    };
    (1..=count).map(layer).collect()
}

/// The numbers at the start of a public part.
struct SpecHeader {
    parameters: &'static Parameters,
    shape: Shape,
    side: u8,
    stride: u8,
    grid: u8,
    filters: usize,
    labels: usize,
    threshold: f32,
    label_bytes: usize,
    layers: Vec<Layer>,
}

impl SpecHeader {
    fn parse(checked: &Checked<'_>) -> Result<Self> {
        let mut reader = Reader::new(checked.header);
        let parameters = Parameters::with_id(reader.u16()?)?;
        let (width, height) = (reader.u32()?, reader.u32()?);
        let [channels, side, stride, grid] = reader.array()?;
        let (filters, labels) = (reader.u16()?.into(), reader.u16()?.into());
        // Version 1 had no list, only the number of hidden units.
        let hidden = if checked.version == 1 { Some(reader.u16()?) } else { None };
        let threshold = f32::from_le_bytes(reader.array()?);
        let label_bytes = reader.u32()? as usize;
        let layers = match hidden {
            Some(hidden) => Layer::perceptron(hidden.into(), labels),
            None => read_list(&mut reader)?,
        };
        reader.end()?;
        let shape = Shape { width, height, channels };
        Ok(Self { parameters, shape, side, stride, grid, filters, labels, threshold, label_bytes, layers })
    }

    /// The number of weights of a filter.
    fn filter(&self) -> usize {
        usize::from(self.side) * usize::from(self.side) * usize::from(self.shape.channels)
    }

    /// The number of features of a picture.
    fn features(&self) -> usize {
        2 * self.filters * usize::from(self.grid) * usize::from(self.grid)
    }

    /// At most 2^45, because counts have at most 16 bits, and the sides of patches and grids at most 8.
    fn body_bytes(&self) -> usize {
        self.label_bytes
            .saturating_add((2 * self.filter() + 4).saturating_mul(self.filters))
            .saturating_add(self.features().saturating_mul(8))
    }

    fn spec(self, body: &[u8]) -> Result<NetworkSpec> {
        let (labels, rest) = body.split_at_checked(self.label_bytes).ok_or_else(|| bad("it has no labels"))?;
        let mut reader = Reader::new(labels);
        let label = |_| {
            let length = usize::from(reader.u8()?);
            let label = std::str::from_utf8(reader.take(length)?).map_err(|_| bad("a label is not text"))?;
            Ok(label.to_owned())
        };
        let labels = (0..self.labels).map(label).collect::<Result<_>>()?;
        reader.end()?;
        let mut reader = Reader::new(rest);
        let patches = Patches {
            filters: read_halves(&mut reader, self.filter() * self.filters)?,
            offsets: read_numbers(&mut reader, self.filters)?,
            means: read_numbers(&mut reader, self.features())?,
            scales: read_numbers(&mut reader, self.features())?,
            shape: self.shape,
            side: self.side,
            stride: self.stride,
            grid: self.grid,
            threshold: self.threshold,
        };
        NetworkSpec::new(self.parameters, patches, labels, self.layers)
    }
}

/// A sealed header, its body, and the checksum of both.
fn sealed(header: Vec<u8>, body: &[u8]) -> Vec<u8> {
    let mut bytes = header;
    let crc = body_crc(&bytes[bytes.len() - 4..], body);
    bytes.extend(body);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// The `length` bytes after the header, whose checksum ends the file.
fn body(bytes: &[u8], header: usize, header_crc: u32, length: usize) -> Result<&[u8]> {
    let mut reader = Reader::new(&bytes[PROLOGUE_BYTES + header + 4..]);
    let body = reader.take(length)?;
    let crc = reader.u32()?;
    reader.end()?;
    if crc == body_crc(&header_crc.to_le_bytes(), body) {
        return Ok(body);
    }
    Err(Error::new(Code::Damaged, "the network is damaged; send or copy the whole file again"))
}

fn body_crc(header_crc: &[u8], body: &[u8]) -> u32 {
    let mut hasher = checksum::Hasher::new();
    hasher.update(header_crc);
    hasher.update(body);
    hasher.finalize()
}

/// The upper halves of numbers whose lower halves are zero.
fn halves(numbers: &[f32]) -> impl Iterator<Item = u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().skip(2))
}

/// The caller has compared the count with the length of the data.
fn read_halves(reader: &mut Reader<'_>, count: usize) -> Result<Vec<f32>> {
    let (numbers, _) = reader.take(2 * count)?.as_chunks();
    Ok(numbers.iter().map(|&[low, high]| f32::from_le_bytes([0, 0, low, high])).collect())
}

fn read_numbers(reader: &mut Reader<'_>, count: usize) -> Result<Vec<f32>> {
    let (numbers, _) = reader.take(4 * count)?.as_chunks();
    Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect())
}

fn count16(count: usize) -> Result<[u8; 2]> {
    u16::try_from(count).map(u16::to_le_bytes).map_err(|_| too_many())
}

fn too_many() -> Error {
    Error::new(Code::Internal, "the network is too large for its file format")
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid network: {why}"))
}
