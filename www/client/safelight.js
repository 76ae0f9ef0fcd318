// Safelight's class: keys, encryption, decryption, in browsers and in Node. The work is done in workers of which one, the
// keeper, has everything secret; this file starts them and asks them. It never sees the secret key, and the workers never
// see a file's name: they get slices, which have none.

import { cancelled, checkSignal, pack, SafelightError, workerError } from '../shared/errors.js';
import { Line } from '../shared/line.js';
import { usable } from './build.js';
import { checkPixels, Photo } from './photo.js';
import { workers } from './workers.js';

/**
 * The user's end of Safelight. `key` is the key in use, `etcKey` that of scrambled pictures, `ckksKey` that of encrypted
 * vectors, `keys` are all of the ring, each as `{ fingerprint, kind, name, bits, created, exported, stored, protected }`;
 * the event `keys` says that one has changed, or how they are protected.
 *
 * Files are Blobs or bytes. Everything that takes time takes a `signal`, and fails with the code `cancelled` when that is
 * aborted. `onProgress` hears `{ phase, done, total }`, where a `total` of 0 means that nobody knows.
 */
export class Safelight extends EventTarget {
  #keeper;
  #line;
  #workers = new Map(); // the keeper's pool, which this page starts and ends for it but cannot talk to
  #start;
  #open = true;
  version = '';
  build = null; // which build of the WebAssembly module works here, `{ variant, arithmetic }`
  filters = []; // the catalogue: every filter with its parameters
  key = null;
  etcKey = null;
  ckksKey = null;
  keys = [];
  storage = 'memory'; // "kept": this browser keeps the keys; "refused": it does not; "memory": it was not asked to
  protection = null; // of the stored keys: "passphrase", "passkey", "none", or null where nothing is stored yet
  locked = false; // whether stored keys wait for their passphrase or passkey

  /**
   * Starts the workers with the best build of the WebAssembly module that works here. With `remember` the keys are kept
   * in this browser, and the one last used for `site` is in use. They are kept unprotected, so that a copy of the browser's
   * profile opens them, until `protectKeys` is called; with `remember: 'protected'` none is stored before that. With
   * `ahead` the workers use idle time to compute what the next encryption needs: it is faster then, but they work without
   * being asked.
   */
  static async open({ remember = false, site = '', ahead = false, signal } = {}) {
    const safelight = new Safelight();
    const stop = () => safelight.close();
    signal?.addEventListener('abort', stop);
    try {
      checkSignal(signal);
      // What a frame without credentials stores is thrown away with the page; only the page's window knows that it is in one.
      const kept = remember && globalThis.credentialless ? 'refused' : remember;
      await safelight.#startBest({ remember: kept, site, ahead });
      return safelight;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Where the WebAssembly file in use came from. */
  get url() {
    return this.#start.url;
  }

  /** Ends all workers, and with them all that they know. What is under way is cancelled; later calls fail: `closed`. */
  close() {
    this.#open = false;
    this.#end(cancelled());
  }

  [Symbol.dispose]() {
    this.close();
  }

  // ---- keys

  /** Makes a key and uses it. `done` of its progress counts tried candidates: how many it takes is luck. */
  async newKey(bits = 3072, { name, signal, onProgress } = {}) {
    const report = (done) => onProgress?.({ phase: 'key', done, total: 0 });
    return this.#took(await this.#ask('newKey', { bits, name }, { signal, onProgress: report }));
  }

  /** Makes a key of scrambled pictures and uses it. */
  async newEtcKey({ name, signal } = {}) {
    return this.#took(await this.#ask('newEtcKey', { name }, { signal }));
  }

  /** Uses the key of a key file, of any kind. `passphrase` is for protected ones. */
  async openKey(file, { passphrase, name, signal } = {}) {
    return this.#took(await this.#ask('openKey', { file: nameless(file), passphrase, name }, { signal }));
  }

  /** The file of the key in use of a kind: an age file under a passphrase, or, without one, the bare key. */
  async exportKey({ passphrase = null, kind = 'paillier', signal } = {}) {
    const { file, keys } = await this.#ask('exportKey', { passphrase, kind }, { signal });
    this.#took(keys);
    return file;
  }

  /** Uses another key of the ring, for what its kind is for. */
  async useKey(fingerprint, { signal } = {}) {
    return this.#took(await this.#ask('useKey', { fingerprint }, { signal }));
  }

  /** Takes the key of a kind out of the workers' memory; the ring keeps it. */
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
   * Protects the keys that this browser keeps, of all kinds, by `passphrase`, or by a passkey (`passkey: true`, or what the
   * browser is to call it). Also changes the protection. `unprotected: true` stores them without. Copies of the browser's
   * profile that were made before keep what was unprotected then.
   */
  async protectKeys({ passphrase, passkey, unprotected, signal } = {}) {
    if ([passphrase, passkey, unprotected].filter(Boolean).length !== 1) {
      throw new SafelightError('bad_argument', 'choose one: `passphrase`, `passkey` or `unprotected`');
    }
    if (!passkey) return void this.#took(await this.#ask('protectKeys', { passphrase }, { signal }));
    const name = passkey === true ? undefined : String(passkey);
    const made = await (await passkeys()).make({ name, signal });
    this.#took(await this.#ask('protectKeys', { passkey: made }, { signal }));
  }

  /** Unlocks the stored keys by their `passphrase`; without one by the passkey, for which the browser asks. */
  async unlockKeys({ passphrase, signal } = {}) {
    const lock = await this.#ask('lock', {}, { signal });
    const secret = lock?.way === 'passkey' ? await (await passkeys()).ask({ ...lock, signal }) : undefined;
    this.#took(await this.#ask('unlockKeys', { passphrase, secret }, { signal }));
  }

  /** Takes protected keys out of memory, here and in the site's other pages: they wait for `unlockKeys` then. */
  async lockKeys() {
    this.#took(await this.#ask('lockKeys'));
  }

  /** Deletes all keys and their protection, for users who have lost the passphrase or the passkey. */
  async clearKeys() {
    this.#took(await this.#ask('clearKeys'));
  }

  /** Whether this browser can protect keys by a passkey, where this script runs. */
  static async hasPasskeys() {
    return typeof PublicKeyCredential === 'function' && (await passkeys()).available();
  }

  /** Looks again which keys are stored: the user may have cleared them. */
  async refreshKeys() {
    this.#took(await this.#ask('keys'));
  }

  // ---- photos

  /** "photo", "image" (an encrypted one), "secret_key", "etc_key", "protected_key", "public_key" or another of our kinds. */
  async kind(file, { signal } = {}) {
    return this.#ask('kind', { file: nameless(file).slice(0, 64) }, { signal });
  }

  /**
   * Reads a photo. The keeper has its samples until the `Photo` is freed. Its `colour` is "srgb", or what the file says
   * instead: "icc", "cicp" or "gamma"; `decrypt` writes that into the result of the photo. With the option `colour: 'srgb'`
   * the samples are converted.
   */
  async read(file, { colour, signal, onProgress } = {}) {
    onProgress?.({ phase: 'decode', done: 0, total: 0 });
    const facts = await this.#ask('decode', { file: nameless(file), colour }, { signal });
    return new Photo(facts, () => this.#open && this.#line.tell('drop', { photo: facts.id }));
  }

  /**
   * Makes two photos that are to be blended alike: grey ones coloured, and sRGB if their colours mean different things. They
   * must have the same size.
   */
  async match(first, second, { signal } = {}) {
    const changed = await this.#ask('match', { first: first.id, second: second.id }, { signal });
    for (const [i, facts] of changed.entries()) Object.assign([first, second][i], facts);
  }

  /**
   * Encrypts `input` for one filter: a photo that was read, a file, or an array of two for a filter of two. Of a file nothing is
   * kept, so its colours become sRGB. Options:
   * `filter`, `params`, `border`, `maxBytes` (of each photo; fail with `too_large` above). Gives the encrypted image as a
   * Blob.
   */
  async encrypt(input, options = {}) {
    return this.#withPhotos(input, { ...options, colour: 'srgb' }, (photos) => this.#encrypt(photos, options));
  }

  /**
   * The whole way: encrypts `input`, has a server filter it, opens the result, and compares it with the photo. `server` is
   * a `Server`, or whatever has such a `filter`. The other options are those of `encrypt` and `decrypt`. Gives what
   * `decrypt` gives, and the two files that travelled: `upload` and `reply`.
   */
  async filter(input, options = {}) {
    const { server, filter, params, view, signal, onProgress } = options;
    if (typeof server?.filter !== 'function') throw new SafelightError('bad_argument', 'name a server: option `server`');
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
   * Opens an encrypted image with the key in use, which must have encrypted its photos: what the server did is verified. If
   * `photos` names what it was made of, by `filter` with `params`, pixels are compared, too. Options: `view`; `expect`, the
   * filter that must have been applied, such as "gaussian sigma=2", or an array of several in their order; `check`:
   * "where-possible" also opens photos that others encrypted, "none" verifies nothing; `png`: whether to make the file, too,
   * which `pngOf` can make later. Gives `{ width, height, channels, filters, colour, rgba, png, checked }`, where `colour` is what the
   * samples mean and null if that is not known; an image with `checked: false` may show anything.
   */
  async decrypt(file, options = {}) {
    const { view = 'clamp', photos = [], filter, params = {}, check = 'required', png = true, signal, onProgress } = options;
    const ids = photos.map(({ id }) => id);
    const expect = options.expect === undefined ? undefined : [options.expect].flat().map(String);
    const args = { file: nameless(file), view, photos: ids, filter, params: texts(params), check, expect, png };
    const report = (done, total) => onProgress?.({ phase: 'decrypt', done, total });
    report(0, 0);
    return this.#ask('decrypt', args, { signal, onProgress: report });
  }

  /** The PNG file of a picture that `decrypt` gave. */
  async pngOf(picture, { signal } = {}) {
    const { rgba, width, height, count, mark } = picture;
    return this.#ask('png', { picture: { rgba, width, height, count, mark } }, { signal });
  }

  // ---- scrambled pictures: obfuscated, not encrypted

  /**
   * Scrambles a photo, with the key `etcKey`, to a picture that stays a JPEG or PNG file, in sRGB. Options: `form` ("colour", "grey"
   * or "grey-420"), `block` (pixels), `fixedKey` (every picture alike: such pictures give each other away), `type`
   * ("image/jpeg" or "image/png"), `quality`, `subsampling`, and `square`: not the whole photo but its middle, in grey, so
   * many pixels wide and high, for programs that learn. Gives `{ file, label, width, height, blocks, resistance,
   * notices }`, and for a square `clear`, that picture before it was scrambled.
   */
  async scramble(input, { signal, onProgress, ...settings } = {}) {
    const report = (done, total) => onProgress?.({ phase: 'scramble', done, total });
    const ask = (source) => this.#ask('scramble', { ...source, ...settings }, { signal, onProgress: report });
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
   * Puts a scrambled picture together again. `label` is for files that have lost it. Gives `{ width, height, channels,
   * rgba, png }`.
   */
  async unscramble(file, { label, signal } = {}) {
    return this.#ask('unscramble', { file: nameless(file), label }, { signal });
  }

  // ---- encrypted vectors

  /** What is to be had of encrypted vectors (CKKS): a `Ckks`. */
  async ckks() {
    const { Ckks } = await import('./ckks/ckks.js');
    const ask = async (op, args, how) => {
      const answer = await this.#ask(op, args, how);
      return op === 'newCkksKey' ? { ...this.#took(answer), publicKey: answer.publicKey } : answer;
    };
    return new Ckks(ask, nameless);
  }

  /** Encryption and decryption stop after the rows that are under way, until `resume`. */
  pause() {
    if (this.#open) this.#line.tell('pause');
  }

  resume() {
    if (this.#open) this.#line.tell('resume');
  }

  /** Runs `work` on the photos of an input. Those that are read for it are freed afterwards. */
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
    if (typeof filter !== 'string') throw new SafelightError('bad_argument', 'say for which filter: option `filter`');
    const parts = [];
    for (const [i, { id }] of photos.entries()) {
      const report = (done, total) =>
        onProgress?.({ phase: 'encrypt', done: i * total + done, total: photos.length * total });
      report(0, 0);
      const args = { photo: id, filter, params: texts(params), border, maxBytes };
      parts.push((await this.#ask('encrypt', args, { signal, onProgress: report })).file);
    }
    return parts.length === 1 ? parts[0] : new Blob(parts, { type: parts[0].type });
  }

  // ---- workers

  /** Starts a keeper with the best build that works here. Every try needs a new one: a worker loads one build only. */
  async #startBest(settings) {
    let failure;
    for (const { variant, url } of usable()) {
      this.#start = { url: url.href, ...settings };
      this.#startKeeper();
      try {
        const { version, filters, arithmetic, keys } = await this.#line.call('start', this.#start);
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
    return this.#line.call(op, args, how);
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
    this.#line = new Line(keeper, ops, { onFatal: (error) => this.#keeperDied(error) });
  }

  #startWorker(number, kind, port) {
    const worker = workers[kind]();
    worker.onerror = (event) => {
      event.preventDefault();
      this.#endWorker(number);
      this.#line.tell('died', { worker: number, error: pack(workerError(event)) });
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
    this.#line.close(error);
  }

  /** The key in use died with its keeper. A new one is started so that the page goes on working. */
  #keeperDied(error) {
    this.#end(error);
    if (!this.#open || !this.version) return; // where it never started, another try would end the same way
    this.#startKeeper();
    this.#line.call('start', this.#start).then(({ keys }) => this.#take(keys), () => {});
    if (!this.key?.stored) {
      const { storage, protection, locked } = this;
      this.#take({ list: [], used: {}, storage, protection, locked });
    }
  }

  #take({ list, used: { paillier: key = null, etc: etcKey = null, ckks: ckksKey = null }, storage, protection, locked }) {
    Object.assign(this, { keys: list, key, etcKey, ckksKey, storage, protection, locked });
    this.dispatchEvent(new Event('keys'));
  }

  #took(state) {
    this.#take(state);
    return this.keys.find(({ fingerprint }) => fingerprint === state.taken) ?? null;
  }
}

/** Fetched when it is first needed. */
const passkeys = () => import('./passkey/passkey.js');

/** A file without its name; bytes become one. */
function nameless(file) {
  if (file instanceof Blob) return file.slice();
  if (ArrayBuffer.isView(file) || file instanceof ArrayBuffer) return new Blob([file]);
  throw new SafelightError('bad_argument', 'a file is a Blob, a File or bytes');
}

/** Parameters are texts, as in an address; numbers are welcome. */
const texts = (params) => Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));

export { Photo, SafelightError };
