//! The parameter sets: a closed list, so that no one can be tricked into a weak one.
//!
//! | set | degree | log Q P | limit for 128 bits | secret |
//! |---|---|---|---|---|
//! | [`SMALL`] | 2^13 | 200 | 214 | ternary |
//! | [`LEVELED_14`] | 2^14 | 430 | 430 | ternary |
//! | [`LEVELED_15`] | 2^15 | 840 | 868 | ternary |
//! | [`LEVELED_16`] | 2^16 | 1740 | 1747 | ternary |
//! | [`NETWORK_15`] | 2^15 | 750 | 868 | ternary |
//! | [`BOOTSTRAP_15`] | 2^15 | 861 | 868 | ternary; for a moment weight 40, with log Q P = 100 |
//! | [`BOOTSTRAP_16`] | 2^16 | 1670 | 1714 | weight 1024; for a moment weight 40, with log Q P = 100 |
//!
//! The limits are those for ternary secrets and errors of deviation 3.19 against classical attacks (J.-P. Bossuat et al.,
//! "Security Guidelines for Implementing Homomorphic Encryption", 2024, table 5.2). Our deviation is 3.2. For sparse secrets,
//! the limit is the stricter one of ePrint 2026/279. [`super::security`] recomputes the cost of attacks.

use crate::error::{Code, Error, Result};

/// The standard deviation of errors.
pub const DEVIATION: f64 = 3.2;

/// The number of nonzero coefficients of the sparse secret of bootstrapping. With 32, attacks cost 130 bits, which leaves no
/// margin; with 40, they cost 153, and [`failure_bits`](super::bootstrap::failure_bits) stay below -60.
pub const SPARSE_WEIGHT: usize = 40;

/// The distribution of a secret key's coefficients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    /// -1, 0 and 1, with equal probability.
    Ternary,
    /// The given number of coefficients are -1 or 1, the others 0. Rounding then costs less precision.
    Sparse(usize),
}

/// A parameter set. The sets in [`ALL`] are the only ones.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The number on the wire.
    pub id: u16,
    /// The name for people.
    pub name: &'static str,
    /// The binary logarithm of the degree of polynomials.
    pub log_degree: u32,
    /// Bits of the base prime, which is never used for rescaling.
    pub base_bits: u32,
    /// Bits of the scale. The primes used for rescaling have as many, plus those of weights.
    pub scale_bits: u32,
    /// Bits of the scale of weights, if every rescaling follows a square and a product with weights; 0 if it follows one product.
    pub weight_bits: u32,
    /// The number of products that can follow one another.
    pub levels: usize,
    /// The number of additional levels for bootstrapping.
    pub raised: usize,
    /// Bits of the scale at these levels.
    pub raised_bits: u32,
    /// The number of special primes, which is also the number of primes of each digit of key switching.
    pub special: usize,
    /// Bits of the special primes.
    pub special_bits: u32,
    /// The distribution of secret keys.
    pub secret: Secret,
    /// The largest modulus, in bits, that provides 128 bits of security with this degree and secret.
    pub most_bits: u32,
}

/// For tests and small computations: one prime per digit.
pub const SMALL: Parameters = Parameters {
    id: 1,
    name: "small",
    log_degree: 13,
    base_bits: 45,
    scale_bits: 35,
    weight_bits: 0,
    levels: 3,
    raised: 0,
    raised_bits: 0,
    special: 1,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 214,
};

/// 7 levels of 40 bits.
pub const LEVELED_14: Parameters = Parameters {
    id: 2,
    name: "leveled-14",
    log_degree: 14,
    base_bits: 50,
    scale_bits: 40,
    weight_bits: 0,
    levels: 7,
    raised: 0,
    raised_bits: 0,
    special: 2,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 430,
};

/// 16 levels of 40 bits.
pub const LEVELED_15: Parameters = Parameters {
    id: 3,
    name: "leveled-15",
    log_degree: 15,
    base_bits: 50,
    scale_bits: 40,
    weight_bits: 0,
    levels: 16,
    raised: 0,
    raised_bits: 0,
    special: 3,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 868,
};

/// 31 levels of 40 bits.
pub const LEVELED_16: Parameters = Parameters {
    id: 4,
    name: "leveled-16",
    log_degree: 16,
    base_bits: 50,
    scale_bits: 40,
    weight_bits: 0,
    levels: 31,
    raised: 0,
    raised_bits: 0,
    special: 9,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 1747,
};

/// 9 levels of 50 bits, for networks of squares: each level takes a square and a product with weights.
pub const NETWORK_15: Parameters = Parameters {
    id: 7,
    name: "network-15",
    log_degree: 15,
    base_bits: 50,
    scale_bits: 26,
    weight_bits: 24,
    levels: 9,
    raised: 0,
    raised_bits: 0,
    special: 5,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 868,
};

/// 13 levels of 41 bits, and 13 for bootstrapping: as many primes as three digits of key switching have.
pub const BOOTSTRAP_16: Parameters = Parameters {
    id: 5,
    name: "bootstrap-16",
    log_degree: 16,
    base_bits: 50,
    scale_bits: 41,
    weight_bits: 0,
    levels: 13,
    raised: 13,
    raised_bits: 49,
    special: 9,
    special_bits: 50,
    secret: Secret::Sparse(1024),
    most_bits: 1714,
};

/// 4 levels of 43 bits, and 11 for bootstrapping: for little work between two bootstraps, and small keys.
pub const BOOTSTRAP_15: Parameters = Parameters {
    id: 6,
    name: "bootstrap-15",
    log_degree: 15,
    base_bits: 50,
    scale_bits: 43,
    weight_bits: 0,
    levels: 4,
    raised: 11,
    raised_bits: 49,
    special: 2,
    special_bits: 50,
    secret: Secret::Ternary,
    most_bits: 868,
};

/// All sets.
pub const ALL: [&Parameters; 7] =
    [&SMALL, &LEVELED_14, &LEVELED_15, &LEVELED_16, &NETWORK_15, &BOOTSTRAP_15, &BOOTSTRAP_16];

impl Parameters {
    /// The set with this number.
    ///
    /// # Errors
    /// [`Code::UnknownParameters`] for any other.
    pub fn with_id(id: u16) -> Result<&'static Self> {
        ALL.into_iter().find(|set| set.id == id).ok_or_else(|| unknown(&format!("number {id}")))
    }

    /// The set with this name.
    ///
    /// # Errors
    /// [`Code::UnknownParameters`] for any other.
    pub fn named(name: &str) -> Result<&'static Self> {
        ALL.into_iter().find(|set| set.name == name).ok_or_else(|| unknown(&format!("{name:?}")))
    }

    /// The degree of polynomials.
    #[must_use]
    pub const fn degree(&self) -> usize {
        1 << self.log_degree
    }

    /// The total bits of all primes, rounded up.
    #[must_use]
    pub const fn modulus_bits(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "there are few primes")]
        let [levels, raised, special] = [self.levels as u32, self.raised as u32, self.special as u32];
        self.base_bits
            + levels * (self.scale_bits + self.weight_bits)
            + raised * self.raised_bits
            + special * self.special_bits
    }

    /// The largest number of values in a ciphertext.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.degree() / 2
    }
}

fn unknown(which: &str) -> Error {
    let names: Vec<_> = ALL.iter().map(|set| set.name).collect();
    let message = format!("there is no parameter set {which}; use one of {}", names.join(", "));
    Error::new(Code::UnknownParameters, message)
}
