//! What one ciphertext costs its owner, and others: times for one ciphertext on one core, from whole rows of a photo.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use safelight::math::comb::Lookup;
use safelight::math::montgomery::Limb;
use safelight::math::random;
use safelight::photo::Photo;
use safelight::schemes::paillier::wire::key::{read_encryption_key, read_secret, write_public, write_secret};
use safelight::schemes::paillier::{
    Border, Check, EncryptOptions, EncryptionKey, Filter, ImageDecryptor, ImageEncryptor, SecretKey,
};

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nothing ran before");
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    for bits in [2048, 3072, 4096] {
        let key = SecretKey::generate(bits, &mut random::system()).expect("key");
        let file = write_secret(&key);
        prepare(&mut criterion, bits, &file);
        encrypt(&mut criterion, bits, "encrypt as owner", owner(&file));
        let public = read_encryption_key(&write_public(key.public())).expect("written above");
        encrypt(&mut criterion, bits, "encrypt as anybody", public);
        decrypt(&mut criterion, bits, &key, owner(&file), Masks::Known);
        decrypt(&mut criterion, bits, &key, owner(&file), Masks::Unknown);
    }
    criterion.final_summary();
}

/// From the key file to the first ciphertext: tests, inverses, the table of powers.
fn prepare(criterion: &mut Criterion, bits: u16, file: &[u8]) {
    let mut group = criterion.benchmark_group("prepare key");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::new("ours", bits), |bencher| bencher.iter(|| encryptor(owner(file), SIDE)));
    group.finish();
}

fn encrypt(criterion: &mut Criterion, bits: u16, what: &str, key: EncryptionKey) {
    let mut group = criterion.benchmark_group(what);
    // One row of a small photo is long enough where each ciphertext takes long.
    let side = if matches!(key, EncryptionKey::Owner(_)) { SIDE } else { 80 };
    let encryptor = encryptor(key, side);
    group.throughput(Throughput::Elements(encryptor.head().layout.columns().into()));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::new("ours", bits), |bencher| {
        bencher.iter(|| encryptor.encrypt_row(1).expect("randomness"));
    });
    group.finish();
}

/// Whether the owner can tell the masks again, as for own photos, or not, as for photos that others encrypted.
#[derive(Clone, Copy, PartialEq)]
enum Masks {
    Known,
    Unknown,
}

fn decrypt(criterion: &mut Criterion, bits: u16, key: &SecretKey, owner: EncryptionKey, masks: Masks) {
    let mut group = criterion.benchmark_group("decrypt");
    let encryptor = encryptor(owner, SIDE);
    let head = encryptor.head();
    let rows: Vec<(u32, Vec<Limb>)> =
        (1..9).map(|row| (row, encryptor.encrypt_row(row).expect("randomness"))).collect();
    let (mut decryptor, name) = match masks {
        Masks::Known => (ImageDecryptor::new(key, head, Check::Required, Lookup::Direct), "ours"),
        Masks::Unknown => {
            (ImageDecryptor::new(key, head, Check::None, Lookup::Direct), "by powers, as for others' photos")
        }
    };
    let decryptor = decryptor.as_mut().expect("same key");
    group.throughput(Throughput::Elements(head.layout.tile().0.into()));
    group.sampling_mode(SamplingMode::Flat);
    let mut next = rows.iter().cycle();
    group.bench_function(BenchmarkId::new(name, bits), |bencher| {
        bencher.iter(|| {
            let (row, ciphertexts) = next.next().expect("a cycle");
            decryptor.decrypt_row(key, *row, ciphertexts).expect("encrypted above")
        });
    });
    group.finish();
}

/// The usual photo, square and in colour.
const SIDE: u32 = 512;

fn encryptor(key: EncryptionKey, side: u32) -> ImageEncryptor {
    let samples = (0..side * side * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let photo = Photo::from_samples(side, side, 3, samples).expect("right size");
    let options = EncryptOptions::for_filter(&Filter::parse("mean", &[]).expect("a filter"), Border::default());
    ImageEncryptor::new(key, &photo, &options.expect("wide enough")).expect("possible")
}

fn owner(file: &[u8]) -> EncryptionKey {
    EncryptionKey::Owner(Arc::new(read_secret(file).expect("written above")))
}
