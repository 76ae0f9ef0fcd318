//! Classifiers for pictures that only their owner sees: the server has the weights, the client has the picture, and neither
//! learns the other's.
//!
//! | module | purpose |
//! |---|---|
//! | `input`, [`features`] | a picture's pixels or features, computed in the clear by its owner |
//! | [`layers`] | the kinds of layers, each with its plain twin and its keys |
//! | [`circuit`] | the server's computation on the encrypted features |
//! | `client` | keys, encryption and decryption of the answer (feature `ckks-secret`) |
//!
//! A network has two parts. Its [`NetworkSpec`] is public: the features of a picture, the labels, the parameter set,
//! and the required keys. The weights of its layers, which are dense with squares between them, stay with the server.
//! The server learns nothing about the picture, not even the label. The client learns the scores of its pictures. A
//! client that can request many of them can train a similar network on the answers; nothing prevents that.
//!
//! A server that does not follow the protocol can send any ciphertext as an answer. Anything that the owner then
//! publishes of the decrypted numbers, even only the label, reveals information about the secret key to that server. So
//! the client refuses answers that no honest server would send ([`NetworkSpec::check_answer`], `NetworkSpec::open`),
//! and programs show labels, and scores only on request.
//!
//! For the precision of the scores, see [`PRECISION`].

pub mod circuit;
#[cfg(feature = "ckks-secret")]
mod client;
#[cfg(not(target_arch = "wasm32"))]
pub mod facts;
pub mod features;
mod input;
#[cfg(not(target_arch = "wasm32"))]
mod keys;
pub mod layers;
#[cfg(all(test, feature = "client"))]
mod tests;
pub mod wire;

pub use circuit::Circuit;
pub use features::Patches;
pub use input::{Input, Pixels};
pub use layers::{Layer, Weights};

use self::layers::Placed;
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::parameters::Parameters;
use crate::schemes::ckks::ring::Ring;

/// The largest difference of encrypted scores from those in the clear, for hidden units and scores of at most 64 in absolute
/// value. It is promised for the parameter set with the smallest scale, and tested.
pub const PRECISION: f64 = 1.0 / 64.0;
/// The largest absolute score of an answer. Trainers keep to it for the training pictures, and clients refuse larger ones:
/// nothing is promised beyond it, and a dishonest server has less freedom.
pub const LARGEST_SCORE: f64 = 64.0;
/// The largest relative difference between the scale of an answer and the expected scale, which are rounded in
/// different orders.
const SAME_SCALE: f64 = 1e-12;
/// Scores are rounded to multiples of 1 divided by this number when they are shown.
#[cfg(feature = "ckks-secret")]
const SHOWN: f64 = 100.0;
/// The maximum number of labels.
pub const MOST_LABELS: usize = 1000;
/// The longest label in bytes.
pub const LONGEST_LABEL: usize = 200;
/// The maximum number of hidden units.
pub const MOST_HIDDEN: usize = 4096;
/// The largest weight. Learned weights stay far below it.
const LARGEST: f32 = 1e6;

/// The public part of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSpec {
    parameters: &'static Parameters,
    input: Input,
    labels: Vec<String>,
    layers: Vec<Layer>,
    placed: Vec<Placed>,
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
    spec: NetworkSpec,
    weights: Vec<Weights>,
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

impl NetworkSpec {
    /// Makes the public part of a network. See [`layers`] for which layers can follow each other.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if they are inconsistent, or the set does not have enough levels or slots.
    pub fn new(
        parameters: &'static Parameters,
        input: impl Into<Input>,
        labels: Vec<String>,
        layers: Vec<Layer>,
    ) -> Result<Self> {
        let input = input.into();
        input.check()?;
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
        check_layers(&layers, labels.len())?;
        let placed = layers::place(&layers, &input, parameters).map_err(|error| bad(error.message()))?;
        if layers::levels(&placed) > parameters.levels {
            return Err(bad("its parameter set has too few levels"));
        }
        Ok(Self { parameters, input, labels, layers, placed })
    }

    /// The parameter set.
    #[must_use]
    pub const fn parameters(&self) -> &'static Parameters {
        self.parameters
    }

    /// What it takes of a picture.
    #[must_use]
    pub const fn input(&self) -> &Input {
        &self.input
    }

    /// The label of each class.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layers at their places.
    #[must_use]
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// The number of hidden units, of all layers together; 0 in a network of one layer.
    #[must_use]
    pub fn hidden(&self) -> usize {
        let outputs = self.layers.iter().map(|layer| if let Layer::Dense { outputs } = layer { *outputs } else { 0 });
        outputs.sum::<usize>().saturating_sub(self.labels.len())
    }

    /// The level at which pictures are encrypted.
    #[must_use]
    pub fn level(&self) -> usize {
        layers::levels(&self.placed)
    }

    /// How many weights and how many biases each layer has.
    #[must_use]
    pub fn numbers(&self) -> Vec<(usize, usize)> {
        layers::numbers(&self.placed)
    }

    /// The approximate memory in bytes that the encoded weights take.
    #[must_use]
    pub fn memory(&self) -> usize {
        layers::memory(&self.placed, self.parameters.degree())
    }

    /// The keys that the server needs, each for the highest level at which it is used.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let mut products = None;
        let mut rotations = std::collections::BTreeMap::new();
        for need in self.placed.iter().flat_map(Placed::needs) {
            match need {
                Need::Products { level } => products = products.max(Some(level)),
                Need::Rotation { steps, level } => {
                    let highest = rotations.entry(steps).or_insert(level);
                    *highest = level.max(*highest);
                }
            }
        }
        let products = products.map(|level| Need::Products { level });
        let rotations = rotations.into_iter().map(|(steps, level)| Need::Rotation { steps, level });
        products.into_iter().chain(rotations).collect()
    }

    /// The first layer, which decides how a picture is packed.
    #[cfg(feature = "ckks-secret")]
    fn first(&self) -> Result<&Placed> {
        self.placed.first().ok_or_else(no_layers)
    }

    /// The number of slots of an answer: the number of labels, rounded up to a power of two.
    ///
    /// # Errors
    /// None, because creation checks that there are layers.
    pub fn answer_slots(&self) -> Result<usize> {
        self.placed.last().map(Placed::out_slots).ok_or_else(no_layers)
    }

    /// Checks that an honest server can have computed an answer of this level, scale and number of slots. All three follow from
    /// the public part.
    ///
    /// A server that could choose the scale would choose how many digits of a decrypted number are printed, and could
    /// put the secret key there.
    ///
    /// # Errors
    /// [`Code::VectorsDiffer`] if not.
    pub fn check_answer(&self, ring: &Ring, level: usize, slots: usize, scale: f64) -> Result<()> {
        let last = self.placed.last().ok_or_else(no_layers)?;
        let (wanted, usual) = (last.out_slots(), last.out_scale(ring));
        // NaN fails this comparison.
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
    /// Makes a network.
    ///
    /// # Errors
    /// [`Code::BadHeader`] if they are inconsistent, or a weight is not finite or too large.
    pub fn new(spec: NetworkSpec, weights: Vec<Weights>) -> Result<Self> {
        let numbers = spec.numbers();
        let fits = |(layer, numbers): (&Weights, &(usize, usize))| {
            (layer.weights.len(), layer.bias.len()) == *numbers
                && layer.weights.iter().chain(&layer.bias).all(|number| number.is_finite() && number.abs() <= LARGEST)
        };
        if weights.len() != numbers.len() || !weights.iter().zip(&numbers).all(fits) {
            return Err(bad("its weights do not match its layers"));
        }
        Ok(Self { spec, weights })
    }

    /// The public part.
    #[must_use]
    pub const fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// The weights of each layer.
    #[must_use]
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// The network's answer for a picture's features, computed in the clear; missing features count as 0.
    #[must_use]
    pub fn decide(&self, features: &[f32]) -> Answer {
        let numbers: Vec<f64> = features.iter().map(|&number| number.into()).collect();
        Answer::new(layers::apply(&self.spec.placed, &self.weights, &numbers))
    }
}

impl Answer {
    /// The answer with scores and probabilities rounded to two decimal places. Decrypted numbers of an honest answer
    /// differ slightly from exact ones, and the difference reveals information about the secret key. Rounding removes
    /// it, except for numbers close to a rounding boundary. Rounding does not help against a server that forges
    /// answers: publish nothing.
    #[cfg(feature = "ckks-secret")]
    #[must_use]
    pub fn for_display(mut self) -> Self {
        for number in self.scores.iter_mut().chain(&mut self.probabilities) {
            *number = libm::round(*number * SHOWN) / SHOWN;
        }
        self
    }

    /// Makes an answer from the scores.
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
    // Round to nearest, ties to even.
    f32::from_bits(bits.saturating_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

/// Checks the ends of the list of layers, and the sizes of dense ones. Whether they can follow each other shows when they are
/// placed.
fn check_layers(layers: &[Layer], labels: usize) -> Result<()> {
    let Some((Layer::Dense { outputs } | Layer::Average { outputs }, hidden)) = layers.split_last() else {
        return Err(bad("its last layer is not dense, and does not average"));
    };
    if *outputs != labels {
        return Err(bad("its last layer does not have an output for each label"));
    }
    let fits = |layer: &Layer| match layer {
        Layer::Dense { outputs } => (1..=MOST_HIDDEN).contains(outputs),
        _ => true,
    };
    if hidden.iter().all(fits) { Ok(()) } else { Err(bad("it has too many hidden units, or a layer without any")) }
}

fn no_layers() -> Error {
    bad("it has no layers")
}

fn bad(why: &str) -> Error {
    Error::new(Code::BadHeader, format!("this is not a valid network: {why}"))
}
