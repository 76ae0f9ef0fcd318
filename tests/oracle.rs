//! The same circuits on encrypted vectors by `OpenFHE` and by us: the decrypted values agree to within the noise.
//!
//! The results of `OpenFHE` are in `tests/oracle/openfhe.json`, which `benches/peers/openfhe/circuits.py` writes. They are
//! stored because its package does not exist for every Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use num_complex::Complex64;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::error::Result;
use safelight::schemes::ckks::ciphertext::Ciphertext;
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::evaluator::Evaluator;
use safelight::schemes::ckks::keys::EvaluationKeys;
use safelight::schemes::ckks::noise::Noise;
use safelight::schemes::ckks::parameters::LEVELED_14;
use safelight::schemes::ckks::polynomial::{Kind, Polynomial};
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::secret::SecretKey;
use serde::Deserialize;

/// The inputs and outputs of `OpenFHE`.
#[derive(Deserialize)]
struct Oracle {
    program: String,
    x: Vec<f64>,
    y: Vec<f64>,
    powers: Vec<f64>,
    chebyshev: Vec<f64>,
    found: BTreeMap<String, Vec<f64>>,
}

#[test]
fn decryptions_agree_with_openfhe() -> Result<()> {
    let text = include_str!("oracle/openfhe.json");
    let oracle: Oracle = serde_json::from_str(text).expect("what the script printed");
    let slots = oracle.x.len();
    let ring = Ring::new(&LEVELED_14)?;
    let encoder = Arc::new(Encoder::new(&ring));
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    let (secret, _) = SecretKey::generate(&ring, &mut rng)?;
    let top = ring.top();
    let mut keys = EvaluationKeys::new(secret.id());
    keys.insert_relinearise(secret.relinearisation_key(&ring, top, &mut rng)?);
    for steps in [5, -3, 1, 2, 4, 8, 16, 32] {
        let (element, key) = secret.rotation_key(&ring, steps, top, &mut rng)?;
        keys.insert_galois(element, key);
    }
    let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), keys);
    let plain = |values: &[f64], scale: f64| encoder.encode_real(&ring, values, slots, top, scale);
    let mut encrypt = |values: &[f64]| secret.encrypt(&ring, &plain(values, ring.scale(top))?, &mut rng);
    let (x, y) = (encrypt(&oracle.x)?, encrypt(&oracle.y)?);

    let ev = &evaluator;
    let product = ev.rescale(&ev.mul(&x, &y)?)?;
    let low_y = ev.adjust(&y, product.level(), product.scale())?;
    #[expect(clippy::cast_precision_loss, reason = "there are 64")]
    let ramp: Vec<f64> = (1..=slots).map(|i| i as f64 / slots as f64).collect();
    let polynomial = |kind, coefficients: &[f64]| Polynomial::new(kind, coefficients.to_vec());
    let circuits: [(&str, Ciphertext); 12] = [
        ("x + y", ev.add(&x, &y)?),
        ("x - y", ev.sub(&x, &y)?),
        ("x * y * y", ev.rescale(&ev.mul(&product, &low_y)?)?),
        ("x * (1, 2, 3, ...) / 64", ev.rescale(&ev.mul_plain(&x, &plain(&ramp, ring.divisor(top))?)?)?),
        ("x * 0.7", ev.rescale(&ev.mul_constant(&x, Complex64::new(0.7, 0.0), ring.divisor(top))?)?),
        ("x, 5 to the left", ev.rotate(&x, 5)?),
        ("x, 3 to the right", ev.rotate(&x, -3)?),
        ("sum of x", ev.inner_sum(&x, slots)?),
        ("x . y", ev.inner_sum(&product, slots)?),
        ("powers", ev.polynomial(&polynomial(Kind::Monomial, &oracle.powers)?, &x)?),
        ("Chebyshev", ev.polynomial(&polynomial(Kind::Chebyshev, &oracle.chebyshev)?, &x)?),
        ("x * y", product),
    ];

    let (noise, scale) = (Noise::new(&ring), ring.scale(top));
    // One bound for each program. It is many deviations wide, so the few operations of a circuit stay within it.
    let bound = 2.0 * (noise.encrypt_as_anybody(scale) + noise.switch(top, scale) + noise.rescale(scale));
    println!("ours beside {}: the bound is 2^{:.1}", oracle.program, bound.log2());
    assert_eq!(circuits.len(), oracle.found.len(), "every circuit of the script");
    for (name, result) in &circuits {
        let ours = secret.decrypt(&ring, result)?.decode(&ring, &encoder);
        let theirs = &oracle.found[*name];
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let difference = ours.iter().zip(theirs).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        println!("{name:<24} 2^{:.1}", difference.log2());
        assert!(difference < bound, "{name}: {difference}");
    }
    Ok(())
}
