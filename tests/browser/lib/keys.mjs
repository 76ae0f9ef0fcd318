// The content of a secret key file, read according to the format's documentation, and every number that reveals the key.

const PROLOGUE = 16;

/** `{ bits, id, p, q, n }` of a secret key file. */
export function readSecretKey(file) {
  if (file.subarray(0, 8).toString('latin1') !== '\x89SLT\r\n\x1a\n' || file[10] !== 2)
    throw new Error('not a secret key file');
  const bits = file.readUInt16LE(PROLOGUE);
  const half = bits / 16;
  const at = PROLOGUE + 18;
  const [p, q] = [0, 1].map((i) => little(file.subarray(at + i * half, at + (i + 1) * half)));
  return { bits, id: file.subarray(PROLOGUE + 2, at), p, q, n: p * q };
}

/** Every number from which the key could be rebuilt, by name. */
export function secretNumbers({ p, q, n }) {
  const [a, b] = [p - 1n, q - 1n];
  const lambda = (a * b) / gcd(a, b);
  return {
    'prime p': p,
    'prime q': q,
    'p - 1': a,
    'q - 1': b,
    'p squared': p * p,
    'q squared': q * q,
    phi: a * b,
    lambda,
    mu: inverse(lambda, n),
    'half of p - 1': a / 2n,
    'half of q - 1': b / 2n,
    'p inverse mod q': inverse(p, q),
    'q inverse mod p': inverse(q, p),
    hp: p - inverse(q, p),
    hq: q - inverse(p, q),
    'p squared inverse mod q squared': inverse(p * p, q * q),
    'q squared inverse mod p squared': inverse(q * q, p * p),
    'p + q': p + q,
    'n inverse mod phi': inverse(n, a * b),
  };
}

function little(bytes) {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function gcd(a, b) {
  while (b) [a, b] = [b, a % b];
  return a;
}

function inverse(value, modulus) {
  let [r, s, x, y] = [value % modulus, modulus, 1n, 0n];
  while (s) {
    const quotient = r / s;
    [r, s, x, y] = [s, r - quotient * s, y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
