// What is measured of `paillier-bigint`, the same in Node and in the browser.

import { measure } from './measure.mjs';

/** Measures the library with a key of `bits`; `say` gets each `what` and its nanoseconds. */
export async function measurePaillier(library, seconds, bits, say) {
  // The simple variant, g = n + 1, is its faster one.
  const { publicKey, privateKey } = await library.generateRandomKeys(bits, true);
  const [a, b] = [publicKey.encrypt(1234567n), publicKey.encrypt(7654321n)];
  if (privateKey.decrypt(publicKey.addition(a, b)) !== 8888888n) throw new Error('paillier-bigint is wrong');
  say('product', measure(seconds, () => publicKey.addition(a, b)));
  say('encrypt as anybody', measure(seconds, () => publicKey.encrypt(1234567n)));
  say('decrypt', measure(seconds, () => privateKey.decrypt(a)));
}
