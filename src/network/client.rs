//! The work of a picture's owner: making keys, encrypting features and decrypting answers.
//!
//! Decrypted answers are only for the owner: the scores differ slightly from exact ones, which reveals information
//! about the secret key (B. Li, D. Micciancio, EUROCRYPT 2021), and a forged answer can reveal all of it. So no part of
//! an answer goes back to the server, and an answer that no honest server would send is refused entirely.

use rand_core::TryCryptoRng;

use super::{Answer, LARGEST_SCORE, Need, NetworkSpec, PRECISION};
use crate::error::{Code, Error, Result};
use crate::schemes::ckks::ciphertext::{Ciphertext, Seeded};
use crate::schemes::ckks::encode::Encoder;
use crate::schemes::ckks::keys::EvaluationKeys;
use crate::schemes::ckks::ring::Ring;
use crate::schemes::ckks::secret::SecretKey;

/// The largest absolute value of coefficients outside the scores. In honest answers they are noise, at most 2^-16 in
/// measurements.
const BESIDE: f64 = 1.0 / 1024.0;

impl NetworkSpec {
    /// The evaluation keys that a server needs for this network. They are public.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::NoRandomness`] if the generator fails.
    pub fn evaluation_keys(
        &self,
        ring: &Ring,
        secret: &SecretKey,
        rng: &mut impl TryCryptoRng,
    ) -> Result<EvaluationKeys> {
        self.check_ring(ring)?;
        let mut keys = EvaluationKeys::new(secret.id());
        for need in self.needs() {
            match need {
                Need::Products { level } => keys.insert_relinearise(secret.relinearisation_key(ring, level, rng)?),
                Need::Rotation { steps, level } => {
                    let (element, key) = secret.rotation_key(ring, steps, level, rng)?;
                    keys.insert_galois(element, key);
                }
            }
        }
        Ok(keys)
    }

    /// Encrypts a picture's numbers from [`Input::of`](super::Input::of).
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::BadArgument`] for a wrong number of features;
    /// [`Code::NoRandomness`] if the generator fails.
    pub fn encrypt(
        &self,
        ring: &Ring,
        encoder: &Encoder,
        secret: &SecretKey,
        features: &[f32],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Seeded> {
        self.check_ring(ring)?;
        let wanted = self.input().numbers();
        if features.len() != wanted {
            let message = format!("a picture has {wanted} features for this network, not {}", features.len());
            return Err(Error::new(Code::BadArgument, message));
        }
        let numbers: Vec<f64> = features.iter().map(|&number| number.into()).collect();
        let (first, level) = (self.first()?, self.level());
        let slots = first.pack(&numbers);
        let plaintext = encoder.encode_real(ring, &slots, slots.len(), level, first.scale(ring))?;
        secret.encrypt_seeded(ring, &plaintext, rng)
    }

    /// Decrypts the answer, if an honest server can have computed it. Anything published of it, including the label, reveals
    /// information about the secret key to a dishonest server.
    ///
    /// # Errors
    /// [`Code::WrongParameters`] for a ring of another set; [`Code::VectorsDiffer`] for a level, scale or number of
    /// slots that an answer of this network does not have, checked before the key is used; [`Code::ForeignKey`] if it
    /// is under another key; [`Code::BadAnswer`] if the numbers are outside the bounds of honest answers: beyond
    /// [`LARGEST_SCORE`], or nonzero outside the scores. The last error is the same in all cases, and contains no
    /// number.
    pub fn open(&self, ring: &Ring, encoder: &Encoder, secret: &SecretKey, answer: &Ciphertext) -> Result<Answer> {
        self.check_ring(ring)?;
        self.check_answer(ring, answer.level(), answer.slots(), answer.scale())?;
        let opened = secret.decrypt(ring, answer)?;
        let numbers = opened.decode(ring, encoder);
        let (scores, filling) = numbers.split_at(self.labels().len().min(numbers.len()));
        // Written so that NaN is refused.
        let honest = opened.beside(ring) <= BESIDE
            && scores.iter().all(|score| score.re.abs() <= LARGEST_SCORE + PRECISION)
            && filling.iter().all(|number| number.re.abs() <= PRECISION)
            && numbers.iter().all(|number| number.im.abs() <= PRECISION);
        if !honest {
            let message = "the answer is outside the bounds of this network's answers: the server did not do its \
                           work, or the picture is unlike all training pictures; do not publish anything about it";
            return Err(Error::new(Code::BadAnswer, message));
        }
        Ok(Answer::new(scores.iter().map(|score| score.re).collect()))
    }
}
