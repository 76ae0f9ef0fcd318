// One build of the module for encrypted vectors, used in ways that no page can: with seeds, and with a view of its memory.

import { compile } from '/vault/client/build.js';
import init, { CkksKey, CkksKeys, ckksArithmetic, ckksSelfTest } from '/vault/client/schemes/ckks/pkg/safelight_ckks.js';

const [KEY, CIPHERTEXT, PART] = [1, 2, 3]; // as in tests/ckks_seeded.rs
const seed = (byte) => new Uint8Array(32).fill(byte);

const hash = async (bytes) =>
  Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');

const put = {
  products: (keys, { level }) => keys.products(level),
  rotation: (keys, { steps, level }) => keys.rotation(steps, level),
  conjugation: (keys, { level }) => keys.conjugation(level),
  automorphism: (keys, { element, level }) => keys.automorphism(element, level),
  bootstrapping: (keys, { slots }) => keys.bootstrapping(slots),
};

self.onmessage = async ({ data: { file, task } }) => {
  try {
    const url = new URL(`/vault/client/schemes/ckks/pkg/${file}`, location);
    const { memory } = await init({ module_or_path: await compile(url) });
    ckksSelfTest();
    self.postMessage({ value: { arithmetic: ckksArithmetic(), ...(await tasks[task.what](task)), memory: memory.buffer.byteLength } });
  } catch (error) {
    self.postMessage({ error: String(error.code ?? '') + String(error.stack ?? error) });
  }
};

const tasks = {
  /** The digests of everything derived from the seeds of a case in tests/vectors/ckks-seeded.json. */
  async seeded({ set, wanted, made, numbers, level }) {
    const key = CkksKey.generate(set, seed(KEY));
    const keys = new CkksKeys(key);
    for (const { purpose, ...how } of wanted) put[purpose](keys, how);
    const header = keys.header();
    const values = Float64Array.from({ length: numbers }, (_, i) => ((i * 37) % 101) / 7 - 5);
    const ciphertext = key.encrypt(values, undefined, level, seed(CIPHERTEXT));
    const opened = key.decrypt(ciphertext);
    const again = CkksKey.fromBytes(key.toBytes());
    const parts = [];
    for (const part of made) parts.push(await hash(CkksKeys.fromHeader(again, header).make(part, seed(PART + part))));
    const sha256 = {
      secret: await hash(key.toBytes()),
      public: await hash(key.publicKey()),
      header: await hash(header),
      parts,
      ciphertext: await hash(ciphertext),
      opened: await hash(opened),
    };
    return { sha256, far: Math.max(...values.map((value, i) => Math.abs(value - opened[i]))) };
  },

  newKey: ({ set }) => ({ bytes: Array.from(CkksKey.generate(set).toBytes()) }),

  /** The cost of making evaluation keys for the highest level, as a worker does: seconds to prepare, and for each part. */
  cost({ bytes, times }) {
    let start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    const key = CkksKey.fromBytes(Uint8Array.from(bytes));
    const begin = seconds();
    const keys = new CkksKeys(key);
    keys.bootstrapping(2);
    const each = [];
    let length = 0;
    for (let i = 0; i < times; i++) {
      start = performance.now();
      ({ length } = keys.make(0));
      each.push(seconds());
    }
    return { begin, each, length };
  },
};
