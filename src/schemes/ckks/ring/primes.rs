//! The primes of a parameter set: always the same, because they are searched in a fixed order.

use super::super::parameters::Parameters;
use crate::math::residue::Prime;

/// Finds the special primes, the base prime and those of the levels, lowest first; and the scale of each level.
///
/// From the top down, each level's prime is the one that brings the next scale closest to `2^bits`, with the set's number of
/// bits. Thus scales stay within a prime gap of it. If primes were chosen by size, scales would drift further with each level
/// (A. Kim, A. Papadimitriou, Y. Polyakov, "Approximate homomorphic encryption with reduced approximation error", CT-RSA 2022,
/// section 3, has the same scales for all ciphertexts of a level).
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "50 bits")]
pub(super) fn search(parameters: &Parameters) -> Option<(Vec<Prime>, Vec<f64>)> {
    let order = 2 << parameters.log_degree;
    let mut used = Vec::new();
    for _ in 0..parameters.special {
        used.push(below(1 << parameters.special_bits, order, &used)?);
    }
    let base = below(1 << parameters.base_bits, order, &used)?;
    used.push(base);
    let top = parameters.levels + parameters.raised;
    let wanted = |level: usize| {
        let bits = if level > parameters.levels { parameters.raised_bits } else { parameters.scale_bits };
        (1u64 << bits) as f64
    };
    let mut scales: Vec<f64> = (0..=top).map(wanted).collect();
    let mut levels = Vec::new();
    if parameters.weight_bits > 0 {
        // The scale of weights is chosen for each prime, so that all ciphertexts have the same scale.
        for _ in 0..top {
            let prime = below(1 << (parameters.scale_bits + parameters.weight_bits), order, &used)?;
            used.push(prime);
            levels.push(prime);
        }
        let primes = used[..=parameters.special].iter().chain(levels.iter().rev()).copied();
        return Some((primes.collect(), scales));
    }
    for level in (1..=top).rev() {
        let square = scales[level] * scales[level];
        let prime = closest((square / wanted(level)) as u64, order, &used)?;
        used.push(prime);
        levels.push(prime);
        // Where the number of bits changes, bootstrapping brings the scale to the required one.
        if level != parameters.levels + 1 {
            scales[level - 1] = square / prime.value() as f64;
        }
    }
    let mut primes: Vec<Prime> = used[..=parameters.special].to_vec();
    primes.extend(levels.iter().rev());
    Some((primes, scales))
}

/// The largest unused prime below a bound.
fn below(bound: u64, order: u64, used: &[Prime]) -> Option<Prime> {
    let mut prime = Prime::below(bound, order)?;
    while used.contains(&prime) {
        prime = Prime::below(prime.value(), order)?;
    }
    Some(prime)
}

/// The unused prime closest to a number.
fn closest(number: u64, order: u64, used: &[Prime]) -> Option<Prime> {
    let middle = number / order * order + 1;
    let candidates = (0..number / order).flat_map(|i| [middle + i * order, middle.saturating_sub((i + 1) * order)]);
    candidates.filter_map(Prime::new).find(|prime| !used.contains(prime))
}
