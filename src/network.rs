//! Classifiers for pictures that only their owner sees: the server has the weights, the client has the picture, and neither
//! learns the other's.
//!
//! | module | purpose |
//! |---|---|
//! | [`features`] | features of a picture, computed in the clear by its owner |
//! | [`circuit`] | the server's computation on the encrypted features |
//! | `client` | keys, encryption and decryption of the answer (feature `ckks-secret`) |
//!
//! A network has two parts. Its [`Front`] is public: the features of a picture, the labels, the parameter set, and the keys
//! that are needed. The weights of one dense layer, or of two with squares between them, stay with the server. The server
//! learns nothing about the picture, not even the label. The client learns the scores of its pictures. A client that can
//! request many of them can train a similar network on the answers; nothing prevents that.
//!
//! A server that does not follow the protocol can send any ciphertext as an answer, and whatever its owner then publishes of
//! the decrypted numbers, even only the label, reveals information about the secret key to that server. So the client refuses
//! what no honest server would send ([`Front::check_answer`], `Front::open`), and programs show labels unless they are asked
//! for scores.
//!
//! For the precision of the scores, see [`PRECISION`].

pub mod circuit;
#[cfg(feature = "ckks-secret")]
mod client;
pub mod dense;
#[cfg(not(target_arch = "wasm32"))]
pub mod facts;
pub mod features;
#[cfg(not(target_arch = "wasm32"))]
mod keys;
#[cfg(all(test, feature = "client"))]
mod tests;
pub mod wire;

pub use circuit::Circuit;
pub use features::Patches;

use crate::error::{Code, Error, Result};
use crate::network::dense::Dense;
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;

/// The largest difference of encrypted scores from those in the clear, for hidden units and scores of at most 64 in absolute
/// value. It is promised for the parameter set with the smallest scale, and tested.
pub const PRECISION: f64 = 1.0 / 64.0;
/// The largest absolute score of an answer. Trainers keep to it for the training pictures, and clients refuse larger ones:
/// nothing is promised beyond it, and a dishonest server has less freedom.
pub const LARGEST_SCORE: f64 = 64.0;
/// How far apart the scale of an answer and the expected one may be, as a share: they are rounded in different orders.
const SAME_SCALE: f64 = 1e-12;
/// How many parts of 1 a score keeps when it is shown.
#[cfg(feature = "ckks-secret")]
const SHOWN: f64 = 100.0;
/// The most labels.
pub const MOST_LABELS: usize = 1000;
/// The longest label in bytes.
pub const LONGEST_LABEL: usize = 200;
/// The most hidden units.
pub const MOST_HIDDEN: usize = 4096;
/// The largest weight. Learned ones stay far below it.
const LARGEST: f32 = 1e6;

/// The public part of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    parameters: &'static Parameters,
    patches: Patches,
    labels: Vec<String>,
    hidden: usize,
}

/// A key required by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// For products.
    Products {
        /// For ciphertexts up to this level.
        level: usize,
    },
    /// For rotations to the left.
    Rotation {
        /// The number of steps.
        steps: i64,
        /// For ciphertexts up to this level.
        level: usize,
    },
}

/// A network with its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    front: Front,
    layers: Vec<Layer>,
}

/// The weights of a dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// For each output, one weight per input, with 8 bits of precision: see [`rounded`].
    pub weights: Vec<f32>,
    /// For each output.
    pub bias: Vec<f32>,
}

/// A network's answer for one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The index of the label.
    pub class: usize,
    /// The score of each label.
    pub scores: Vec<f64>,
    /// The probability of each label; their sum is 1.
    pub probabilities: Vec<f64>,
}

/// The inputs and outputs of each layer. Without hidden units there is one layer.
pub(crate) fn sizes(inputs: usize, hidden: usize, outputs: usize) -> Vec<(usize, usize)> {
    match hidden {
        0 => vec![(inputs, outputs)],
        hidden => vec![(inputs, hidden), (hidden, outputs)],
    }
}

fn layers(parameters: &Parameters, sizes: &[(usize, usize)]) -> Result<Vec<Dense>> {
    let slots = parameters.slots();
    let layer = |(number, &(inputs, outputs)): (usize, &(usize, usize))| match number {
        0 => Dense::packed(inputs, outputs, slots),
        _ => Dense::in_order(inputs, outputs, slots),
    };
    sizes.iter().enumerate().map(layer).collect()
}

/// A layer takes one level, and the square before another one takes one more.
const fn level(layers: usize) -> usize {
    2 * layers - 1
}

/// The bytes of memory that the weights of these layers take when they are encoded.
pub(crate) fn memory(parameters: &Parameters, sizes: &[(usize, usize)]) -> Result<usize> {
    let levels = (1..=sizes.len()).rev().map(level);
    let layers = layers(parameters, sizes)?;
    Ok(layers.iter().zip(levels).map(|(layer, level)| layer.memory(parameters.degree(), level)).sum())
}

impl Front {
    /// From its parts; `hidden` is the number of hidden units, or 0 for a network of one layer.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if they are inconsistent, or the set does not have enough levels or slots.
    pub fn new(parameters: &'static Parameters, patches: Patches, labels: Vec<String>, hidden: usize) -> Result<Self> {
        patches.check()?;
        let mut sorted: Vec<&String> = labels.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != labels.len() || !(2..=MOST_LABELS).contains(&labels.len()) {
            return Err(bad("its labels are too few, too many, or not distinct"));
        }
        let fits = |label: &String| (1..=LONGEST_LABEL).contains(&label.len()) && !label.chars().any(char::is_control);
        if !labels.iter().all(fits) {
            return Err(bad("a label is empty or too long, or has control characters"));
        }
        if hidden > MOST_HIDDEN {
            return Err(bad("it has too many hidden units"));
        }
        let this = Self { parameters, patches, labels, hidden };
        if this.level() > parameters.levels {
            return Err(bad("its parameter set has too few levels"));
        }
        this.layers().map_err(|error| bad(error.message()))?;
        Ok(this)
    }

    /// The parameter set.
    #[must_use]
    pub const fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// The features of a picture.
    #[must_use]
    pub const fn patches(&self) -> &Patches {
        &self.patches
    }

    /// The label of each class.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The number of hidden units; 0 in a network of one layer.
    #[must_use]
    pub const fn hidden(&self) -> usize {
        self.hidden
    }

    /// The level at which pictures are encrypted.
    #[must_use]
    pub const fn level(&self) -> usize {
        level(if self.hidden == 0 { 1 } else { 2 })
    }

    /// The inputs and outputs of each layer.
    #[must_use]
    pub fn sizes(&self) -> Vec<(usize, usize)> {
        sizes(self.patches.features(), self.hidden, self.labels.len())
    }

    /// The layout of each layer in the slots.
    ///
    /// # Errors
    /// None: checked at creation.
    pub fn layers(&self) -> Result<Vec<Dense>> {
        layers(self.parameters, &self.sizes())
    }

    /// The keys that the server needs, each for the highest level at which it is used.
    ///
    /// # Errors
    /// None: checked at creation.
    pub fn needs(&self) -> Result<Vec<Need>> {
        let mut steps = std::collections::BTreeMap::new();
        let mut level = self.level();
        for layer in self.layers()? {
            let (turns, sums) = layer.steps();
            let below = level.saturating_sub(1);
            let all = turns.into_iter().map(|step| (step, level)).chain(sums.into_iter().map(|step| (step, below)));
            for (step, level) in all {
                let highest = steps.entry(step).or_insert(level);
                *highest = level.max(*highest);
            }
            level = level.saturating_sub(2);
        }
        let products = (self.hidden > 0).then_some(Need::Products { level: self.level() - 1 });
        let rotation = |(step, level): (usize, usize)| Need::Rotation { steps: step.cast_signed() as i64, level };
        Ok(products.into_iter().chain(steps.into_iter().map(rotation)).collect())
    }

    #[cfg(feature = "ckks-secret")]
    fn first(&self) -> Result<Dense> {
        self.layers()?.first().copied().ok_or_else(|| bad("it has no layers"))
    }

    fn last(&self) -> Result<Dense> {
        self.layers()?.last().copied().ok_or_else(|| bad("it has no layers"))
    }

    /// The number of slots of an answer: the number of labels, rounded up to a power of two.
    ///
    /// # Errors
    /// None: checked at creation.
    pub fn answer_slots(&self) -> Result<usize> {
        Ok(self.last()?.out_slots())
    }

    /// Checks that an honest server can have computed an answer of this level, scale and number of slots. All three follow from
    /// the public part.
    ///
    /// A server that can choose the scale chooses how many digits of a decrypted number are printed, and can put the secret key
    /// there.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] if not.
    pub fn check_answer(&self, ring: &Ring, level: usize, slots: usize, scale: f64) -> Result<()> {
        let (wanted, usual) = (self.answer_slots()?, ring.scale(0));
        // What is no number is not close to one.
        if (level, slots) == (0, wanted) && (scale / usual - 1.0).abs() < SAME_SCALE {
            return Ok(());
        }
        let message = format!(
            "this is not an answer of this network, which has {wanted} slots at level 0 and the scale 2^{:.3}",
            usual.log2()
        );
        Err(Error::new(Code::VectorsDiffer, message))
    }

    pub(crate) fn check_ring(&self, ring: &Ring) -> Result<()> {
        if ring.parameters().id == self.parameters.id {
            return Ok(());
        }
        let (theirs, ours) = (self.parameters.name, ring.parameters().name);
        let message = format!("the network is for the parameter set {theirs}, but {ours} is in use");
        Err(Error::new(Code::WrongParameters, message))
    }
}

impl Network {
    /// From its parts.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if they are inconsistent, or a weight is not finite or too large.
    pub fn new(front: Front, layers: Vec<Layer>) -> Result<Self> {
        let sizes = front.sizes();
        let fits = |(layer, (inputs, outputs)): (&Layer, &(usize, usize))| {
            let all = || layer.weights.iter().chain(&layer.bias);
            layer.weights.len() == inputs * outputs
                && layer.bias.len() == *outputs
                && all().all(|number| number.is_finite() && number.abs() <= LARGEST)
        };
        if layers.len() != sizes.len() || !layers.iter().zip(&sizes).all(fits) {
            return Err(bad("its weights do not match its layers"));
        }
        Ok(Self { front, layers })
    }

    /// The public part.
    #[must_use]
    pub const fn front(&self) -> &Front {
        &self.front
    }

    /// The weights.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Its answer in the clear for a picture's features; missing features count as 0.
    #[must_use]
    pub fn decide(&self, features: &[f32]) -> Answer {
        let mut vector: Vec<f64> = features.iter().map(|&number| number.into()).collect();
        for (number, layer) in self.layers.iter().enumerate() {
            if number > 0 {
                for number in &mut vector {
                    *number *= *number;
                }
            }
            vector = layer.apply(&vector);
        }
        Answer::new(vector)
    }
}

impl Layer {
    /// The number of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    fn apply(&self, inputs: &[f64]) -> Vec<f64> {
        let rows = self.weights.chunks_exact(self.inputs().max(1)).zip(&self.bias);
        let output = |(row, bias): (&[f32], &f32)| {
            f64::from(*bias) + row.iter().zip(inputs).map(|(&weight, input)| f64::from(weight) * input).sum::<f64>()
        };
        rows.map(output).collect()
    }
}

impl Answer {
    /// The same with scores and probabilities rounded to two decimal places. Decrypted numbers of an honest answer differ
    /// slightly from exact ones, and the difference reveals information about the secret key. Rounding removes it, except for
    /// numbers close to a rounding boundary. Rounding does not help against a server that forges answers: publish nothing.
    #[cfg(feature = "ckks-secret")]
    #[must_use]
    pub fn for_display(mut self) -> Self {
        for number in self.scores.iter_mut().chain(&mut self.probabilities) {
            *number = libm::round(*number * SHOWN) / SHOWN;
        }
        self
    }

    /// From the scores.
    pub(crate) fn new(scores: Vec<f64>) -> Self {
        let class = (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
        let highest = scores.get(class).copied().unwrap_or_default();
        let shares: Vec<f64> = scores.iter().map(|score| libm::exp(score - highest)).collect();
        let all: f64 = shares.iter().sum();
        Self { class, probabilities: shares.iter().map(|share| share / all).collect(), scores }
    }
}

/// The closest number whose last 16 bits are zero, as in filters and weights: 8 bits of precision, in 2 bytes.
#[must_use]
pub fn rounded(number: f32) -> f32 {
    let bits = number.to_bits();
    // Half of the last place, and one less where that would be even.
    f32::from_bits(bits.saturating_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid network: {why}"))
}
