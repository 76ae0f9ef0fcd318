// The keeper: a separate worker that holds the key ring, the secret keys in use, and the pools. Keys leave it only for its own
// pool workers, and as a Blob when the user asks for the key file. Nothing here makes network requests: the page sends
// everything to the server, and gets it encrypted.
//
// It knows no details of any scheme. The interface of a scheme is in schemes/scheme.js.

import init, { arithmetic, filterCatalogue, selfTest, version } from './pkg/safelight.js';
import { checkSignal, SafelightError } from '../shared/errors.js';
import { Rpc } from '../shared/rpc.js';
import { compile } from './build.js';
import { Keys } from './keys.js';
import { kindOf, PROLOGUE } from './kind.js';
import { Photos } from './photos.js';
import { LazyPool, Pool } from './pool.js';
import { SCHEMES } from './schemes.js';

let pool; // for what all schemes need
let codec; // for photo files that the browser does not decode correctly
let photos;
let keys;
let schemes = new Map(); // by name
let started; // settles when the module is ready
let ahead; // whether schemes may use idle time to compute what they will need
let running = 0; // operations

const ops = {
  /** Starts with one build of the WebAssembly module; fails if the build does not work here. */
  start: (settings) => (started = start(settings)),

  // ---- keys; all return the state of the ring

  /** Creates a key of a kind. Also returns whatever else its scheme returns. The scheme gets the other settings. */
  async newKey({ kind, name, ...settings }, how) {
    const { secret, ...more } = await schemes.get(kind).newKey(settings, how);
    return { ...(await adopt(kind, secret, how.signal, { name })), ...more };
  },

  /** Opens a key file, protected by a passphrase or not. */
  async openKey({ file, passphrase, name }, { signal }) {
    let bytes = new Uint8Array(await file.arrayBuffer());
    try {
      if (kindOf(bytes) === 'protected_key') {
        bytes = await unprotecting(signal)(bytes, passphrase ?? '');
      }
      const scheme = schemeOf(bytes);
      const secret = await scheme.openKey(bytes, { signal });
      return await adopt(scheme.name, secret, signal, { name, exported: true });
    } finally {
      bytes.fill(0);
    }
  },

  async useKey({ fingerprint }) {
    return { ...(await keys.use(fingerprint)), taken: fingerprint };
  },
  dropKey: ({ kind }) => keys.drop(kind),
  renameKey: ({ fingerprint, name }) => keys.change(fingerprint, { name }),
  deleteKey: ({ fingerprint }) => keys.remove(fingerprint),
  keys: () => keys.state(),

  lock: () => keys.lock(),
  /** With a passphrase, or with a passkey: `{ credential, salt, secret }`. */
  async protectKeys({ passphrase, passkey }, { signal }) {
    try {
      return await keys.protect({ passphrase, passkey }, protecting(signal));
    } finally {
      passkey?.secret.fill(0);
    }
  },
  /** With a passphrase, or with a passkey's secret. */
  async unlockKeys({ passphrase, secret }, { signal }) {
    try {
      return await keys.unlock({ passphrase, secret }, unprotecting(signal));
    } finally {
      secret?.fill(0);
    }
  },
  lockKeys: () => keys.relock(),
  clearKeys: () => keys.clear(),

  /** The key file: an age file if there is a passphrase, otherwise the bare key. */
  async exportKey({ passphrase, kind }, { signal }) {
    const secret = keys.needed(kind);
    const { fingerprint } = secret;
    let bytes = secret.toBytes();
    if (passphrase) bytes = await protecting(signal)(bytes, passphrase);
    const file = new Blob([bytes], { type: 'application/octet-stream' });
    bytes.fill(0);
    return { file, keys: await keys.change(fingerprint, { exported: true }) };
  },

  // ---- photos

  /** The kind of a file: "image" (encrypted), a key ("secret_key", "etc_key"…), or "photo" for anything else. */
  async kind({ file }) {
    return kindOf(new Uint8Array(await file.slice(0, PROLOGUE).arrayBuffer()));
  },

  /** Decodes a photo and keeps it until `drop`; the page gets what it needs to show it. */
  decode: ({ file, colour }, { signal }) => photos.decode(file, colour, signal),
  /** Prepares two kept photos for blending. */
  match: ({ first, second }, { signal }) => photos.match(first, second, signal),
  drop: ({ photo }) => photos.drop(photo),

  // ---- what schemes do

  /** One of a scheme's own operations. */
  run({ scheme, op, args }, how) {
    const known = schemes.get(scheme)?.ops ?? {};
    if (!Object.hasOwn(known, op)) throw new SafelightError('bad_argument', `unknown operation: ${scheme} ${op}`);
    return known[op](args, how);
  },

  pause: () => schemes.forEach((scheme) => scheme.pause()),
  resume: () => schemes.forEach((scheme) => scheme.resume()),

  /** The page reports that a worker died. */
  died({ worker, error }) {
    for (const one of [pool, codec, ...schemes.values()]) one.died(worker, error);
  },
};

async function start(settings) {
  const { url, remember, site } = settings;
  ahead = settings.ahead;
  const module = await compile(url); // once: the workers get the compiled module
  await init({ module_or_path: module });
  selfTest();
  pool = new Pool(module, page);
  codec = new LazyPool(page, 'codec');
  photos = new Photos(pool, codec);
  const made = SCHEMES.map((Manifest) => new Manifest(offer(module)));
  schemes = new Map(made.map((scheme) => [scheme.name, scheme]));
  keys = await Keys.open({ remember, site, schemes, onChange: (state) => page.tell('keys', state) });
  return { version: version(), filters: filterCatalogue(), arithmetic: arithmetic(), keys: await keys.state() };
}

/** What schemes may use: the first `module` and the channel to the `page` for their workers, kept photos, and the keys in use. */
const offer = (module) => ({
  module,
  page,
  photos,
  heard,
  key: (kind) => keys?.secret(kind) ?? null,
  neededKey: (kind) => keys.needed(kind),
});

/** The scheme of a key file. Any other file goes to the first scheme, which fails with an error that says what the file is. */
function schemeOf(bytes) {
  const all = [...schemes.values()];
  const kind = kindOf(bytes);
  return all.find(({ keyFile }) => keyFile === kind) ?? all[0];
}

/** Creates age files. This takes a lot of memory, which is freed when the worker ends. */
const protecting = (signal) => (bytes, passphrase) =>
  pool.disposable(signal, (helper) => helper.call('protect', { bytes, passphrase }, [bytes.buffer]));

/** Opens age files, which takes just as much memory. */
const unprotecting = (signal) => (bytes, passphrase) =>
  pool.disposable(signal, (helper) => helper.call('unprotect', { bytes, passphrase }));

/** Waits until messages that arrived while a module was busy have been handled. */
const heard = () => new Promise((done) => setTimeout(done));

/** Adds a key to the ring, unless cancelled in the meantime. */
async function adopt(kind, secret, signal, facts) {
  await heard();
  try {
    checkSignal(signal);
  } catch (error) {
    secret.free();
    throw error;
  }
  const { fingerprint } = secret;
  return { ...(await keys.add(kind, secret, facts)), taken: fingerprint };
}

/** Operations wait for the start. Computing ahead waits until no operation is running. */
const guarded = ([name, work]) => [
  name,
  async (args, how) => {
    if (name !== 'start') await started;
    if (running++ === 0) schemes.forEach((scheme) => scheme.busy());
    try {
      return await work(args, how);
    } finally {
      if (--running === 0 && ahead) schemes.forEach((scheme) => scheme.idle());
    }
  },
];

const page = new Rpc(self, Object.fromEntries(Object.entries(ops).map(guarded)));
