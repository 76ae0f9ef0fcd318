// The class Safelight: keys, encryption and decryption, in browsers and in Node. Workers do the work; one of them, the keeper,
// has everything secret. This file starts them and sends them requests. It never sees the secret key, and the workers never
// see a file's name: they get slices, which have none.

import { cancelled, checkSignal, pack, SafelightError, workerError, unpack } from '../shared/errors.js';
import { Rpc } from '../shared/rpc.js';
import { usable } from './build.js';
import { checkPixels, Photo } from './photo.js';
import { workers } from './workers.js';

/**
 * The user's side of Safelight. `key` is the key in use, `etcKey` the one for scrambled pictures, `ckksKey` the one for
 * encrypted vectors. `keys` are all keys of the ring, each as `{ fingerprint, kind, name, bits, created, exported, stored,
 * protected }`. The event `keys` fires when a key or the protection has changed.
 *
 * Files are Blobs or bytes. Long operations take a `signal` and fail with the code `cancelled` when it is aborted.
 * `onProgress` receives `{ phase, done, total }`; a `total` of 0 means unknown.
 */
export class Safelight extends EventTarget {
  #keeper;
  #rpc;
  #workers = new Map(); // the keeper's pool: this page starts and ends its workers, but cannot communicate with them
  #start;
  #open = true;
  version = '';
  build = null; // the build of the WebAssembly module in use, `{ variant, arithmetic }`
  filters = []; // the catalogue: every filter with its parameters
  #used = {}; // by kind, the facts of the key in use
  keys = [];
  storage = 'memory'; // "kept": this browser stores the keys; "refused": it does not; "memory": it was not asked to
  protection = null; // of the stored keys: "passphrase", "passkey", "none", or null if nothing is stored yet
  locked = false; // whether stored keys need their passphrase or passkey

  /**
   * Starts the workers with the best build of the WebAssembly module that works here. With `remember`, keys are stored in
   * this browser, and the one last used for `site` is in use. Until `protectKeys` is called, they are stored unprotected:
   * anyone with a copy of the browser's profile can read them. With `remember: 'protected'`, none is stored before that. With
   * `ahead`, the workers use idle time to compute what the next encryption needs, which makes it faster.
   */
  static async open({ remember = false, site = '', ahead = false, signal } = {}) {
    const safelight = new Safelight();
    const stop = () => safelight.close();
    signal?.addEventListener('abort', stop);
    try {
      checkSignal(signal);
      // A credentialless frame loses its storage when the page closes. Only the page's window knows that it is in such a frame.
      const kept = remember && globalThis.credentialless ? 'refused' : remember;
      await safelight.#startBest({ remember: kept, site, ahead });
      return safelight;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  get key() {
    return this.#used.paillier ?? null;
  }

  get etcKey() {
    return this.#used.etc ?? null;
  }

  get ckksKey() {
    return this.#used.ckks ?? null;
  }

  /** The URL of the WebAssembly file in use. */
  get url() {
    return this.#start.url;
  }

  /** Ends all workers and discards all their data. Cancels work in progress; later calls fail with `closed`. */
  close() {
    this.#open = false;
    this.#end(cancelled());
  }

  [Symbol.dispose]() {
    this.close();
  }

  // ---- keys

  /** Creates a key and uses it. In its progress, `done` counts the candidates tried. Their number is a matter of chance. */
  async newKey(bits = 3072, { name, signal, onProgress } = {}) {
    const report = (done) => onProgress?.({ phase: 'key', done, total: 0 });
    return this.#newKey('paillier', { bits, name }, { signal, onProgress: report });
  }

  /** Creates a key for scrambled pictures and uses it. */
  async newEtcKey({ name, signal } = {}) {
    return this.#newKey('etc', { name }, { signal });
  }

  /** Opens a key file of any kind and uses its key. Protected files need their `passphrase`. */
  async openKey(file, { passphrase, name, signal } = {}) {
    return this.#took(await this.#ask('openKey', { file: nameless(file), passphrase, name }, { signal }));
  }

  /** The key file of the key in use of this kind: an age file with a passphrase, otherwise the bare key. */
  async exportKey({ passphrase = null, kind = 'paillier', signal } = {}) {
    const { file, keys } = await this.#ask('exportKey', { passphrase, kind }, { signal });
    this.#took(keys);
    return file;
  }

  /** Uses another key of the ring for its kind. */
  async useKey(fingerprint, { signal } = {}) {
    return this.#took(await this.#ask('useKey', { fingerprint }, { signal }));
  }

  /** Removes the key of this kind from the workers' memory; the ring keeps it. */
  async dropKey(kind = 'paillier') {
    this.#took(await this.#ask('dropKey', { kind }));
  }

  async renameKey(fingerprint, name) {
    this.#took(await this.#ask('renameKey', { fingerprint, name }));
  }

  /** Deletes a key from the ring and from memory, here and in the site's other pages. */
  async deleteKey(fingerprint) {
    this.#took(await this.#ask('deleteKey', { fingerprint }));
  }

  /**
   * Protects the keys of all kinds that this browser stores with a `passphrase` or a passkey (`passkey: true`, or the name for
   * it). Also changes the protection. `unprotected: true` stores them without protection. Earlier copies of the browser's
   * profile still contain the keys that were unprotected then.
   */
  async protectKeys({ passphrase, passkey, unprotected, signal } = {}) {
    if ([passphrase, passkey, unprotected].filter(Boolean).length !== 1) {
      throw new SafelightError('bad_argument', 'choose one of `passphrase`, `passkey` and `unprotected`');
    }
    if (!passkey) return void this.#took(await this.#ask('protectKeys', { passphrase }, { signal }));
    const name = passkey === true ? undefined : String(passkey);
    const made = await (await passkeys()).make({ name, signal });
    this.#took(await this.#ask('protectKeys', { passkey: made }, { signal }));
  }

  /** Unlocks the stored keys with their `passphrase` or, without one, the passkey, for which the browser asks. */
  async unlockKeys({ passphrase, signal } = {}) {
    const lock = await this.#ask('lock', {}, { signal });
    const secret = lock?.way === 'passkey' ? await (await passkeys()).ask({ ...lock, signal }) : undefined;
    this.#took(await this.#ask('unlockKeys', { passphrase, secret }, { signal }));
  }

  /** Removes protected keys from memory, here and in the site's other pages, until `unlockKeys`. */
  async lockKeys() {
    this.#took(await this.#ask('lockKeys'));
  }

  /** Deletes all keys and their protection, for users who have lost the passphrase or passkey. */
  async clearKeys() {
    this.#took(await this.#ask('clearKeys'));
  }

  /** Whether this browser can protect keys with a passkey on this page. */
  static async hasPasskeys() {
    return typeof PublicKeyCredential === 'function' && (await passkeys()).available();
  }

  /** Checks again which keys are stored: the user may have cleared them. */
  async refreshKeys() {
    this.#took(await this.#ask('keys'));
  }

  // ---- photos

  /** "photo", "image" (encrypted), "secret_key", "etc_key", "protected_key", "public_key" or another of our kinds. */
  async kind(file, { signal } = {}) {
    return this.#ask('kind', { file: nameless(file).slice(0, 64) }, { signal });
  }

  /**
   * Decodes a photo. The keeper has its samples until the `Photo` is freed. Its `colour` is "srgb", unless the file specifies
   * other colours: "icc", "cicp" or "gamma". `decrypt` writes these into the photo's result. The option `colour: 'srgb'`
   * converts the samples.
   */
  async read(file, { colour, signal, onProgress } = {}) {
    onProgress?.({ phase: 'decode', done: 0, total: 0 });
    const facts = await this.#ask('decode', { file: nameless(file), colour }, { signal });
    return new Photo(facts, () => this.#open && this.#rpc.tell('drop', { photo: facts.id }));
  }

  /**
   * Prepares two photos for blending: converts them to colour if one is, and to sRGB if their colours mean different things.
   * They must have the same size.
   */
  async match(first, second, { signal } = {}) {
    const changed = await this.#ask('match', { first: first.id, second: second.id }, { signal });
    for (const [i, facts] of changed.entries()) Object.assign([first, second][i], facts);
  }

  /**
   * Encrypts `input` for one filter: a photo, a file, or an array of two for a filter with two inputs. Files are not kept for
   * decryption, so their colours become sRGB. Options: `filter`, `params`, `border`, `maxBytes` (per photo; fails with
   * `too_large` above it). Returns the encrypted image as a Blob.
   */
  async encrypt(input, options = {}) {
    return this.#withPhotos(input, { ...options, colour: 'srgb' }, (photos) => this.#encrypt(photos, options));
  }

  /**
   * All steps: encrypts `input`, has a server filter it, decrypts the result, and compares it with the photo. `server` is a
   * `Server`, or any object with the same `filter` method. The other options are those of `encrypt` and `decrypt`. Returns
   * the result of `decrypt`, and the two files exchanged with the server: `upload` and `reply`.
   */
  async filter(input, options = {}) {
    const { server, filter, params, view, signal, onProgress } = options;
    if (typeof server?.filter !== 'function') {
      throw new SafelightError('bad_argument', 'no server given: set the option `server`');
    }
    return this.#withPhotos(input, options, async (photos) => {
      const { limits = {} } = server.info ?? (await server.look?.({ signal })) ?? {};
      for (const photo of photos) checkPixels(photo, limits.max_pixels);
      const upload = await this.#encrypt(photos, { maxBytes: limits.max_bytes, ...options });
      const reply = await server.filter(upload, { filter, params, signal, onProgress });
      const picture = await this.decrypt(reply, { view, photos, filter, params, signal, onProgress });
      return { ...picture, upload, reply };
    });
  }

  /**
   * Decrypts an encrypted image with the key in use, which must have encrypted its photos, and verifies what the server did.
   * If `photos` names the photos that `filter` with `params` was applied to, also compares pixels. Options: `view`; `expect`,
   * the filter that must have been applied, such as "gaussian sigma=2", or an array of several in order; `check`:
   * "where-possible" also decrypts photos that others encrypted, "none" verifies nothing; `png`: whether to create the file
   * too, which `pngOf` can do later. Returns `{ width, height, channels, filters, colour, rgba, png, checked }`, where
   * `colour` is what the samples mean, or null if unknown. An image with `checked: false` may show anything.
   */
  async decrypt(file, options = {}) {
    const { view = 'clamp', photos = [], filter, params = {}, check = 'required', png = true, signal, onProgress } = options;
    const ids = photos.map(({ id }) => id);
    const expect = options.expect === undefined ? undefined : [options.expect].flat().map(String);
    const args = { file: nameless(file), view, photos: ids, filter, params: texts(params), check, expect, png };
    const report = (done, total) => onProgress?.({ phase: 'decrypt', done, total });
    report(0, 0);
    const opened = await this.#run('paillier', 'decrypt', args, { signal, onProgress: report });
    if (opened.failure) throw Object.assign(unpack(opened.failure), { size: opened.size });
    return opened;
  }

  /** The PNG file of a picture returned by `decrypt`. */
  async pngOf(picture, { signal } = {}) {
    const { rgba, width, height, count, mark } = picture;
    return this.#run('paillier', 'png', { picture: { rgba, width, height, count, mark } }, { signal });
  }

  // ---- scrambled pictures: obfuscated, not encrypted

  /**
   * Scrambles a photo with the key `etcKey` into a JPEG or PNG file, in sRGB. Options: `form` ("colour", "grey" or
   * "grey-420"), `block` (pixels), `fixedKey` (scrambles every picture in the same way: such pictures give each other away),
   * `type` ("image/jpeg" or "image/png"), `quality`, `subsampling`, and `square`: only the middle of the photo, in grey,
   * scaled to `square` pixels on each side, for machine learning. Returns `{ file, label, width, height, blocks, resistance,
   * notices }`, and with `square` also `clear`, the picture before scrambling.
   */
  async scramble(input, { signal, onProgress, ...settings } = {}) {
    const report = (done, total) => onProgress?.({ phase: 'scramble', done, total });
    const how = { signal, onProgress: report };
    const ask = (source) => this.#run('etc', 'scramble', { ...source, ...settings }, how);
    if (input instanceof Photo) return ask({ photo: input.id });
    const file = nameless(input);
    try {
      return await ask({ file });
    } catch (error) {
      if (error.code !== 'unsupported_image') throw error;
      // Perhaps the browser can read it.
      return this.#withPhotos(file, { signal, onProgress }, ([{ id }]) => ask({ photo: id }));
    }
  }

  /**
   * Unscrambles a picture. `label` is needed for files that have lost theirs. Returns `{ width, height, channels, rgba,
   * png }`.
   */
  async unscramble(file, { label, signal } = {}) {
    return this.#run('etc', 'unscramble', { file: nameless(file), label }, { signal });
  }

  // ---- encrypted vectors

  /** The operations on encrypted vectors (CKKS): a `Ckks`. */
  async ckks() {
    const { Ckks } = await import('./schemes/ckks/page.js');
    const ask = (op, args, how) => this.#run('ckks', op, args, how);
    const newKey = (settings, how) => this.#newKey('ckks', settings, how);
    return new Ckks({ ask, newKey, nameless });
  }

  /** Encryption and decryption finish the current rows, then pause until `resume`. */
  pause() {
    if (this.#open) this.#rpc.tell('pause');
  }

  resume() {
    if (this.#open) this.#rpc.tell('resume');
  }

  /** Runs `work` on the photos of an input. Photos decoded for this are freed afterwards. */
  async #withPhotos(input, { colour, signal, onProgress }, work) {
    const photos = [];
    const ours = [];
    try {
      for (const one of Array.isArray(input) ? input : [input]) {
        if (!(one instanceof Photo)) ours.push(await this.read(one, { colour, signal, onProgress }));
        photos.push(one instanceof Photo ? one : ours.at(-1));
      }
      if (photos.length === 2) await this.match(...photos, { signal });
      return await work(photos);
    } finally {
      for (const photo of ours) photo.free();
    }
  }

  async #encrypt(photos, { filter, params = {}, border = 'replicate', maxBytes, signal, onProgress }) {
    if (typeof filter !== 'string') throw new SafelightError('bad_argument', 'no filter given: set the option `filter`');
    const parts = [];
    for (const [i, { id }] of photos.entries()) {
      const report = (done, total) =>
        onProgress?.({ phase: 'encrypt', done: i * total + done, total: photos.length * total });
      report(0, 0);
      const args = { photo: id, filter, params: texts(params), border, maxBytes };
      parts.push((await this.#run('paillier', 'encrypt', args, { signal, onProgress: report })).file);
    }
    return parts.length === 1 ? parts[0] : new Blob(parts, { type: parts[0].type });
  }

  // ---- workers

  /** Starts a keeper with the best build that works here. Each try needs a new one: a worker loads only one build. */
  async #startBest(settings) {
    let failure;
    for (const { variant, url } of usable()) {
      this.#start = { url: url.href, ...settings };
      this.#startKeeper();
      try {
        const { version, filters, arithmetic, keys } = await this.#rpc.call('start', this.#start);
        Object.assign(this, { version, filters, build: { variant, arithmetic } });
        this.#take(keys);
        return;
      } catch (error) {
        this.#end(error);
        if (!this.#open) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #ask(op, args, how) {
    if (!this.#open) throw new SafelightError('closed', 'this Safelight was closed; open another one');
    return this.#rpc.call(op, args, how);
  }

  /** Has the keeper do one of a scheme's own operations. */
  #run(scheme, op, args, how) {
    return this.#ask('run', { scheme, op, args }, how);
  }

  /** Returns the new key's facts, with the file of its public half if its scheme returns one. */
  async #newKey(kind, settings, how) {
    const { publicKey, ...state } = await this.#ask('newKey', { kind, ...settings }, how);
    const facts = this.#took(state);
    return publicKey ? { ...facts, publicKey } : facts;
  }

  #startKeeper() {
    const keeper = workers.keeper();
    keeper.onerror = (event) => {
      event.preventDefault();
      this.#keeperDied(workerError(event));
    };
    this.#keeper = keeper;
    const ops = {
      start: ({ worker, kind, port }) => this.#startWorker(worker, kind, port),
      end: ({ worker }) => this.#endWorker(worker),
      keys: (state) => this.#take(state),
    };
    this.#rpc = new Rpc(keeper, ops, { onFatal: (error) => this.#keeperDied(error) });
  }

  #startWorker(number, kind, port) {
    const worker = workers[kind]();
    worker.onerror = (event) => {
      event.preventDefault();
      this.#endWorker(number);
      this.#rpc.tell('died', { worker: number, error: pack(workerError(event)) });
    };
    worker.postMessage({ port }, [port]);
    this.#workers.set(number, worker);
  }

  #endWorker(number) {
    this.#workers.get(number)?.terminate();
    this.#workers.delete(number);
  }

  #end(error) {
    for (const number of [...this.#workers.keys()]) this.#endWorker(number);
    this.#keeper.terminate();
    this.#rpc.close(error);
  }

  /** The keys in use are lost with their keeper. Starts a new keeper so that the page keeps working. */
  #keeperDied(error) {
    this.#end(error);
    if (!this.#open || !this.version) return; // if it never started, another try would fail in the same way
    this.#startKeeper();
    this.#rpc.call('start', this.#start).then(({ keys }) => this.#take(keys), () => {});
    if (!Object.values(this.#used).every(({ stored }) => stored)) {
      const { storage, protection, locked } = this;
      this.#take({ list: [], used: {}, storage, protection, locked });
    }
  }

  #take({ list, used, storage, protection, locked }) {
    this.#used = used;
    Object.assign(this, { keys: list, storage, protection, locked });
    this.dispatchEvent(new Event('keys'));
  }

  #took(state) {
    this.#take(state);
    return this.keys.find(({ fingerprint }) => fingerprint === state.taken) ?? null;
  }
}

/** Loaded on first use. */
const passkeys = () => import('./passkey/passkey.js');

/** A file without its name; bytes become a Blob. */
function nameless(file) {
  if (file instanceof Blob) return file.slice();
  if (ArrayBuffer.isView(file) || file instanceof ArrayBuffer) return new Blob([file]);
  throw new SafelightError('bad_argument', 'a file must be a Blob, a File or bytes');
}

/** Converts parameters to strings, as in a URL. */
const texts = (params) => Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));

export { Photo, SafelightError };
