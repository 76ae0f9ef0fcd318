// A worker for encrypted vectors (CKKS) and for networks that classify encrypted photos, with its own WebAssembly module. It
// communicates only with the keeper and makes no network requests.

import init, { CkksKey, CkksKeys, NetworkSpec, ckksSelfTest } from './pkg/safelight_ckks.js';
import { pack, SafelightError } from '../../../shared/errors.js';
import { Rpc } from '../../../shared/rpc.js';

let key = null;
let making = null; // evaluation keys whose parts are being requested

/** Reads the key of a key file and wipes the file's bytes. */
function read(bytes) {
  try {
    return CkksKey.fromBytes(bytes);
  } finally {
    bytes.fill(0);
  }
}

const facts = ({ fingerprint, set, bits }) => ({ fingerprint, set, bits });

const bad = (text) => new SafelightError('bad_argument', text);

/** Checks the range: a number that the module's type cannot hold would become another number there. */
function whole(value, least, what) {
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  throw bad(`${what} must be a whole number of at least ${least}`);
}

const optional = (value, what) => (value === undefined ? undefined : whole(value, 0, what));
const levelOf = ({ level = key.levels }) => whole(level, 0, 'a level');

// How to add each purpose to the list of evaluation keys.
const PURPOSES = {
  products: (keys, one) => keys.products(levelOf(one)),
  rotation: (keys, one) => keys.rotation(whole(one.steps, 1 - 2 ** 31, 'the number of steps of a rotation'), levelOf(one)),
  conjugation: (keys, one) => keys.conjugation(levelOf(one)),
  automorphism: (keys, one) => keys.automorphism(whole(one.element, 0, 'the element of an automorphism'), levelOf(one)),
  bootstrapping: (keys, { slots }) => keys.bootstrapping(whole(slots, 0, 'the number of slots')),
};

function put(keys, one) {
  const purpose = Object(one).purpose;
  const known = Object.keys(PURPOSES).join(', ');
  if (!Object.hasOwn(PURPOSES, purpose)) throw bad(`the purpose of evaluation keys must be one of ${known}`);
  PURPOSES[purpose](keys, one);
}

/** Runs `work` on a network's public part, which is untrusted. */
function withSpec(bytes, work) {
  const spec = NetworkSpec.read(bytes);
  try {
    return work(spec);
  } finally {
    spec.free();
  }
}

function said({ labels }, answer, scores) {
  const { class: first, probabilities } = answer;
  answer.free();
  if (!scores) return { label: labels[first] };
  const found = labels.map((label, i) => ({ label, probability: probabilities[i] }));
  const [top] = found.splice(first, 1);
  return { label: top.label, found: [top, ...found.sort((a, b) => b.probability - a.probability)] };
}

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
  /** The fingerprint and parameters of a key file's key. */
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

  encrypt: ({ values, slots, level }) =>
    key.encrypt(values, optional(slots, 'the number of slots'), optional(level, 'a level')),
  decrypt: async ({ file }) => key.decrypt(new Uint8Array(await file.arrayBuffer())),

  /** Prepares a list of evaluation keys: returns the header of their file and the length of each part in bytes. */
  list({ wanted }) {
    const network = wanted?.spec instanceof Uint8Array;
    const keys = network ? withSpec(wanted.spec, (spec) => spec.keys(key)) : new CkksKeys(key);
    try {
      if (!network && !Array.isArray(wanted)) throw bad('evaluation keys need a list of purposes');
      if (!network) for (const one of wanted) put(keys, one);
      return { header: keys.header(), lengths: keys.partBytes() };
    } finally {
      keys.free();
    }
  },
  /** From now on, parts of evaluation keys with this header will be requested. */
  making({ header }) {
    making?.free();
    making = CkksKeys.fromHeader(key, header);
  },
  make: ({ part }) => making.make(part),

  readSpec: ({ spec }) => withSpec(spec, ({ set, labels }) => ({ set, labels })),
  encryptPhoto: ({ spec, photo: { samples, width, height, channels } }) =>
    withSpec(spec, (network) => network.encrypt(key, samples, width, height, channels)),
  /**
   * Returns the label; with `scores`, also all labels with their probabilities in hundredths, likeliest first. For a bad
   * answer, returns `failure` instead: the worker itself has not failed and goes on, so the next photo takes equally long,
   * whatever the answer was.
   */
  async openAnswer({ spec, file, scores }) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    try {
      return withSpec(spec, (network) => said(network, network.open(key, bytes), scores));
    } catch (error) {
      const failure = pack(error);
      if (failure.fatal) throw error;
      return { failure };
    }
  },
};

self.onmessage = ({ data: { port } }) => new Rpc(port, ops, { inOrder: true });
