//! Probabilities from decision values: Platt, "Probabilistic Outputs for Support Vector Machines" (1999), fitted by
//! Newton's method as in Lin, Lin, Weng, "A Note on Platt's Probabilistic Outputs" (2007).

#![expect(clippy::cast_precision_loss, reason = "rows are counted in thousands")]

/// `p = 1 / (1 + exp(slope * decision + offset))`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid {
    /// Negative if high decision values favour the class.
    pub slope: f64,
    /// The decision value with probability one half, times the negated slope.
    pub offset: f64,
}

/// The maximum number of Newton steps; usually a handful suffice.
const STEPS: usize = 100;
/// The number added to the second derivatives so that they can always be inverted.
const RIDGE: f64 = 1e-12;
/// The gradient at which fitting ends.
const FLAT: f64 = 1e-5;
/// The shortest part of a Newton step to try.
const SHORTEST: f64 = 1e-10;

impl Sigmoid {
    /// Fits the curve to decision values of rows that the machine was not trained on, by maximum likelihood. Targets differ
    /// from 0 and 1 by Laplace's rule of succession for this number of rows.
    #[must_use]
    pub fn fit(decisions: &[f64], positive: &[bool]) -> Self {
        let positives = positive.iter().filter(|&&yes| yes).count() as f64;
        let negatives = positive.len() as f64 - positives;
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
        let rows = || decisions.iter().zip(positive).map(|(&f, &yes)| (f, if yes { high } else { low }));
        let cost = |curve: Self| rows().map(|(f, target)| curve.surprise(f, target)).sum::<f64>();

        let mut curve = Self { slope: 0.0, offset: libm::log((negatives + 1.0) / (positives + 1.0)) };
        let mut best = cost(curve);
        for _ in 0..STEPS {
            let (mut gradient, mut curvature) = ([0.0; 2], [RIDGE, RIDGE, 0.0]);
            for (f, target) in rows() {
                let p = curve.probability(f);
                let (first, second) = (target - p, p * (1.0 - p));
                gradient = [gradient[0] + f * first, gradient[1] + first];
                curvature = [curvature[0] + f * f * second, curvature[1] + second, curvature[2] + f * second];
            }
            if gradient.iter().all(|part| part.abs() < FLAT) {
                break;
            }
            let [aa, bb, ab] = curvature;
            let determinant = aa * bb - ab * ab;
            let step_a = (ab * gradient[1] - bb * gradient[0]) / determinant;
            let step_b = (ab * gradient[0] - aa * gradient[1]) / determinant;
            let downhill = gradient[0] * step_a + gradient[1] * step_b;
            let mut part = 1.0;
            let next = loop {
                let tried = Self { slope: curve.slope + part * step_a, offset: curve.offset + part * step_b };
                let cost = cost(tried);
                if cost < best + 1e-4 * part * downhill {
                    break Some((tried, cost));
                }
                part /= 2.0;
                if part < SHORTEST {
                    break None;
                }
            };
            match next {
                Some(better) => (curve, best) = better,
                None => break,
            }
        }
        curve
    }

    /// The probability that a row with this decision value is in the class, between 0 and 1.
    #[must_use]
    pub fn probability(&self, decision: f64) -> f64 {
        let x = self.slope * decision + self.offset;
        // The exponential of a positive number could be infinite.
        if x >= 0.0 { libm::exp(-x) / (1.0 + libm::exp(-x)) } else { 1.0 / (1.0 + libm::exp(x)) }
    }

    /// The negative log-likelihood of one row.
    fn surprise(&self, decision: f64, target: f64) -> f64 {
        let x = self.slope * decision + self.offset;
        if x >= 0.0 { target * x + libm::log1p(libm::exp(-x)) } else { (target - 1.0) * x + libm::log1p(libm::exp(x)) }
    }
}

/// Computes the probabilities of classes from those of all duels: `duel[i][j]` is the probability of `i` if the class is `i` or
/// `j`. Wu, Lin, Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling" (2004), section 4.2.
#[must_use]
pub fn couple(duel: &[Vec<f64>]) -> Vec<f64> {
    let count = duel.len();
    let mut p = vec![1.0 / count as f64; count];
    let q = |i: usize, j: usize| -> f64 {
        if i == j {
            (0..count).filter(|&k| k != i).map(|k| duel[k][i] * duel[k][i]).sum()
        } else {
            -duel[j][i] * duel[i][j]
        }
    };
    let table: Vec<Vec<f64>> = (0..count).map(|i| (0..count).map(|j| q(i, j)).collect()).collect();
    let times = |i: usize, p: &[f64]| -> f64 { table[i].iter().zip(p).map(|(a, b)| a * b).sum() };
    for _ in 0..count.max(100) {
        let products: Vec<f64> = (0..count).map(|i| times(i, &p)).collect();
        let total: f64 = products.iter().zip(&p).map(|(a, b)| a * b).sum();
        if products.iter().all(|product| (product - total).abs() < 0.005 / count as f64) {
            break;
        }
        for i in 0..count {
            let total: f64 = (0..count).map(|j| p[j] * times(j, &p)).sum();
            p[i] += (total - times(i, &p)) / table[i][i];
            let sum: f64 = p.iter().sum();
            for part in &mut p {
                *part /= sum;
            }
        }
    }
    p
}
