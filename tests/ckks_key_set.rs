//! Evaluation keys in a memory-mapped file.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::error::Code;
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::evaluator::Evaluator;
use safelight::schemes::ckks::key_file::{KeySet, LoadedKeys};
use safelight::schemes::ckks::keys::EvaluationKeys;
use safelight::schemes::ckks::parameters::{LEVELED_14, SMALL};
use safelight::schemes::ckks::ring::Ring;
use safelight::schemes::ckks::secret::SecretKey;
use safelight::schemes::ckks::wire::{Entry, Purpose, write_set};

const fn entry(purpose: Purpose) -> Entry {
    Entry { purpose, level: 1, special: 1 }
}

#[test]
fn keys_are_loaded_when_they_are_needed_and_those_used_last_stay() {
    let ring = Ring::new(&SMALL).unwrap();
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let (secret, _) = SecretKey::generate(&ring, &mut rng).unwrap();
    let mut keys = EvaluationKeys::new(secret.id());
    keys.insert_relinearise(secret.relinearisation_key(&ring, 1, &mut rng).unwrap());
    for element in [5, 25] {
        keys.insert_galois(element, secret.galois_key(&ring, element, 1, &mut rng).unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let bytes = write_set(&ring, &keys).unwrap();
    std::fs::write(&path, &bytes).unwrap();

    let set = Arc::new(KeySet::open(&path).unwrap());
    assert_eq!((set.bytes(), set.head().key()), (bytes.len() as u64, secret.id()));
    // Two digits of three primes, both halves: room for two of the three keys.
    let room = 2 * 2 * 3 * 8192 * 8 * 2;
    let loaded = LoadedKeys::new(Arc::clone(&set), Arc::clone(&ring), room).unwrap();
    let get = |element| loaded.get(entry(Purpose::Galois(element))).unwrap();
    let first = get(5).unwrap();
    assert_eq!(first.b(), keys.galois().next().unwrap().1.b());
    let relinearise = loaded.get(entry(Purpose::Relinearise)).unwrap().unwrap();
    assert_eq!(relinearise.b(), keys.relinearise()[0].b());
    assert!(Arc::ptr_eq(&first, &get(5).unwrap()), "it stays");
    let second = get(25).unwrap();
    assert!(Arc::ptr_eq(&first, &get(5).unwrap()) && Arc::ptr_eq(&second, &get(25).unwrap()));
    assert!(!Arc::ptr_eq(&relinearise, &loaded.get(entry(Purpose::Relinearise)).unwrap().unwrap()), "it had to go");
    assert!(get(7).is_none());

    // The keys for a part of the work are loaded together, and can be used for computing.
    let encoder = Arc::new(Encoder::new(&ring));
    let x = encoder.encode_real(&ring, &[1.0, 2.0, 3.0, 4.0], 4, 1, ring.scale(1)).unwrap();
    let x = secret.encrypt(&ring, &x, &mut rng).unwrap();
    let part = loaded.take(&[entry(Purpose::Relinearise), entry(Purpose::Galois(5))]).unwrap();
    let evaluator = Evaluator::new(Arc::clone(&ring), Arc::clone(&encoder), part);
    let y = evaluator.rescale(&evaluator.mul(&x, &evaluator.rotate(&x, 1).unwrap()).unwrap()).unwrap();
    let y = secret.decrypt(&ring, &y).unwrap().decode(&ring, &encoder);
    assert!(y.iter().zip([2.0, 6.0, 12.0, 4.0]).all(|(y, expected)| (y.re - expected).abs() < 1e-2), "{y:?}");
    assert_eq!(loaded.take(&[entry(Purpose::Galois(7))]).err().map(|error| error.kind()), Some(Code::MissingKey));

    let other = LoadedKeys::new(Arc::clone(&set), Ring::new(&LEVELED_14).unwrap(), room);
    assert_eq!(other.err().map(|error| error.kind()), Some(Code::WrongParameters));

    // On disk, a damaged key is detected when it is needed, and a file of another length immediately.
    let write = |bytes: &[u8]| {
        let path = folder.path().join("other");
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, bytes).unwrap();
        KeySet::open(&path)
    };
    let mut damaged = bytes.clone();
    let end = damaged.len() - 100;
    damaged[end] ^= 1;
    let damaged = write(&damaged).unwrap();
    assert!(damaged.load(&ring, entry(Purpose::Galois(5))).unwrap().is_some());
    assert_eq!(damaged.load(&ring, entry(Purpose::Galois(25))).err().map(|e| e.kind()), Some(Code::Damaged));
    let code = |bytes: &[u8]| write(bytes).err().map(|error| error.kind());
    assert_eq!(code(b""), Some(Code::Truncated));
    assert_eq!(code(&bytes[..40]), Some(Code::Truncated));
    assert_eq!(code(&bytes[..bytes.len() - 1]), Some(Code::Truncated));
    assert_eq!(code(&[&bytes[..], b"x"].concat()), Some(Code::TrailingData));
    assert_eq!(code(&[7; 100]), Some(Code::NotSafelight));
}
