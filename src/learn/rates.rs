//! Error rates of a verifier that accepts scores above a threshold.

#![expect(clippy::cast_precision_loss, reason = "counts and sums of samples are far below 2^52")]

/// The equal error rate: the shares of accepted impostors and of rejected genuine ones at the threshold where both are equal,
/// interpolated between the two thresholds around it. Between 0 and 1; 0.5 if there are no scores of one kind.
#[must_use]
pub fn equal_error_rate(genuine: &[f64], impostors: &[f64]) -> f64 {
    if genuine.is_empty() || impostors.is_empty() {
        return 0.5;
    }
    let mut all: Vec<(f64, bool)> = genuine.iter().map(|&score| (score, true)).collect();
    all.extend(impostors.iter().map(|&score| (score, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Move the threshold up from below all scores. At first no score is rejected, then one after the other.
    let (mut refused, mut accepted) = (0usize, impostors.len());
    let rates = |refused: usize, accepted: usize| {
        (refused as f64 / genuine.len() as f64, accepted as f64 / impostors.len() as f64)
    };
    let mut before = rates(refused, accepted);
    let mut rest = all.as_slice();
    while let Some(&(score, _)) = rest.first() {
        let same = rest.iter().take_while(|(other, _)| other.total_cmp(&score).is_eq()).count();
        let (these, after) = rest.split_at(same);
        let own = these.iter().filter(|(_, genuine)| *genuine).count();
        refused += own;
        accepted -= same - own;
        rest = after;
        let now = rates(refused, accepted);
        if now.0 >= now.1 {
            // The intersection of the line between the two points with the diagonal.
            let (gap_before, gap_now) = (before.1 - before.0, now.0 - now.1);
            let part = gap_before / (gap_before + gap_now);
            return before.0 + part * (now.0 - before.0);
        }
        before = now;
    }
    1.0
}

/// Mean and sample deviation.
#[must_use]
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 })
}
