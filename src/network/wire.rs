//! Files of networks and their public parts. See [`crate::wire`] for the format.

use crate::error::{Code, Error, Result};
use crate::math::checksum;
use crate::network::layers::{Layer, Weights};
use crate::network::{Input, Network, NetworkSpec, Patches, Pixels};
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
const CONVOLUTION: u8 = 3;
const SUM: u8 = 4;
const AVERAGE: u8 = 5;

/// The bytes of a network's public part.
///
/// # Errors
/// [`Code::Internal`], in theory only: the counts of a checked network fit.
pub fn write_spec(spec: &NetworkSpec) -> Result<Vec<u8>> {
    let mut labels = Vec::new();
    for label in spec.labels() {
        labels.push(u8::try_from(label.len()).map_err(|_| too_many())?);
        labels.extend(label.as_bytes());
    }
    let label_bytes = u32::try_from(labels.len()).map_err(|_| too_many())?.to_le_bytes();
    let shape = spec.input().shape();
    let mut header = spec.parameters().id.to_le_bytes().to_vec();
    header.extend([shape.width, shape.height].into_iter().flat_map(u32::to_le_bytes));
    header.push(shape.channels);
    let mut body = labels;
    let version = match spec.input() {
        Input::Patches(Patches { side, stride, grid, threshold, filters, offsets, means, scales, .. }) => {
            header.extend([*side, *stride, *grid]);
            header.extend(count16(offsets.len())?);
            header.extend(count16(spec.labels().len())?);
            // A network that version 1 can express is written in version 1, for programs that know only version 1.
            let hidden = spec.hidden();
            let version = if spec.layers() == Layer::perceptron(hidden, spec.labels().len()) { 1 } else { 2 };
            if version == 1 {
                header.extend(count16(hidden)?);
            }
            header.extend(threshold.to_le_bytes());
            header.extend(label_bytes);
            body.extend(halves(filters));
            body.extend([offsets, means, scales].into_iter().flatten().flat_map(|number| number.to_le_bytes()));
            version
        }
        Input::Pixels(Pixels { means, scales, .. }) => {
            header.extend(count16(spec.labels().len())?);
            header.extend(label_bytes);
            body.extend([means, scales].into_iter().flatten().flat_map(|number| number.to_le_bytes()));
            3
        }
    };
    if version > 1 {
        header.extend(list(spec.layers())?);
    }
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
    let placed = layers::place(&spec.layers, &spec.outline(), spec.parameters);
    let placed = placed.map_err(|error| bad(error.message())).map_err(in_header)?;
    let numbers = layers::numbers(&placed);
    let (weights, biases) = numbers.iter().fold((0, 0), |(w, b), (weights, biases)| (w + weights, b + biases));
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
            Layer::Convolution { kernel, stride } => {
                let side = |side: usize| u8::try_from(side).map_err(|_| too_many());
                bytes.extend([CONVOLUTION, side(kernel)?, side(stride)?]);
            }
            Layer::Sum => bytes.push(SUM),
            Layer::Average { outputs } => {
                bytes.push(AVERAGE);
                bytes.extend(count16(outputs)?);
            }
        }
    }
    Ok(bytes)
}

fn read_list(reader: &mut Reader<'_>) -> Result<Vec<Layer>> {
    let count = reader.u16()?;
    let layer = |number| match reader.u8()? {
        DENSE => Ok(Layer::Dense { outputs: reader.u16()?.into() }),
        SQUARE => Ok(Layer::Square),
        CONVOLUTION => Ok(Layer::Convolution { kernel: reader.u8()?.into(), stride: reader.u8()?.into() }),
        SUM => Ok(Layer::Sum),
        AVERAGE => Ok(Layer::Average { outputs: reader.u16()?.into() }),
        kind => Err(bad(&format!("its layer {number} is of the unknown kind {kind}"))),
    };
    (1..=count).map(layer).collect()
}

/// The numbers at the start of a public part.
struct SpecHeader {
    parameters: &'static Parameters,
    shape: Shape,
    /// What version 3 lacks.
    patches: Option<PatchHeader>,
    labels: usize,
    label_bytes: usize,
    layers: Vec<Layer>,
}

/// The numbers of a recipe for features.
struct PatchHeader {
    side: u8,
    stride: u8,
    grid: u8,
    filters: usize,
    threshold: f32,
}

impl SpecHeader {
    fn parse(checked: &Checked<'_>) -> Result<Self> {
        let mut reader = Reader::new(checked.header);
        let parameters = Parameters::with_id(reader.u16()?)?;
        let (width, height, channels) = (reader.u32()?, reader.u32()?, reader.u8()?);
        let shape = Shape { width, height, channels };
        if checked.version >= 3 {
            let (labels, label_bytes) = (reader.u16()?.into(), reader.u32()? as usize);
            let layers = read_list(&mut reader)?;
            reader.end()?;
            return Ok(Self { parameters, shape, patches: None, labels, label_bytes, layers });
        }
        let [side, stride, grid] = reader.array()?;
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
        let patches = Some(PatchHeader { side, stride, grid, filters, threshold });
        Ok(Self { parameters, shape, patches, labels, label_bytes, layers })
    }

    /// At most 2^45, because counts have at most 16 bits, and the sides of patches and grids at most 8.
    fn body_bytes(&self) -> usize {
        let numbers = match &self.patches {
            Some(patches) => {
                let of_filters = (2 * patches.filter(self.shape) + 4).saturating_mul(patches.filters);
                of_filters.saturating_add(patches.features().saturating_mul(8))
            }
            None => 8 * usize::from(self.shape.channels),
        };
        self.label_bytes.saturating_add(numbers)
    }

    /// The input, without its learned numbers.
    #[cfg(all(feature = "learn", not(target_arch = "wasm32")))]
    fn outline(&self) -> Input {
        let Self { shape, .. } = *self;
        match &self.patches {
            None => Input::Pixels(Pixels { shape, means: Vec::new(), scales: Vec::new() }),
            Some(PatchHeader { side, stride, grid, filters, threshold }) => Input::Patches(Patches {
                shape,
                side: *side,
                stride: *stride,
                grid: *grid,
                threshold: *threshold,
                filters: Vec::new(),
                offsets: vec![0.0; *filters],
                means: Vec::new(),
                scales: Vec::new(),
            }),
        }
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
        let shape = self.shape;
        let input = if let Some(patches) = self.patches {
            Input::Patches(patches.read(&mut reader, shape)?)
        } else {
            let count = usize::from(shape.channels);
            let (means, scales) = (read_numbers(&mut reader, count)?, read_numbers(&mut reader, count)?);
            Input::Pixels(Pixels { shape, means, scales })
        };
        NetworkSpec::new(self.parameters, input, labels, self.layers)
    }
}

impl PatchHeader {
    /// The number of weights of a filter.
    fn filter(&self, shape: Shape) -> usize {
        usize::from(self.side) * usize::from(self.side) * usize::from(shape.channels)
    }

    /// The number of features of a picture.
    fn features(&self) -> usize {
        2 * self.filters * usize::from(self.grid) * usize::from(self.grid)
    }

    /// Reads the learned numbers.
    fn read(self, reader: &mut Reader<'_>, shape: Shape) -> Result<Patches> {
        let (filter, features) = (self.filter(shape), self.features());
        let Self { side, stride, grid, filters, threshold } = self;
        Ok(Patches {
            filters: read_halves(reader, filter * filters)?,
            offsets: read_numbers(reader, filters)?,
            means: read_numbers(reader, features)?,
            scales: read_numbers(reader, features)?,
            shape,
            side,
            stride,
            grid,
            threshold,
        })
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
