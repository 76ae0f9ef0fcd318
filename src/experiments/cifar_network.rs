//! A network for encrypted photos, trained on CIFAR-10: its accuracy in the clear, its agreement on encrypted photos, and the
//! cost.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rayon::prelude::*;

use super::cifar;
use crate::error::{Code, Error, Result};
use crate::learn::network::{NetworkTrainer, Settings};
use crate::network::{Circuit, Network};
use crate::photo::Photo;
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::secret::SecretKey;
use crate::schemes::ckks::wire::{write_ciphertext, write_seeded, write_set};
use crate::watch::{PartWatch, Watch};

/// The names of the classes.
pub const LABELS: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The results.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The number of test photos, and the number of those classified correctly in the clear.
    pub clear: (usize, usize),
    /// The number of encrypted test photos, and the number of those with the same label as in the clear.
    pub same: (usize, usize),
    /// The largest difference in a score.
    pub worst: f64,
    /// The numbers of bytes of the keys, of an encrypted photo, and of the answer.
    pub bytes: [usize; 3],
    /// The mean time of the server's work on one photo.
    pub server: Duration,
    /// The mean time of the client's work on one photo: features and encryption.
    pub client: Duration,
    /// The time to make the keys.
    pub keys: Duration,
}

/// Trains a network on the five training sheets.
///
/// # Errors
/// As [`cifar::read`], [`NetworkTrainer::finish`], and errors of the watcher.
pub fn learn(folder: &Path, settings: Settings, watch: &dyn Watch) -> Result<Network> {
    let mut trainer = NetworkTrainer::new(settings)?;
    for sheet in &cifar::SHEETS[..5] {
        for (photo, label) in cifar::read(folder, sheet)?.iter().zip(LABELS.iter().cycle()) {
            watch.check()?;
            trainer.add(label, photo)?;
        }
    }
    trainer.finish(watch)
}

/// Tests a network on the test sheet: all photos in the clear, and the first `encrypted` photos encrypted.
///
/// # Errors
/// As [`cifar::read`], [`Code::BadArgument`] for a network with other labels, and errors of the watcher.
pub fn test(folder: &Path, network: &Network, encrypted: usize, watch: &dyn Watch) -> Result<Report> {
    let spec = network.spec();
    if spec.labels() != LABELS {
        return Err(Error::new(Code::BadArgument, "the network's labels are not those of CIFAR-10"));
    }
    let photos = cifar::read(folder, cifar::SHEETS[5])?;
    let right = |(number, photo): (usize, &Photo)| {
        let answer = network.decide(&spec.input().of(photo)?);
        Ok(usize::from(answer.class == number % LABELS.len()))
    };
    let right: usize = photos.par_iter().enumerate().map(right).sum::<Result<usize>>()?;
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let ring = Ring::new(spec.parameters())?;
    let encoder = Arc::new(Encoder::new(&ring));
    let (secret, _) = SecretKey::generate(&ring, &mut rng)?;
    let start = Instant::now();
    let keys = spec.evaluation_keys(&ring, &secret, &mut rng)?;
    let mut report = Report {
        clear: (photos.len(), right),
        same: (0, 0),
        worst: 0.0,
        bytes: [write_set(&ring, &keys)?.len(), 0, 0],
        server: Duration::ZERO,
        client: Duration::ZERO,
        keys: start.elapsed(),
    };
    let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), network)?;
    for (done, photo) in photos.iter().take(encrypted).enumerate() {
        watch.progress(done as u64, encrypted as u64);
        let start = Instant::now();
        let features = spec.input().of(photo)?;
        let picture = spec.encrypt(&ring, &encoder, &secret, &features, &mut rng)?;
        report.client += start.elapsed();
        let start = Instant::now();
        let answer = circuit.run(keys.clone(), &picture.ciphertext, &PartWatch(watch))?;
        report.server += start.elapsed();
        report.bytes = [report.bytes[0], write_seeded(&ring, &picture)?.len(), write_ciphertext(&ring, &answer)?.len()];
        let (clear, opened) = (network.decide(&features), spec.open(&ring, &encoder, &secret, &answer)?);
        report.same.0 += 1;
        report.same.1 += usize::from(clear.class == opened.class);
        let errors = clear.scores.iter().zip(&opened.scores).map(|(clear, opened)| (clear - opened).abs());
        report.worst = errors.fold(report.worst, f64::max);
    }
    let count = u32::try_from(report.same.0.max(1)).unwrap_or(u32::MAX);
    (report.server, report.client) = (report.server / count, report.client / count);
    Ok(report)
}
