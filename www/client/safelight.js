// Safelight in a browser: keys, encryption, decryption. The work is done in workers of which one, the keeper, has
// everything secret; this file starts them and asks them. It never sees the secret key, and the workers never see a
// file's name: they get slices, which have none.

import { cancelled, checkSignal, pack, SafelightError, workerError } from '../shared/errors.js';
import { Line } from '../shared/line.js';
import { usable } from './build.js';
import { browserDecode } from './foreign.js';

/**
 * A browser's end of Safelight. `key` is the key in use, `keys` are all of the ring, each as
 * `{ fingerprint, name, bits, created, exported, stored }`; the event `keys` tells that one of them has changed.
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
  keys = [];
  storage = 'memory'; // "kept": this browser keeps the keys; "refused": it does not; "memory": it was not asked to

  /**
   * Starts the workers with the best build of the WebAssembly module that works here. With `remember` the keys are kept
   * in this browser, and the one last used for `site` is in use.
   */
  static async open({ remember = false, site = '', signal } = {}) {
    const safelight = new Safelight();
    const stop = () => safelight.close();
    signal?.addEventListener('abort', stop);
    try {
      checkSignal(signal);
      await safelight.#startBest({ remember, site });
      return safelight;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Where the WebAssembly file in use came from. */
  get url() {
    return this.#start.url;
  }

  /** Ends all workers, and with them all that they know. */
  close() {
    this.#open = false;
    this.#end(cancelled());
  }

  [Symbol.dispose]() {
    this.close();
  }

  // ---- keys

  /** Makes a key and uses it. `onProgress(tried)` hears how many candidates were tried: how many it takes is luck. */
  async newKey(bits = 3072, { name, signal, onProgress } = {}) {
    this.#take(await this.#line.call('newKey', { bits, name }, { signal, onProgress }));
    return this.key;
  }

  /** Uses the key of a key file. `passphrase` is for protected ones. */
  async openKey(file, { passphrase, name } = {}) {
    this.#take(await this.#line.call('openKey', { file: file.slice(), passphrase, name }));
    return this.key;
  }

  /** The file of the key in use: an age file under a passphrase, or, without one, the bare key. */
  async exportKey({ passphrase = null } = {}) {
    const { file, keys } = await this.#line.call('exportKey', { passphrase });
    this.#take(keys);
    return file;
  }

  /** Uses another key of the ring. */
  async useKey(fingerprint) {
    this.#take(await this.#line.call('useKey', { fingerprint }));
    return this.key;
  }

  /** Takes the key out of the workers' memory; the ring keeps it. */
  async dropKey() {
    this.#take(await this.#line.call('dropKey'));
  }

  async renameKey(fingerprint, name) {
    this.#take(await this.#line.call('renameKey', { fingerprint, name }));
  }

  /** Deletes a key from the ring and from memory, here and in the site's other pages. */
  async deleteKey(fingerprint) {
    this.#take(await this.#line.call('deleteKey', { fingerprint }));
  }

  /** Looks again which keys are stored: the user may have cleared them. */
  async refreshKeys() {
    this.#take(await this.#line.call('keys'));
  }

  // ---- photos

  /** "photo", "image" (an encrypted one), "secret_key", "protected_key" or "public_key". */
  kind(file) {
    return this.#line.call('kind', { file: file.slice(0, 64) });
  }

  /**
   * Reads a photo. Gives `{ id, width, height, channels, notices, rgba }`; the samples stay with the keeper under the id
   * until `release`.
   */
  async read(file, { signal } = {}) {
    try {
      return await this.#line.call('decode', { file: file.slice() }, { signal });
    } catch (error) {
      if (error.code !== 'unsupported_image') throw error;
      const image = await browserDecode(file);
      checkSignal(signal);
      if (!image) throw error;
      const { width, height, data: rgba } = image;
      return { ...(await this.#line.call('decoded', { width, height, rgba }, { signal })), rgba };
    }
  }

  /** Makes two photos that are to be blended alike in their colours; they must have the same size. */
  async match(first, second, { signal } = {}) {
    await this.#line.call('match', { first: first.id, second: second.id }, { signal });
  }

  /**
   * Encrypts a photo that was read, for one filter. Options: `filter`, `params`, `border`, `maxBytes` (fail with
   * `too_large` above), `signal`, `onProgress(done, total)`. Gives the encrypted image as a Blob.
   */
  async encrypt(photo, { filter, params = {}, border = 'replicate', maxBytes, signal, onProgress }) {
    const args = { photo: photo.id, filter, params, border, maxBytes };
    return (await this.#line.call('encrypt', args, { signal, onProgress })).file;
  }

  /**
   * Opens an encrypted image with the key in use. If `photos` names what it was made of, by `filter` with `params`, the
   * server is checked against them. Options: `view`, `signal`, `onProgress(done, total)`. Gives
   * `{ width, height, channels, filters, rgba, png, checked }`.
   */
  decrypt(file, { view = 'clamp', photos = [], filter, params, signal, onProgress } = {}) {
    const args = { file: file.slice(), view, photos: photos.map(({ id }) => id), filter, params };
    return this.#line.call('decrypt', args, { signal, onProgress });
  }

  /** Forgets a photo that was read. */
  release(photo) {
    if (this.#open) this.#line.tell('drop', { photo: photo.id });
  }

  /** Encryption and decryption stop after the rows that are under way, until `resume`. */
  pause() {
    this.#line.tell('pause');
  }

  resume() {
    this.#line.tell('resume');
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
        return this.#take(keys);
      } catch (error) {
        failure = error;
        this.#end(error);
      }
    }
    throw failure;
  }

  #startKeeper() {
    const keeper = new Worker(new URL('keeper.js', import.meta.url), { type: 'module', name: 'safelight-keeper' });
    keeper.onerror = (event) => {
      event.preventDefault();
      this.#keeperDied(workerError(event));
    };
    this.#keeper = keeper;
    const ops = {
      start: ({ worker, port }) => this.#startWorker(worker, port),
      end: ({ worker }) => this.#endWorker(worker),
      keys: (state) => this.#take(state),
    };
    this.#line = new Line(keeper, ops, { onFatal: (error) => this.#keeperDied(error) });
  }

  #startWorker(number, port) {
    const worker = new Worker(new URL('compute.js', import.meta.url), { type: 'module', name: 'safelight-compute' });
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
    if (!this.version) return; // it never started; another try would end the same way
    this.#startKeeper();
    this.#line.call('start', this.#start).then(({ keys }) => this.#take(keys), () => {});
    if (!this.key?.stored) this.#take({ list: [], current: null, storage: this.storage });
  }

  #take({ list, current, storage }) {
    Object.assign(this, { keys: list, key: current, storage });
    this.dispatchEvent(new Event('keys'));
  }
}

export { SafelightError };
