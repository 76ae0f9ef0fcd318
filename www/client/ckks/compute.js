// A worker for encrypted vectors (CKKS), on the WebAssembly module that has nothing else. Talks only to the keeper; does no
// network requests.

import init, { CkksKey, CkksKeys, ckksSelfTest } from './pkg/safelight_ckks.js';
import { Line } from '../../shared/line.js';

let key = null;
let making = null; // evaluation keys of which parts are asked for

/** The key of a key file, whose bytes are wiped. */
function read(bytes) {
  try {
    return CkksKey.fromBytes(bytes);
  } finally {
    bytes.fill(0);
  }
}

const facts = ({ fingerprint, set, bits }) => ({ fingerprint, set, bits });

// How each purpose is put on the list of evaluation keys.
const PURPOSES = {
  products: (keys, { level }) => keys.products(level),
  rotation: (keys, { steps, level }) => keys.rotation(steps, level),
  conjugation: (keys, { level }) => keys.conjugation(level),
  automorphism: (keys, { element, level }) => keys.automorphism(element, level),
  bootstrapping: (keys, { slots }) => keys.bootstrapping(slots),
};

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
    ckksSelfTest();
  },

  newKey({ set }) {
    const made = CkksKey.generate(set);
    try {
      return { ...facts(made), bytes: made.toBytes(), publicKey: made.publicKey() };
    } finally {
      made.free();
    }
  },
  /** What a key file's key is called, and what it is for. */
  check({ bytes }) {
    const one = read(bytes);
    try {
      return facts(one);
    } finally {
      one.free();
    }
  },
  key({ bytes }) {
    key = read(bytes);
  },

  encrypt: ({ values, slots, level }) => key.encrypt(values, slots, level),
  decrypt: async ({ file }) => key.decrypt(new Uint8Array(await file.arrayBuffer())),

  /** Makes a list of evaluation keys: gives the header of their file and the length of each part in bytes. */
  list({ wanted }) {
    const keys = new CkksKeys(key);
    try {
      for (const { purpose, ...how } of wanted) PURPOSES[purpose](keys, { level: key.levels, ...how });
      return { header: keys.header(), lengths: keys.partBytes() };
    } finally {
      keys.free();
    }
  },
  /** Parts of evaluation keys with this header are asked for from now on. */
  making({ header }) {
    making?.free();
    making = CkksKeys.fromHeader(key, header);
  },
  make: ({ part }) => making.make(part),
};

self.onmessage = ({ data: { port } }) => new Line(port, ops, { inOrder: true });
