// A worker for encrypted vectors (CKKS) and the networks that classify encrypted photos, on the WebAssembly module that has nothing else. Talks only to the keeper; does no
// network requests.

import init, { CkksKey, CkksKeys, NetworkFront, ckksSelfTest } from './pkg/safelight_ckks.js';
import { pack, SafelightError } from '../../shared/errors.js';
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

const bad = (text) => new SafelightError('bad_argument', text);

/** What the module's numbers have no room for would be another number there. */
function whole(value, least, what) {
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  throw bad(`${what} is a whole number from ${least} on`);
}

const optional = (value, what) => (value === undefined ? undefined : whole(value, 0, what));
const levelOf = ({ level = key.levels }) => whole(level, 0, 'a level');

// How each purpose is put on the list of evaluation keys.
const PURPOSES = {
  products: (keys, one) => keys.products(levelOf(one)),
  rotation: (keys, one) => keys.rotation(whole(one.steps, 1 - 2 ** 31, 'a rotation’s number of steps'), levelOf(one)),
  conjugation: (keys, one) => keys.conjugation(levelOf(one)),
  automorphism: (keys, one) => keys.automorphism(whole(one.element, 0, 'an automorphism’s element'), levelOf(one)),
  bootstrapping: (keys, { slots }) => keys.bootstrapping(whole(slots, 0, 'the number of slots')),
};

function put(keys, one) {
  const purpose = Object(one).purpose;
  if (!Object.hasOwn(PURPOSES, purpose)) throw bad(`evaluation keys are for one of ${Object.keys(PURPOSES).join(', ')}`);
  PURPOSES[purpose](keys, one);
}

/** Runs `work` on a network's public part, which came from outside. */
function withFront(bytes, work) {
  const front = NetworkFront.read(bytes);
  try {
    return work(front);
  } finally {
    front.free();
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

  encrypt: ({ values, slots, level }) =>
    key.encrypt(values, optional(slots, 'the number of slots'), optional(level, 'a level')),
  decrypt: async ({ file }) => key.decrypt(new Uint8Array(await file.arrayBuffer())),

  /** Makes a list of evaluation keys: gives the header of their file and the length of each part in bytes. */
  list({ wanted }) {
    const network = wanted?.front instanceof Uint8Array;
    const keys = network ? withFront(wanted.front, (front) => front.keys(key)) : new CkksKeys(key);
    try {
      if (!network && !Array.isArray(wanted)) throw bad('say which evaluation keys: a list of purposes');
      if (!network) for (const one of wanted) put(keys, one);
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

  readFront: ({ front }) => withFront(front, ({ set, labels }) => ({ set, labels })),
  encryptPhoto: ({ front, photo: { samples, width, height, channels } }) =>
    withFront(front, (network) => network.encrypt(key, samples, width, height, channels)),
  /**
   * The label; with `scores` also all labels with how likely they are, in hundredths, likeliest first. Or the `failure`, which
   * is none of this worker: it goes on, so that the next photo takes as long, whatever an answer was.
   */
  async openAnswer({ front, file, scores }) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    try {
      return withFront(front, (network) => said(network, network.open(key, bytes), scores));
    } catch (error) {
      const failure = pack(error);
      if (failure.fatal) throw error;
      return { failure };
    }
  },
};

self.onmessage = ({ data: { port } }) => new Line(port, ops, { inOrder: true });
