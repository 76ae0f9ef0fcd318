//! Files of CKKS. Written files are read again, bit for bit the same on every kernel, and forged files are refused.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use std::sync::{Arc, LazyLock};

use num_complex::Complex64;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use safelight::error::{Code, Error, Result};
use safelight::math::kernel::Kernel;
use safelight::schemes::ckks::ciphertext::{Ciphertext, Seeded};
use safelight::schemes::ckks::encode::Encoder;
use safelight::schemes::ckks::evaluator::Evaluator;
use safelight::schemes::ckks::keys::{EvaluationKeys, KeyId, PublicKey};
use safelight::schemes::ckks::parameters::{ALL, LEVELED_14, SMALL};
use safelight::schemes::ckks::plaintext::Plaintext;
use safelight::schemes::ckks::ring::{CONJUGATION, Ring};
use safelight::schemes::ckks::secret::SecretKey;
use safelight::schemes::ckks::wire::{
    Checker, Entry, Purpose, SetHead, SwitchHead, VectorHead, check_secret, owner, read_ciphertext, read_plaintext,
    read_public, read_secret, read_set, read_switch, write_ciphertext, write_plaintext, write_public, write_secret,
    write_seeded, write_set, write_switch,
};
use safelight::wire::{PROLOGUE_BYTES, Prologue, age};
use sha2::{Digest as _, Sha256};

struct World {
    ring: Arc<Ring>,
    encoder: Arc<Encoder>,
    secret: SecretKey,
    public: PublicKey,
    keys: EvaluationKeys,
    values: Vec<Complex64>,
    seeded: Seeded,
    set: Vec<u8>,
}

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

impl World {
    fn new(ring: Arc<Ring>) -> Self {
        let encoder = Arc::new(Encoder::new(&ring));
        let (secret, public) = SecretKey::generate(&ring, &mut rng(1)).unwrap();
        let mut keys = EvaluationKeys::new(secret.id());
        keys.insert_relinearise(secret.relinearisation_key(&ring, ring.top(), &mut rng(2)).unwrap());
        for (step, seed) in [(1, 3), (2, 4)] {
            let (element, key) = secret.rotation_key(&ring, step, 1, &mut rng(seed)).unwrap();
            keys.insert_galois(element, key);
        }
        let values: Vec<_> = (0..16).map(|i| Complex64::new(f64::from(i) / 8.0, -0.5)).collect();
        let plaintext = encoder.encode(&ring, &values, 16, ring.top(), ring.scale(ring.top())).unwrap();
        let seeded = secret.encrypt_seeded(&ring, &plaintext, &mut rng(5)).unwrap();
        let set = write_set(&ring, &keys).unwrap();
        Self { ring, encoder, secret, public, keys, values, seeded, set }
    }

    fn plaintext(&self) -> Plaintext {
        let top = self.ring.top();
        self.encoder.encode(&self.ring, &self.values, 16, top, self.ring.scale(top)).unwrap()
    }

    fn opens(&self, ciphertext: &Ciphertext, expected: &[Complex64]) {
        let opened = self.secret.decrypt(&self.ring, ciphertext).unwrap().decode(&self.ring, &self.encoder);
        assert_eq!(opened.len(), expected.len());
        for (a, b) in opened.iter().zip(expected) {
            assert!((a - b).norm() < 1e-3, "{a} {b}");
        }
    }

    fn switch(&self) -> Vec<u8> {
        let (element, key) = self.keys.galois().next().unwrap();
        write_switch(&self.ring, self.keys.id(), Purpose::Galois(element), key).unwrap()
    }

    /// One file of each kind.
    fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("ciphertext", write_ciphertext(&self.ring, &self.seeded.ciphertext).unwrap()),
            ("seeded", write_seeded(&self.ring, &self.seeded).unwrap()),
            ("plaintext", write_plaintext(&self.ring, &self.plaintext()).unwrap()),
            ("public", write_public(&self.ring, &self.public).unwrap()),
            ("switch", self.switch()),
            ("set", self.set.clone()),
            ("secret", write_secret(&self.ring, &self.secret).to_vec()),
        ]
    }

    /// Reads a file of this kind and writes it again.
    fn again(&self, kind: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let ring = &self.ring;
        match kind {
            "ciphertext" => write_ciphertext(ring, &read_ciphertext(ring, bytes)?),
            // A reader does not need the seed.
            "seeded" => read_ciphertext(ring, bytes).map(|_| bytes.to_vec()),
            "plaintext" => write_plaintext(ring, &read_plaintext(ring, bytes)?),
            "public" => write_public(ring, &read_public(ring, bytes)?),
            "switch" => {
                let (head, key) = read_switch(ring, bytes)?;
                write_switch(ring, head.key, head.entry.purpose, &key)
            }
            "set" => write_set(ring, &read_set(ring, bytes)?),
            _ => read_secret(ring, bytes).map(|key| write_secret(ring, &key).to_vec()),
        }
    }
}

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(Ring::new(&SMALL).unwrap()));

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|error| error.kind())
}

/// Corrects the checksums of a file's header and of the limb with this number, which is at `limb`.
fn sealed(mut bytes: Vec<u8>, limb: Option<(usize, std::ops::Range<usize>)>) -> Vec<u8> {
    let end = PROLOGUE_BYTES + u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let crc = crc32fast::hash(&bytes[..end]).to_le_bytes();
    bytes[end..end + 4].copy_from_slice(&crc);
    if let Some((number, range)) = limb {
        let sum =
            [&crc[..], &u32::try_from(number).unwrap().to_le_bytes(), &bytes[range.start..range.end - 4]].concat();
        bytes[range.end - 4..range.end].copy_from_slice(&crc32fast::hash(&sum).to_le_bytes());
    }
    bytes
}

fn header_bytes(bytes: &[u8]) -> usize {
    Prologue::parse(bytes).unwrap().total_bytes()
}

#[test]
fn what_is_written_is_read_again() {
    let world = &*WORLD;
    for (kind, bytes) in world.files() {
        assert!(world.again(kind, &bytes).unwrap() == bytes, "{kind}");
    }
    let read = |bytes: &[u8]| read_ciphertext(&world.ring, bytes).unwrap();
    for ciphertext in [read(&world.files()[0].1), read(&world.files()[1].1)] {
        world.opens(&ciphertext, &world.values);
        assert_eq!(ciphertext.key(), world.secret.id());
    }
    let plaintext = read_plaintext(&world.ring, &world.files()[2].1).unwrap();
    let by_public = read_public(&world.ring, &world.files()[3].1).unwrap();
    world.opens(&by_public.encrypt(&world.ring, &plaintext, &mut rng(7)).unwrap(), &world.values);
    let secret = read_secret(&world.ring, &world.files()[6].1).unwrap();
    let opened = secret.decrypt(&world.ring, &world.seeded.ciphertext).unwrap().decode(&world.ring, &world.encoder);
    assert!((opened[3] - world.values[3]).norm() < 1e-3);
}

#[test]
fn keys_from_a_file_compute() {
    let world = &*WORLD;
    let keys = read_set(&world.ring, &world.set).unwrap();
    let evaluator = Evaluator::new(Arc::clone(&world.ring), Arc::clone(&world.encoder), keys);
    let x = &world.seeded.ciphertext;
    let squares: Vec<_> = world.values.iter().map(|x| x * x).collect();
    let square = evaluator.rescale(&evaluator.mul(x, x).unwrap()).unwrap();
    world.opens(&square, &squares);
    let mut turned = squares;
    turned.rotate_left(1);
    let square = evaluator
        .rescale(
            &evaluator.mul_constant(&square, Complex64::new(1.0, 0.0), world.ring.divisor(square.level())).unwrap(),
        )
        .unwrap();
    world.opens(&evaluator.rotate(&square, 1).unwrap(), &turned);

    // Conjugation has a different number in memory than in files.
    let mut keys = EvaluationKeys::new(world.secret.id());
    let key = world.secret.galois_key(&world.ring, CONJUGATION, world.ring.top(), &mut rng(8)).unwrap();
    keys.insert_galois(CONJUGATION, key);
    let keys = read_set(&world.ring, &write_set(&world.ring, &keys).unwrap()).unwrap();
    let evaluator = Evaluator::new(Arc::clone(&world.ring), Arc::clone(&world.encoder), keys);
    let conjugates: Vec<_> = world.values.iter().map(Complex64::conj).collect();
    world.opens(&evaluator.conjugate(x).unwrap(), &conjugates);

    // There may be several keys for one purpose, and those for bootstrapping.
    let mut keys = EvaluationKeys::new(world.secret.id());
    for level in [2, 0, 1] {
        keys.insert_relinearise(world.secret.relinearisation_key(&world.ring, level, &mut rng(9)).unwrap());
    }
    keys.set_encapsulation(world.secret.encapsulation(&world.ring, &mut rng(10)).unwrap());
    let file = write_set(&world.ring, &keys).unwrap();
    let again = read_set(&world.ring, &file).unwrap();
    assert!(write_set(&world.ring, &again).unwrap() == file);
    assert_eq!(again.relinearise().iter().map(|key| key.level()).collect::<Vec<_>>(), [0, 1, 2]);
    let (sparse, expected) = (again.encapsulation().unwrap(), keys.encapsulation().unwrap());
    assert!(sparse.to_sparse().b() == expected.to_sparse().b() && sparse.back().b() == expected.back().b());
    assert_eq!(check(&file, file.len() as u64, 5000).unwrap().entries().len(), 5);
}

#[test]
fn lengths_follow_from_headers_and_residues_are_packed() {
    let world = &*WORLD;
    let files = world.files();
    assert_eq!(VectorHead::of_ciphertext(&files[0].1).unwrap().total_bytes(), files[0].1.len() as u64);
    assert_eq!(VectorHead::of_ciphertext(&files[1].1).unwrap().total_bytes(), files[1].1.len() as u64);
    assert_eq!(VectorHead::of_plaintext(&files[2].1).unwrap().total_bytes(), files[2].1.len() as u64);
    assert_eq!(SwitchHead::read(&files[4].1).unwrap().total_bytes(), files[4].1.len() as u64);
    let set = SetHead::read(&world.set).unwrap();
    assert_eq!(set.total_bytes().unwrap(), world.set.len() as u64);
    assert_eq!(set.entries().len(), 3);
    assert_eq!((set.key(), set.parameters().id), (world.secret.id(), SMALL.id));
    // The bits of the four primes for each of 8192 coefficients, a seed, and little else.
    assert_eq!(files[1].1.len(), 8192 / 8 * (45 + 35 + 36 + 36) + 4 * 4 + 16 + 2 + 16 + 2 + 4 + 8 + 32 + 4);
    assert!(files[0].1.len() > 2 * files[1].1.len() - 200);
    // The contents of the largest sets are known without making them.
    for set in ALL {
        let all = |level| (1..2000).map(move |i| Entry { purpose: Purpose::Galois(2 * i + 1), level, special: 1 });
        let entries =
            all(set.levels).chain([Entry { purpose: Purpose::Relinearise, level: 0, special: set.special }]).collect();
        let head = SetHead::new(set, KeyId([1; 16]), entries).unwrap();
        assert_eq!(head.entries()[0].purpose, Purpose::Relinearise);
        assert_eq!(SetHead::read(&head.write()).unwrap().total_bytes().unwrap(), head.total_bytes().unwrap());
        assert!(head.total_bytes().unwrap() > 1 << 30);
    }
}

/// These are the bytes on every machine and kernel, including browsers. If they change, old files change their meaning.
#[test]
fn the_bytes_are_the_same_everywhere() {
    let portable = World::new(Ring::with_kernel(&SMALL, Kernel::Portable).unwrap());
    for ((kind, bytes), (_, other)) in WORLD.files().into_iter().zip(portable.files()) {
        assert!(bytes == other, "{kind}");
    }
    let mut digest = Sha256::new();
    WORLD.files().iter().for_each(|(_, bytes)| digest.update(bytes));
    let digest = digest.finalize();
    assert_eq!(digest[..16], 0xce39_9b4a_2f6c_bd98_0e9a_19e6_bb53_6c00_u128.to_be_bytes());
}

#[test]
fn every_kind_is_refused_where_another_is_needed() {
    let world = &*WORLD;
    for (kind, bytes) in world.files() {
        for (other, _) in world.files() {
            let same = kind == other || [kind, other].iter().all(|kind| ["ciphertext", "seeded"].contains(kind));
            let refused = code(world.again(other, &bytes));
            assert_eq!(refused, (!same).then_some(Code::WrongKind), "{kind} as {other}");
        }
    }
}

#[test]
fn other_parameters_are_refused() {
    let ring = Ring::new(&LEVELED_14).unwrap();
    let stranger = World { ring, set: Vec::new(), ..World::new(Ring::new(&SMALL).unwrap()) };
    for (kind, bytes) in WORLD.files() {
        assert_eq!(code(stranger.again(kind, &bytes)), Some(Code::WrongParameters), "{kind}");
        let (set, key) = owner(&bytes).unwrap();
        assert_eq!((set.id, key), (SMALL.id, (kind != "plaintext").then_some(WORLD.secret.id())), "{kind}");
        let mut unknown = bytes;
        unknown[PROLOGUE_BYTES] = 99;
        assert_eq!(code(WORLD.again(kind, &sealed(unknown, None))), Some(Code::UnknownParameters), "{kind}");
    }
}

#[test]
fn files_of_another_length_are_refused() {
    let world = &*WORLD;
    for (kind, bytes) in world.files() {
        for length in [0, 7, 16, header_bytes(&bytes) - 1, header_bytes(&bytes), bytes.len() / 2, bytes.len() - 1] {
            if length < bytes.len() {
                assert_eq!(
                    code(world.again(kind, &bytes[..length])),
                    Some(Code::Truncated),
                    "{kind} of {length} bytes"
                );
            }
        }
        assert_eq!(code(world.again(kind, &[&bytes[..], b"x"].concat())), Some(Code::TrailingData), "{kind}");
    }
}

#[test]
fn damage_and_residues_beyond_their_prime_are_found() {
    let world = &*WORLD;
    for (kind, bytes) in world.files() {
        let start = header_bytes(&bytes);
        let mut flipped = bytes.clone();
        flipped[20] ^= 1;
        assert_eq!(code(world.again(kind, &flipped)), Some(Code::Damaged), "{kind}");
        if kind == "secret" || kind == "set" {
            continue;
        }
        let limb = start..start + 8192 / 8 * if kind == "switch" { 50 } else { 45 } + 4;
        for place in [limb.start, limb.end - 5, limb.end - 1, bytes.len() - 1] {
            let mut flipped = bytes.clone();
            flipped[place] ^= 0x10;
            assert_eq!(code(world.again(kind, &flipped)), Some(Code::Damaged), "{kind} at {place}");
        }
        let mut beyond = bytes.clone();
        beyond[limb.end - 10..limb.end - 4].fill(0xFF);
        assert_eq!(code(world.again(kind, &sealed(beyond, Some((0, limb))))), Some(Code::ResidueOutOfRange), "{kind}");
    }
}

/// Replaces bytes of the header from a position on, and corrects the checksum.
fn changed(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[PROLOGUE_BYTES + at..][..with.len()].copy_from_slice(with);
    sealed(bytes, None)
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let world = &*WORLD;
    let files = world.files();
    let refused = |kind: usize, at: usize, with: &[u8]| {
        let (name, bytes) = &files[kind];
        code(world.again(name, &changed(bytes, at, with)))
    };
    let bad = Some(Code::BadHeader);
    // Ciphertexts: level, form, slots, scale.
    for kind in [0, 1] {
        assert_eq!(refused(kind, 18, &[4]), bad);
        assert_eq!(refused(kind, 18, &[255]), bad);
        assert_eq!(refused(kind, 18, &[2]), Some(Code::TrailingData));
        assert_eq!(refused(kind, 19, &[2]), bad);
        assert_eq!(refused(kind, 19, &[u8::from(kind == 0)]), bad);
        for slots in [0u32, 3, 8192, u32::MAX] {
            assert_eq!(refused(kind, 20, &slots.to_le_bytes()), bad, "{slots}");
        }
        for scale in [0.0, -1.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 1.4e36, 1e300] {
            assert_eq!(refused(kind, 24, &scale.to_le_bytes()), bad, "{scale}");
        }
        // A possible scale. Only the limbs, whose checksums cover the header, show that it is wrong.
        assert_eq!(refused(kind, 24, &1e36f64.to_le_bytes()), Some(Code::Damaged));
    }
    assert_eq!(refused(2, 2, &[9]), bad);
    assert_eq!(refused(2, 3, &7u32.to_le_bytes()), bad);
    // Public keys: the id, and the seed that it depends on.
    for at in [2, 18] {
        let mut bytes = changed(&files[3].1, at, &[1, 2, 3]);
        let mut start = header_bytes(&bytes);
        for (number, bits) in [45, 35, 36, 36].into_iter().enumerate() {
            let limb = start..start + 8192 / 8 * bits + 4;
            start = limb.end;
            bytes = sealed(bytes, Some((number, limb)));
        }
        assert_eq!(code(world.again("public", &bytes)), bad);
    }
    // Switch keys: purpose, level, element.
    let entries: [[u8; 7]; 11] = [
        [0, 1, 1, 5, 0, 0, 0],
        [5, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 5, 0, 0, 0],
        [3, 1, 1, 5, 0, 0, 0],
        [2, 1, 1, 1, 0, 0, 0],
        [2, 1, 1, 0, 0, 0, 0],
        [2, 1, 1, 6, 0, 0, 0],
        [2, 1, 1, 1, 64, 0, 0],
        [2, 4, 1, 5, 0, 0, 0],
        [2, 1, 0, 5, 0, 0, 0],
        [2, 1, 2, 5, 0, 0, 0],
    ];
    for entry in entries {
        assert_eq!(refused(4, 18, &entry), bad, "{entry:?}");
    }
    // Sets: the count, and the list.
    for count in [0u32, 2, 4, u32::MAX] {
        assert_eq!(refused(5, 18, &count.to_le_bytes()), bad, "{count}");
    }
    assert_eq!(refused(5, 22, &[2, 1, 1, 5, 0, 0, 0]), bad, "twice the same");
    assert_eq!(refused(5, 22, &[2, 3, 1, 255, 0, 0, 0]), bad, "out of order");
    // Secret keys: only three of the four values of two bits are allowed.
    assert_eq!(refused(6, 18, &[0b11]), Some(Code::BadSecretKey));
    assert_eq!(refused(6, 500, &[0b0011_0000]), Some(Code::BadSecretKey));
}

fn check(bytes: &[u8], total: u64, piece: usize) -> Result<SetHead> {
    let mut checker = Checker::new(total);
    for piece in bytes.chunks(piece) {
        checker.push(piece)?;
    }
    checker.finish()
}

#[test]
fn a_set_is_checked_in_pieces_of_any_length() {
    let set = &WORLD.set;
    let total = set.len() as u64;
    for piece in [1, 13, 4096, 51_204, 100_000, set.len()] {
        let head = check(set, total, piece).unwrap();
        assert_eq!(head.entries(), SetHead::read(set).unwrap().entries());
    }
    for length in [0, 5, 16, 60, 200, 60_000, set.len() - 1] {
        assert_eq!(code(check(&set[..length], total, 1000)), Some(Code::Truncated), "{length}");
    }
    assert_eq!(code(check(&[&set[..], b"x"].concat(), total, 1000)), Some(Code::TrailingData));
    assert_eq!(code(check(set, total + 1, 1000)), Some(Code::TrailingData));
    assert_eq!(code(check(set, total - 1, 1000)), Some(Code::Truncated));
    for (kind, bytes) in WORLD.files().iter().filter(|(kind, _)| *kind != "set") {
        assert_eq!(code(check(bytes, bytes.len() as u64, 1000)), Some(Code::WrongKind), "{kind}");
    }
}

/// Reads a set with both readers, which must agree.
fn refused(bytes: &[u8]) -> Option<Code> {
    let whole = code(read_set(&WORLD.ring, bytes));
    assert_eq!(code(check(bytes, bytes.len() as u64, 7777)), whole);
    whole
}

#[test]
fn a_set_holds_only_what_belongs_to_it() {
    let world = &*WORLD;
    let set = &world.set;
    let ranges = SetHead::read(set).unwrap().ranges().unwrap();
    let range = |i: usize| usize::try_from(ranges[i].start).unwrap()..usize::try_from(ranges[i].end).unwrap();
    assert_eq!(refused(set), None);
    assert!(world.switch() == set[range(1)] || world.switch() == set[range(2)]);

    // Another owner's key.
    let (other, _) = SecretKey::generate(&world.ring, &mut rng(99)).unwrap();
    let head = SwitchHead::read(&set[range(1)]).unwrap();
    let Purpose::Galois(element) = head.entry.purpose else { panic!("a rotation") };
    let key = other.galois_key(&world.ring, element, 1, &mut rng(98)).unwrap();
    let foreign = write_switch(&world.ring, other.id(), head.entry.purpose, &key).unwrap();
    let mut bytes = set.clone();
    bytes[range(1)].copy_from_slice(&foreign);
    assert_eq!(refused(&bytes), Some(Code::ForeignKey));

    // Correct keys in the wrong positions.
    let mut bytes = set.clone();
    bytes[range(1)].copy_from_slice(&set[range(2)]);
    assert_eq!(refused(&bytes), Some(Code::BadHeader));

    // A key for other parameters.
    let mut bytes = set.clone();
    let mut switch = set[range(1)].to_vec();
    switch[PROLOGUE_BYTES] = 2;
    bytes[range(1)].copy_from_slice(&sealed(switch, None));
    assert_eq!(refused(&bytes), Some(Code::WrongParameters));

    // A residue of the last key that is not below its prime, a flipped bit in it, and a checksum of the wrong number.
    let end = set.len();
    let last = end - (8192 / 8 * 35 + 4)..end;
    let limbs = SwitchHead::read(&set[range(2)]).unwrap().entry.level + 2;
    let number = limbs * 2 - 1;
    let start = range(2).start;
    let with = |limb: usize, change: fn(&mut [u8])| {
        let mut switch = set[range(2)].to_vec();
        change(&mut switch[last.start - start..]);
        let mut bytes = set.clone();
        bytes[range(2)].copy_from_slice(&sealed(switch, Some((limb, last.start - start..end - start))));
        refused(&bytes)
    };
    assert_eq!(with(number, |_| ()), None);
    assert_eq!(with(number, |limb| limb[..5].fill(0xFF)), Some(Code::ResidueOutOfRange));
    assert_eq!(with(number - 1, |_| ()), Some(Code::Damaged));
    let mut bytes = set.clone();
    bytes[end - 300] ^= 1;
    assert_eq!(refused(&bytes), Some(Code::Damaged));
}

#[test]
fn a_secret_key_goes_under_a_passphrase() {
    let world = &*WORLD;
    let file = write_secret(&world.ring, &world.secret);
    let protected = age::protect(&file, "twelve words").unwrap();
    let opened = age::open(&protected, "twelve words").unwrap();
    check_secret(&opened).unwrap();
    assert_eq!(read_secret(&world.ring, &opened).unwrap().id(), world.secret.id());
    // The key of the largest set fits as well.
    assert!((1 << ALL.iter().map(|set| set.log_degree).max().unwrap()) / 4 + 100 < age::MAX_PAYLOAD);
    let shown = format!("{:?}", code(read_secret(&world.ring, &file[..100])));
    assert_eq!(shown, "Some(Truncated)");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn vectors_of_every_level_length_and_scale_come_back(
        level in 0usize..4, log_slots in 0u32..13, bits in 20i32..40, seed in any::<u8>(), values in any::<u64>(),
    ) {
        let world = &*WORLD;
        let values: Vec<_> = (0..1u64 << log_slots).map(|i| {
            let word = (values ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
            Complex64::new(word as f64 / 65536.0 - 0.5, 0.25)
        }).collect();
        let plaintext = world.encoder.encode(&world.ring, &values, values.len(), level, 2f64.powi(bits)).unwrap();
        let file = write_plaintext(&world.ring, &plaintext).unwrap();
        let plaintext = read_plaintext(&world.ring, &file).unwrap();
        prop_assert_eq!(write_plaintext(&world.ring, &plaintext).unwrap(), file);
        let seeded = world.secret.encrypt_seeded(&world.ring, &plaintext, &mut rng(seed)).unwrap();
        let short = read_ciphertext(&world.ring, &write_seeded(&world.ring, &seeded).unwrap()).unwrap();
        let long = read_ciphertext(&world.ring, &write_ciphertext(&world.ring, &seeded.ciphertext).unwrap()).unwrap();
        prop_assert_eq!(short.parts(), long.parts());
        prop_assert_eq!((short.level(), short.slots(), short.scale().to_bits()), (level, values.len(), 2f64.powi(bits).to_bits()));
        let opened = world.secret.decrypt(&world.ring, &short).unwrap().decode(&world.ring, &world.encoder);
        // The errors of the coefficients are at most a few hundred.
        let most = 5000.0 / 2f64.powi(bits);
        prop_assert!(opened.iter().zip(&values).all(|(a, b)| (a - b).norm() < most));
    }

    #[test]
    fn changed_bytes_are_an_error(kind in 0usize..7, at in any::<prop::sample::Index>(), with in prop::collection::vec(any::<u8>(), 1..40)) {
        let (name, good) = &WORLD.files()[kind];
        let at = at.index(good.len());
        let end = (at + with.len()).min(good.len());
        let changed = [&good[..at], &with, &good[end..]].concat();
        let outcome = WORLD.again(name, &changed);
        prop_assert!(changed == *good || matches!(&outcome, Err(Error { .. })), "{} of {}", at, name);
    }
}
