//! Asks a network what an encrypted photo shows: the side that computes sees neither the photo nor the answer.
//!
//! ```sh
//! cargo run --release --example ask_network -- models/cifar10.model photo.jpg
//! ```

use std::env::args_os;
use std::fs;
use std::sync::Arc;

use safelight::error::Result;
use safelight::math::random;
use safelight::network::{Circuit, wire};
use safelight::photo::{Limits, Photo};
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::secret::SecretKey;
use safelight::watch::NoWatch;

fn main() -> Result<()> {
    let mut files = args_os().skip(1);
    let model = files.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/models/cifar10.model").into());
    let photo = match files.next() {
        Some(file) => Photo::decode(&fs::read(file)?, &Limits::default())?.into_srgb(),
        None => Photo::from_samples(32, 32, 3, (0..32 * 32 * 3).map(|i| u8::try_from(i % 256).unwrap_or(0)).collect())?,
    };
    let network = wire::read(&fs::read(model)?)?;

    // The client needs the network's public part, its spec.
    let spec = network.spec();
    let ring = Ring::new(spec.parameters())?;
    let encoder = Arc::new(Encoder::new(&ring));
    let rng = &mut random::system();
    let (key, _) = SecretKey::generate(&ring, rng)?;
    let keys = spec.evaluation_keys(&ring, &key, rng)?;
    let question = spec.encrypt(&ring, &encoder, &key, &spec.input().of(&photo)?, rng)?;

    // The server has the network, the evaluation keys and the question.
    let circuit = Circuit::new(Arc::clone(&ring), Arc::clone(&encoder), &network)?;
    let scores = circuit.run(keys, &question.ciphertext, &NoWatch)?;

    // The client. What it decrypts is for the owner of the photo alone.
    let answer = spec.open(&ring, &encoder, &key, &scores)?.for_display();
    println!("{}", spec.labels()[answer.class]);
    Ok(())
}
