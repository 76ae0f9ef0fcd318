// One worker of the page, measured: ours in WebAssembly, paillier-bigint and bare BigInt beside it. It shares the core
// with nobody, so times are for one core.

import { compile, usable } from '/vault/client/build.js';
import init, { Decryptor, Encryptor, SecretKey, newOrigin } from '/vault/client/pkg/safelight.js';
import { measure } from '/node/measure.mjs';
import { measurePaillier } from '/node/paillier.mjs';
import * as paillierBigint from '/node/node_modules/paillier-bigint/dist/bundle.esm.min.js';

const SIDE = 512;

self.window = self; // paillier-bigint expects to be in a page

self.onmessage = async ({ data: { keys, seconds } }) => {
  try {
    await init({ module_or_path: await compile(usable()[0].url) });
    for (const { bits, key } of keys) {
      const say = (who) => (what, ns) => self.postMessage({ who, what: `browser: ${what}`, bits, ns });
      ours(Uint8Array.from(key), bits, seconds, say('ours'));
      bigInt(bits, seconds, say('BigInt'));
      await measurePaillier(paillierBigint, seconds, bits, say('paillier-bigint'));
    }
    self.postMessage({ end: true });
  } catch (error) {
    self.postMessage({ error: String(error.stack ?? error) });
  }
};

/** Rows of a photo, as the page encrypts and decrypts them; the times are for one ciphertext. */
function ours(file, bits, seconds, say) {
  const samples = new Uint8Array(SIDE * SIDE * 3);
  for (let start = 0; start < samples.length; start += 65536) {
    crypto.getRandomValues(samples.subarray(start, start + 65536));
  }
  const encryptor = (key) =>
    new Encryptor(key, newOrigin(), samples, SIDE, SIDE, 3, 'mean', { radius: '1' }, 'replicate');
  const prepare = () => {
    const key = SecretKey.fromBytes(file);
    encryptor(key).free();
    return key;
  };
  say('prepare key', measure(seconds, () => prepare().free()));

  const key = prepare();
  const tool = encryptor(key);
  const header = tool.header();
  const ciphertexts = Math.floor(tool.rowBytes / (bits / 4));
  say('encrypt as owner', measure(seconds, () => tool.encryptRow(1)) / ciphertexts);
  const frames = [1, 2, 3, 4, 5, 6, 7, 8].map((row) => [row, tool.encryptRow(row)]);
  tool.free();
  const decryptor = new Decryptor(key, header, []);
  let next = 0;
  const decrypt = () => decryptor.decryptRow(...frames[next++ % frames.length]);
  say('decrypt', measure(seconds, decrypt) / (ciphertexts - 2)); // the halo is not decrypted
  decryptor.free();
  key.free();
}

/** What BigInt makes of a product modulo n^2. */
function bigInt(bits, seconds, say) {
  const random = (bits) => {
    const bytes = crypto.getRandomValues(new Uint8Array(bits / 8));
    return BigInt(`0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`);
  };
  const n = random(bits) | 1n | (1n << BigInt(bits - 1));
  const squared = n * n;
  const [a, b] = [random(2 * bits) % squared, random(2 * bits) % squared];
  say('product', measure(seconds, () => (a * b) % squared));
}
