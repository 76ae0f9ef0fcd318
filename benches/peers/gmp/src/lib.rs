//! Paillier as kzen-paillier does it: `r^n mod n^2` for anybody, both halves apart for the owner.

use rug::rand::RandState;
use rug::{Complete as _, Integer};

/// A secret key.
pub struct Key {
    pub n: Integer,
    pub n2: Integer,
    p: Half,
    q: Half,
    /// `(p^2)^-1 mod q^2` and `p^-1 mod q`, to join the halves.
    p_square_inverse: Integer,
    p_inverse: Integer,
}

/// One prime and its square.
struct Half {
    prime: Integer,
    square: Integer,
    /// `n` modulo the order of the group, the owner's exponent.
    n: Integer,
    less_one: Integer,
    /// `h_p` in Paillier 1999, section 7.
    factor: Integer,
}

impl Key {
    /// A key good enough to be measured: the randomness is not secret.
    pub fn generate(bits: u32, rng: &mut RandState<'_>) -> Self {
        let prime = |rng: &mut RandState<'_>| {
            let mut start = Integer::from(Integer::random_bits(bits / 2, rng));
            // Both highest bits, so that the product of two has all its bits.
            start.set_bit(bits / 2 - 1, true).set_bit(bits / 2 - 2, true);
            start.next_prime()
        };
        let (p, q) = (prime(rng), prime(rng));
        let n = (&p * &q).complete();
        let n2 = n.clone().square();
        let (p, q) = (Half::new(p, &n), Half::new(q, &n));
        let p_square_inverse = p.square.clone().invert(&q.square).expect("coprime");
        let p_inverse = p.prime.clone().invert(&q.prime).expect("coprime");
        Self { n, n2, p, q, p_square_inverse, p_inverse }
    }

    /// `(1 + m n) r^n mod n^2`.
    pub fn encrypt(&self, message: &Integer, rng: &mut RandState<'_>) -> Integer {
        let mask = self.n.clone().random_below(rng).pow_mod(&self.n, &self.n2).expect("positive exponent");
        self.blind(message, mask)
    }

    /// The same, with the mask made modulo `p^2` and `q^2`.
    pub fn encrypt_as_owner(&self, message: &Integer, rng: &mut RandState<'_>) -> Integer {
        let r = self.n.clone().random_below(rng);
        let power = |half: &Half| (&r % &half.square).complete().pow_mod(&half.n, &half.square).expect("positive");
        let (a, b) = (power(&self.p), power(&self.q));
        let step = ((b - &a) * &self.p_square_inverse).modulo(&self.q.square);
        self.blind(message, a + step * &self.p.square)
    }

    pub fn decrypt(&self, ciphertext: &Integer) -> Integer {
        let (a, b) = (self.p.decrypt(ciphertext), self.q.decrypt(ciphertext));
        let step = ((b - &a) * &self.p_inverse).modulo(&self.q.prime);
        a + step * &self.p.prime
    }

    fn blind(&self, message: &Integer, mask: Integer) -> Integer {
        ((message * &self.n).complete() + 1u32) * mask % &self.n2
    }
}

impl Half {
    fn new(prime: Integer, n: &Integer) -> Self {
        let square = prime.clone().square();
        let less_one = (&prime - 1u32).complete();
        let order = (&prime * &less_one).complete();
        // L((1 + n)^(p-1) mod p^2)^-1 mod p
        let power = (n + 1u32).complete().pow_mod(&less_one, &square).expect("positive exponent");
        let factor = ((power - 1u32) / &prime).invert(&prime).expect("a unit");
        Self { n: n % order, less_one, factor, prime, square }
    }

    fn decrypt(&self, ciphertext: &Integer) -> Integer {
        let reduced = (ciphertext % &self.square).complete();
        let power = reduced.pow_mod(&self.less_one, &self.square).expect("positive exponent");
        (power - 1u32) / &self.prime * &self.factor % &self.prime
    }
}
