//! Forged answers from a dishonest server, and clients that publish the numbers that they decrypt.
//!
//! Such a server knows that a ciphertext `(0, a)` decrypts to `a s`, where `s` is the secret key. With a small `a`, the
//! printed numbers are sums of a few coefficients of `s`.

use num_complex::Complex64;

use super::*;
use crate::network::wire::read_answer;
use crate::schemes::ckks::ciphertext::Ciphertext;
use crate::schemes::ckks::ring::Poly;
use crate::schemes::ckks::wire::{write_ciphertext, write_seeded};

/// Enough labels for two lists of scores to contain the whole key.
const LABELS: usize = 512;
/// The base in which coefficients of the key are packed. Its digits are the values of these coefficients: -1, 0 and 1.
const BASE: i64 = 3;

struct Client {
    ring: Arc<Ring>,
    encoder: Encoder,
    secret: SecretKey,
    spec: NetworkSpec,
}

impl Client {
    fn new(labels: usize) -> Self {
        let ring = Ring::new(&SMALL).unwrap();
        let encoder = Encoder::new(&ring);
        let (secret, _) = SecretKey::generate(&ring, &mut rng(7)).unwrap();
        let spec = network(&SMALL, 0, labels).spec().clone();
        Self { ring, encoder, secret, spec }
    }

    /// The scores decrypted from an answer without the checks of [`NetworkSpec::open`], rounded to two decimal places.
    fn careless(&self, answer: &Ciphertext) -> Vec<f64> {
        let numbers = self.secret.decrypt(&self.ring, answer).unwrap().decode(&self.ring, &self.encoder);
        Answer::new(numbers.iter().map(|number| number.re).collect()).for_display().scores
    }

    fn open(&self, answer: &Ciphertext) -> Result<Answer> {
        self.spec.open(&self.ring, &self.encoder, &self.secret, answer)
    }

    /// An answer that decrypts to these numbers.
    fn says(&self, numbers: &[Complex64], scale: f64) -> Ciphertext {
        let slots = self.spec.answer_slots().unwrap();
        let plaintext = self.encoder.encode(&self.ring, numbers, slots, 0, scale).unwrap();
        self.secret.encrypt(&self.ring, &plaintext, &mut rng(8)).unwrap()
    }

    /// The coefficients of the key.
    fn key(&self) -> Vec<i64> {
        let one = crafted(self, &[(0, 1)], 1.0);
        centred(self, self.secret.decrypt(&self.ring, &one).unwrap().poly())
    }
}

/// The ciphertext `(0, a)`, with `a` given by its coefficients that are not zero.
fn crafted(client: &Client, a: &[(usize, i64)], scale: f64) -> Ciphertext {
    let ring = &*client.ring;
    let basis = ring.level(0);
    let a = Poly::from_coefficients(ring, basis, |place, limb| {
        let prime = i64::try_from(ring.limb(place).prime().value()).unwrap();
        limb.fill(0);
        for &(power, coefficient) in a {
            limb[power] = u64::try_from(coefficient.rem_euclid(prime)).unwrap();
        }
    });
    let slots = client.spec.answer_slots().unwrap();
    Ciphertext::from_parts([Poly::zero(ring, basis), a], 0, scale, slots, client.secret.id())
}

/// The coefficients of a polynomial at level 0, as the residues closest to zero.
fn centred(client: &Client, poly: &Poly) -> Vec<i64> {
    let basis = client.ring.level(0);
    let prime = i64::try_from(client.ring.limb(basis.first).prime().value()).unwrap();
    let centred = |&residue: &u64| {
        let residue = i64::try_from(residue).unwrap();
        if residue > prime / 2 { residue - prime } else { residue }
    };
    poly.coefficients(&client.ring, basis).iter().map(centred).collect()
}

/// `factor` times the sum of `3^j X^(shift - j)`. Of the product with the key, only every `gap`-th coefficient is
/// visible, and each visible one contains `gap` coefficients of the key.
fn packing(client: &Client, factor: i64, shift: usize) -> Vec<(usize, i64)> {
    let degree = client.ring.degree();
    let gap = degree / (2 * LABELS);
    let term = |j: usize| {
        let weight = factor * BASE.pow(u32::try_from(j).unwrap());
        if shift >= j { (shift - j, weight) } else { (degree + shift - j, -weight) }
    };
    (0..gap).map(term).collect()
}

/// The key that a server computes from two lists of scores: the real parts and the imaginary parts of the decrypted
/// numbers.
fn recovered(client: &Client, [real, turned]: [&[f64]; 2]) -> Vec<i64> {
    let numbers: Vec<_> = real.iter().zip(turned).map(|(&re, &im)| Complex64::new(re, -im)).collect();
    let packed = client.encoder.encode(&client.ring, &numbers, LABELS, 0, 1.0).unwrap();
    let packed = centred(client, packed.poly());
    let gap = client.ring.degree() / (2 * LABELS);
    let digits = |mut number: i64| {
        (0..gap).map(move |_| {
            let digit = (number + 1).rem_euclid(BASE) - 1;
            number = (number - digit) / BASE;
            digit
        })
    };
    packed.into_iter().step_by(gap).flat_map(digits).collect()
}

/// The attack of B. Li and D. Micciancio (EUROCRYPT 2021) by a server that forges its answers.
#[test]
fn two_published_lists_of_careless_clients_hold_the_key_and_ours_publish_none() {
    let client = Client::new(LABELS);
    let half = client.ring.degree() / 2;
    let answers = [0, half].map(|shift| crafted(&client, &packing(&client, 1, shift), 1.0));
    let lists = answers.each_ref().map(|answer| client.careless(answer));
    assert_eq!(recovered(&client, lists.each_ref().map(Vec::as_slice)), client.key(), "the attack is not one");

    for answer in &answers {
        assert_eq!(client.open(answer).unwrap_err().kind(), Code::VectorsDiffer);
        let file = write_ciphertext(&client.ring, answer).unwrap();
        assert_eq!(read_answer(&client.spec, &client.ring, &file).unwrap_err().kind(), Code::VectorsDiffer);
    }
    // With the scale of an honest answer, the server has to make the numbers larger itself.
    let scale = client.ring.scale(0);
    for (factor, shift) in [(1 << 23, 0), (1 << 23, half), (1 << 30, 0), (1 << 18, half), (1 << 25, 3)] {
        let answer = crafted(&client, &packing(&client, factor, shift), scale);
        assert!(client.careless(&answer).iter().any(|score| *score != 0.0), "nothing is seen with {factor}");
        assert_eq!(client.open(&answer).unwrap_err().kind(), Code::BadAnswer, "{factor}");
    }
}

#[test]
fn answers_have_the_scale_level_slots_and_form_of_the_network() {
    let client = Client::new(LABELS);
    let (ring, scale) = (&*client.ring, client.ring.scale(0));
    let numbers = vec![Complex64::new(1.5, 0.0); LABELS];
    let honest = client.says(&numbers, scale);
    assert!(client.open(&honest).is_ok());
    let file = write_ciphertext(ring, &honest).unwrap();
    assert!(read_answer(&client.spec, ring, &file).is_ok());
    // A scale that differs only by the order of rounding is accepted.
    assert!(client.open(&client.says(&numbers, scale * (1.0 + f64::EPSILON))).is_ok());

    let plaintext =
        |slots: usize, level: usize, scale: f64| client.encoder.encode_real(ring, &[1.5], slots, level, scale).unwrap();
    for (slots, level, scale) in [
        (LABELS, 0, 1.0),
        (LABELS, 0, scale / 2.0),
        (LABELS, 0, scale * 2.0),
        (LABELS, 0, scale * (1.0 + 1e-9)),
        (LABELS, 1, ring.scale(1)),
        (2 * LABELS, 0, scale),
        (LABELS / 2, 0, scale),
        (1, 0, scale),
    ] {
        let other = client.secret.encrypt_seeded(ring, &plaintext(slots, level, scale), &mut rng(9)).unwrap();
        let error = client.open(&other.ciphertext).unwrap_err();
        assert_eq!(error.kind(), Code::VectorsDiffer, "{slots} {level} {scale}");
        let file = write_ciphertext(ring, &other.ciphertext).unwrap();
        assert_eq!(read_answer(&client.spec, ring, &file).unwrap_err().kind(), Code::VectorsDiffer);
    }
    // One half comes from a seed, so this ciphertext was encrypted, not computed.
    let seeded = client.secret.encrypt_seeded(ring, &plaintext(LABELS, 0, scale), &mut rng(9)).unwrap();
    let file = write_seeded(ring, &seeded).unwrap();
    assert_eq!(read_answer(&client.spec, ring, &file).unwrap_err().kind(), Code::VectorsDiffer);
    let larger = Ring::new(&LEVELED_14).unwrap();
    assert_eq!(
        read_answer(&client.spec, &larger, &write_ciphertext(ring, &honest).unwrap()).unwrap_err().kind(),
        Code::WrongParameters
    );
}

/// All of these fail with one error that contains no number, because the texts of errors get published, too.
#[test]
fn scores_that_no_honest_server_sends_are_refused() {
    let client = Client::new(500);
    let scale = client.ring.scale(0);
    let numbers = |place: usize, number: Complex64| {
        let mut numbers = vec![Complex64::new(0.25, 0.0); 500];
        numbers.resize(LABELS, Complex64::default());
        numbers[place] = number;
        client.open(&client.says(&numbers, scale))
    };
    let real = |number: f64| Complex64::new(number, 0.0);
    for number in [0.0, 64.0, -64.0] {
        assert!(numbers(7, real(number)).is_ok(), "{number}");
    }
    let mut texts = std::collections::BTreeSet::new();
    for (place, number) in [
        (7, real(64.1)),
        (7, real(-64.1)),
        (499, real(500.0)),
        // Not the score of a label.
        (500, real(0.1)),
        (511, real(-3.0)),
        // Not a real number.
        (7, Complex64::new(0.25, 0.1)),
        (511, Complex64::new(0.0, 2.0)),
    ] {
        let error = numbers(place, number).unwrap_err();
        assert_eq!(error.kind(), Code::BadAnswer, "{place} {number}");
        texts.insert(error.message().to_owned());
    }
    assert_eq!(texts.len(), 1);
    assert!(!texts.iter().any(|text| text.contains(|letter: char| letter.is_ascii_digit())), "{texts:?}");
}
