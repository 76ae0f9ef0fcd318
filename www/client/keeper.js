// The keeper: a separate worker that holds the key ring, the secret key in use, and the pool. Keys leave it only for its own
// pool workers, and as a Blob when the user asks for the key file. Nothing here makes network requests: what goes to the
// server is handed to the page, encrypted.

import init, {
  KeySearch,
  SecretKey,
  arithmetic,
  fileKind,
  filterCatalogue,
  headerLength,
  resultHeader,
  selfTest,
  version,
} from './pkg/safelight.js';
import { checkSignal, SafelightError, unpack } from '../shared/errors.js';
import { Line } from '../shared/line.js';
import { compile } from './build.js';
import { checkedColour, nameOf, sameColour } from './colour.js';
import { Keys } from './keys.js';
import { Masks } from './schemes/paillier/masks.js';
import { LazyPool, Pool } from './pool.js';
import { rgbaOf } from './samples.js';
import { checkedSettings, Scrambling } from './schemes/etc/scheme.js';
import { Vectors } from './schemes/ckks/scheme.js';

const PROLOGUE = 32; // bytes that identify a file's kind
const LARGE_JOB = 4e6; // samples; after a larger job the workers are replaced, since wasm memory never shrinks
const MEMORY = 768e6; // bytes for the workers' copies of one photo, in total

let pool;
let codec; // for photo files that the browser does not decode correctly
let keys;
let scrambling;
let vectors;
let started; // settles when the module is ready
let idle; // whether masks are computed in idle time
const masks = new Masks();
const photos = new Map(); // decoded photos of running jobs: samples and alpha

const ops = {
  /** Starts with one build of the WebAssembly module; fails if the build does not work here. */
  start: (settings) => (started = start(settings)),

  // ---- keys; all return the state of the ring

  async newKey({ bits, name }, { signal, progress }) {
    const search = new KeySearch(bits);
    try {
      let made = search.step();
      for (let tried = 1; !made; tried++) {
        progress(tried, 0);
        await heard();
        checkSignal(signal);
        made = search.step();
      }
      return await adopt(made, signal, { name });
    } finally {
      search.free();
    }
  },

  /** Opens a key file, protected by a passphrase or not. */
  async openKey({ file, passphrase, name }, { signal }) {
    let bytes = new Uint8Array(await file.arrayBuffer());
    try {
      if (kind(bytes) === 'protected_key') {
        bytes = await unprotecting(signal)(bytes, passphrase ?? '');
      }
      const elsewhere = { etc_key: scrambling, ckks_secret_key: vectors }[kind(bytes)];
      const secret = elsewhere ? await elsewhere.openKey(bytes, signal) : SecretKey.fromBytes(bytes);
      return await adopt(secret, signal, { name, exported: true });
    } finally {
      bytes.fill(0);
    }
  },

  /** Creates a key for scrambled pictures. */
  async newEtcKey({ name }, { signal }) {
    return adopt(await scrambling.newKey(signal), signal, { name });
  },

  /** Creates a key for encrypted vectors. */
  async newCkksKey({ set, name }, { signal }) {
    const { secret, publicKey } = await vectors.newKey(set, signal);
    return { ...(await adopt(secret, signal, { name })), publicKey };
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
    const secret = neededKey(kind);
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
    return kind(new Uint8Array(await file.slice(0, PROLOGUE).arrayBuffer()));
  },

  /** Decodes a photo and keeps it under an id; the page gets what it needs to show it. */
  async decode({ file, colour }, { signal }) {
    const wanted = checkedColour(colour);
    const read = (helper) => helper.call('decode', { file });
    const { rgba, rounded, ...photo } = (await pool.disposable(signal, read)) ?? (await codec.run(signal, read));
    if (rounded) photo.file = file; // scrambling starts from the file, so that it gives the same bytes as the command line
    if (wanted === 'keep' || photo.colour.length === 0) return { ...remember(photo), rgba };
    const converted = await inSrgb(photo, signal);
    return { ...remember(converted), rgba: rgbaOf(converted) };
  },

  /** Prepares two photos for blending: if only one is in colour, the grey one is converted. */
  async match({ first, second }, { signal }) {
    const [a, b] = [neededPhoto(first), neededPhoto(second)];
    if (a.width !== b.width || a.height !== b.height) {
      throw new SafelightError(
        'images_differ',
        `the photos differ in size (${a.width} × ${a.height} and ${b.width} × ${b.height}); choose two of the same size`,
      );
    }
    for (const photo of [a, b]) {
      if (a.channels === b.channels || photo.channels === 3) continue;
      photo.samples = Uint8Array.from({ length: 3 * photo.samples.length }, (_, i) => photo.samples[Math.floor(i / 3)]);
      photo.channels = 3;
    }
    if (sameColour(a.colour, b.colour)) return [];
    for (const photo of [a, b]) Object.assign(photo, await inSrgb(photo, signal));
    return [a, b].map((photo) => ({ colour: nameOf(photo.colour), notices: photo.notices, rgba: rgbaOf(photo) }));
  },

  /** Encrypts a kept photo for one filter. Returns the encrypted image as a Blob. */
  async encrypt({ photo: id, filter, params, border, maxBytes }, { signal, progress }) {
    const photo = neededPhoto(id);
    neededKey();
    const ahead = masks.claim();
    const frames = [];
    let header;
    let columns;
    let done = 0;
    const work = {
      size: poolSize(photo.samples.length),
      signal,
      start: async (helper) => {
        giveKey(helper);
        const { samples, width, height, channels } = photo;
        const args = { origin: ahead.origin, photo: { samples, width, height, channels }, filter, params, border };
        const answer = await helper.call('encryptor', args);
        ({ header, columns } = answer);
        const length = header.length + answer.rows * answer.rowBytes;
        if (maxBytes && length > maxBytes) {
          throw new SafelightError(
            'too_large',
            `the encrypted photo has ${length} bytes, but the server accepts at most ${maxBytes}`,
          );
        }
        return answer;
      },
      row: async (helper, row, rows) => {
        const made = ahead.take(row * columns, columns);
        const frame = await helper.call('encryptRow', { row, masks: made }, made ? [made.buffer] : []);
        frames[row] = new Blob([frame]); // a Blob can be moved to disk, an array cannot
        progress(++done, rows);
      },
    };
    try {
      await pool.rows(work);
    } finally {
      ahead.wipe();
    }
    photo.header = header;
    if (photo.samples.length > LARGE_JOB) pool.end();
    return { file: new Blob([header, ...frames], { type: 'application/vnd.safelight' }) };
  },

  /**
   * Decrypts an encrypted image. If `photos` names the kept photos that this filter was applied to, compares it with them and
   * restores the first one's alpha and colour mark. Without them, `check` says whether to decrypt images that cannot be
   * verified, and `expect` which filters must have been applied.
   *
   * Unless the header is wrong, the work is the same for all images: every row is processed and the picture is assembled
   * before it can fail. So the time that it takes does not reveal what was found.
   */
  async decrypt({ file, view, photos: ids = [], filter, params, check, expect, png = true }, { signal, progress }) {
    const start = new Uint8Array(await file.slice(0, PROLOGUE).arrayBuffer());
    const header = new Uint8Array(await file.slice(0, headerLength(start)).arrayBuffer());
    const known = ids.map(neededPhoto);
    if (known.length > 0) checkHeader(header, known, filter, params);
    neededKey();
    const originals = known.map(({ samples }) => samples);
    // With exactly the header that the filter gives for what was sent, a key without masks can verify nothing more.
    const demands = known.length > 0 ? { check: 'where-possible' } : { check, expect };
    const photo = known[0];
    return pool.disposable(signal, async (assembler) => {
      let layout;
      let done = 0;
      await assembler.call('assembler', { header, view });
      const failure = await pool.rows({
        size: poolSize(originals.reduce((sum, { length }) => sum + length, 0)),
        signal,
        start: async (helper) => {
          giveKey(helper);
          layout = await helper.call('decryptor', { header, originals, ...demands });
          checkLength(file.size, layout.headerBytes + layout.rows * layout.rowBytes);
          return layout;
        },
        row: async (helper, row, rows) => {
          const from = layout.headerBytes + row * layout.rowBytes;
          const frame = file.slice(from, from + layout.rowBytes);
          const values = await helper.call('decryptRow', { row, frame });
          if (values) await assembler.call('place', { row, values }, [values.buffer]);
          progress(++done, rows);
        },
      });
      const picture = await assembler.call('finish', { alpha: photo?.alpha ?? undefined, colour: photo?.colour });
      if (picture.width * picture.height * picture.channels > LARGE_JOB) pool.end();
      if (failure) return { failure, size: { width: picture.width, height: picture.height } };
      const opened = { ...picture, colour: photo ? nameOf(photo.colour) : null, checked: layout.verifies };
      return png ? { ...opened, png: pngFile(await assembler.call('png', opened)) } : opened;
    });
  },

  /** The file of a picture that was decrypted without one. The time it takes depends on what the picture shows. */
  png: async ({ picture }, { signal }) =>
    pngFile(await pool.disposable(signal, (helper) => helper.call('png', picture))),

  /** Scrambles a photo file or a kept photo, in sRGB. This is obfuscation, not encryption. */
  async scramble({ file, photo: id, ...settings }, how) {
    const checked = checkedSettings(settings);
    const key = neededKey('etc');
    const { signal } = how;
    const convert = (file) => codec.run(signal, (helper) => helper.call('decode', { file, colour: 'srgb' }));
    if (!id) return scrambling.scramble(key, { file }, checked, convert, how);
    const photo = neededPhoto(id);
    try {
      if (photo.file) return await scrambling.scramble(key, { file: photo.file }, checked, convert, how);
    } catch (error) {
      if (error.code !== 'unsupported_image') throw error; // some files can be read only by the browser
    }
    const { samples, width, height, channels, notices } = await inSrgb(photo, signal);
    const { notices: more, ...made } = await scrambling.scramble(key, { samples, width, height, channels }, checked, convert, how);
    return { ...made, notices: [...notices.filter((notice) => !photo.notices.includes(notice)), ...more] };
  },

  unscramble: ({ file, label }, { signal }) => scrambling.unscramble(neededKey('etc'), file, label, signal),

  // ---- encrypted vectors

  /** One operation with the key and, for networks, a kept photo. */
  async vectors({ op, photo, ...args }, { signal }) {
    const seen = photo && (await inSrgb(neededPhoto(photo), signal)); // like those that the network learned from
    return vectors.run(() => neededKey('ckks'), op, { ...args, photo: seen }, signal);
  },
  beginKeys: ({ wanted }, { signal }) => vectors.begin(neededKey('ckks'), wanted, signal),
  makeKeys: ({ set, part }, { signal }) => vectors.part(set, part, signal),
  endKeys: ({ set }) => vectors.end(set),

  /** Forgets a kept photo. */
  drop({ photo }) {
    photos.delete(photo);
  },

  pause: () => pool.pause(),
  resume: () => pool.resume(),

  /** The page reports that a worker died. */
  died({ worker, error }) {
    pool.died(worker, error);
    codec.died(worker, error);
    scrambling.died(worker, error);
    vectors.died(worker, error);
  },
};

async function start(settings) {
  const { url, remember, site } = settings;
  idle = settings.ahead;
  const module = await compile(url); // once: the workers get the compiled module
  await init({ module_or_path: module });
  selfTest();
  pool = new Pool(module, page);
  codec = new LazyPool(page, 'codec');
  scrambling = new Scrambling(page);
  vectors = new Vectors(page);
  keys = await Keys.open({ remember, site, onGone: forget, onChange: (state) => page.tell('keys', state) });
  return { version: version(), filters: filterCatalogue(), arithmetic: arithmetic(), keys: await keys.state() };
}

/** Creates age files. This takes much memory, which is freed when the worker ends. */
const protecting = (signal) => (bytes, passphrase) =>
  pool.disposable(signal, (helper) => helper.call('protect', { bytes, passphrase }, [bytes.buffer]));

/** Opens age files, which takes just as much. */
const unprotecting = (signal) => (bytes, passphrase) =>
  pool.disposable(signal, (helper) => helper.call('unprotect', { bytes, passphrase }));

/** Lets messages be handled that arrived while the module was busy. */
const heard = () => new Promise((done) => setTimeout(done));

/** Adds a key to the ring, unless cancelled in the meantime. */
async function adopt(secret, signal, facts) {
  await heard();
  try {
    checkSignal(signal);
  } catch (error) {
    secret.free();
    throw error;
  }
  const { fingerprint } = secret;
  return { ...(await keys.add(secret, facts)), taken: fingerprint };
}

/** The key in use has changed or is gone: cancels work that depends on it, and ends the workers that have copies. */
function forget(kind) {
  if (kind === 'etc') return scrambling.end();
  if (kind === 'ckks') return vectors.forget();
  pool.end();
  masks.clear();
}

/** Hands the key to a worker that does not have it yet. */
function giveKey(helper) {
  if (helper.hasKey) return;
  const bytes = neededKey().toWorker();
  helper.hasKey = true;
  // A failure will show in the worker's next request.
  helper.call('key', { bytes }, [bytes.buffer]).catch(() => {});
}

/** The workers, with the key, if masks can be computed ahead. */
function maskMakers() {
  if (!idle || !keys?.secret()?.derivesMasks) return [];
  const team = pool.team(poolSize(0));
  team.forEach(giveKey);
  return team;
}

function neededKey(kind) {
  const secret = keys.secret(kind);
  if (secret) return secret;
  throw new SafelightError('foreign_key', 'there is no key in use; create one, or open your key file');
}

function neededPhoto(id) {
  const photo = photos.get(id);
  if (!photo) throw new SafelightError('bad_argument', 'this photo was freed; read it again');
  return photo;
}

function remember(photo) {
  const id = crypto.randomUUID();
  photos.set(id, photo);
  const { width, height, channels, notices, colour } = photo;
  return { id, width, height, channels, notices, colour: nameOf(colour) };
}

/** The photo, converted to sRGB if necessary. */
async function inSrgb(photo, signal) {
  if (photo.colour.length === 0) return photo;
  const { samples, width, height, channels, colour } = photo;
  const args = { samples, width, height, channels, colour };
  const made = await codec.run(signal, (helper) => helper.call('toSrgb', args));
  const notices = [...photo.notices.filter((notice) => notice !== 'hdr_in_8_bit'), ...made.notices];
  return { ...photo, samples: made.samples, colour: made.colour, notices };
}

function kind(bytes) {
  if (bytes.length < PROLOGUE) return 'photo';
  try {
    return fileKind(bytes.subarray(0, PROLOGUE));
  } catch (error) {
    return error.code === 'not_safelight' ? 'photo' : 'image'; // decrypting it will show what is wrong
  }
}

const pngFile = (bytes) => new Blob([bytes], { type: 'image/png' });

function poolSize(samples) {
  const cores = Math.min(8, navigator.hardwareConcurrency || 2);
  return Math.max(1, Math.min(cores, Math.floor(MEMORY / Math.max(1, 3 * samples))));
}

/** An honest server's answer begins with exactly the header that the filter gives for what was sent. */
function checkHeader(header, known, filter, params) {
  const sent = known.map((photo) => photo.header);
  const expected = resultHeader(sent, filter, params);
  if (header.length === expected.length && header.every((byte, i) => byte === expected[i])) return;
  throw new SafelightError(
    'wrong_result',
    'the server’s answer is not what this filter makes of this photo; do not rely on it, and use another server',
  );
}

function checkLength(actual, needed) {
  if (actual < needed)
    throw new SafelightError('truncated', 'the encrypted image is incomplete; get the whole file again');
  if (actual > needed)
    throw new SafelightError('trailing_data', 'there are bytes after the end of the encrypted image');
}

/** Operations wait for the start, and masks are computed only in idle time. */
const guarded = ([name, work]) => [
  name,
  async (args, how) => {
    if (name !== 'start') await started;
    masks.pause();
    try {
      return await work(args, how);
    } finally {
      masks.resume(maskMakers);
    }
  },
];

const page = new Line(self, Object.fromEntries(Object.entries(ops).map(guarded)));
