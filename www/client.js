// What the page can ask for. The work is done by the keeper (everything secret) and the transport (everything on the
// network); this file puts the two together. It never sees the secret key, and the workers never see a file's name:
// they get slices, which have none.

import { usable } from './build.js';
import { cancelled, checkSignal, pack, SafelightError, unpack, workerError } from './errors.js';
import { Server } from './transport.js';

const MAX_PIXELS = 16 * 1024 * 1024; // of photos that the browser decodes; the wasm module checks its own

/** A browser's end of Safelight. Fires `key` when the key changes; `client.key` is `{ fingerprint, bits }` or null. */
export class Client extends EventTarget {
  #keeper;
  #calls = new Map();
  #next = 1;
  #workers = new Map(); // the keeper's pool, which this page starts and ends for it but cannot talk to
  key = null;
  #file; // of the WebAssembly module that the keeper runs
  version = '';
  build = null; // which build of the WebAssembly module works here, `{ variant, arithmetic }`
  filters = [];

  constructor(base) {
    super();
    this.server = new Server(base);
  }

  /** Starts the keeper and asks the server what it can do. */
  async start() {
    const [facts] = await Promise.all([this.#startBest(), this.server.look()]);
    Object.assign(this, facts);
  }

  async newKey(bits, { signal, onTried } = {}) {
    this.#setKey(await this.#call('newKey', { bits }, { signal, onProgress: (tried) => onTried?.(tried) }));
  }

  async openKey(file) {
    this.#setKey(await this.#call('openKey', { file: file.slice() }));
  }

  /** The key file, as the command line reads it too. */
  async saveKey() {
    return (await this.#call('saveKey')).file;
  }

  async forgetKey() {
    await this.#call('forgetKey');
    this.#setKey(null);
  }

  /** "photo", "image" (an encrypted one), "secret_key" or "public_key". */
  kind(file) {
    return this.#call('kind', { file: file.slice(0, 64) });
  }

  /**
   * Takes one photo the whole way. Options: `filter`, `params`, `border`, `view`, `second` (another file, for
   * filters with two inputs), `bits` (of the key, if one has to be made), `signal`, and the callbacks
   * `onProgress({ phase, done, total })`, `onOriginal(picture)`, `onEncrypted(blob)`.
   * Gives `{ upload, reply, picture }`: the two encrypted files that travelled, and the picture.
   */
  async process(file, options) {
    const { filter, params = {}, border = 'replicate', view = 'clamp', second, bits = 3072, signal } = options;
    const { onProgress = () => {}, onOriginal, onEncrypted } = options;
    const report = (phase, done = 0, total = 0) => onProgress({ phase, done, total });
    const photos = [];
    try {
      report('decode');
      for (const input of second ? [file, second] : [file]) {
        const photo = await this.#decode(input, signal);
        photos.push(photo.id);
        if (photos.length === 1) onOriginal?.(photo);
        this.#checkPixels(photo);
      }
      if (second) await this.#call('match', { first: photos[0], second: photos[1] }, { signal });
      if (!this.key) {
        report('key');
        await this.newKey(bits, { signal, onTried: (tried) => report('key', tried, 0) });
      }
      const parts = [];
      const maxBytes = this.server.info?.limits?.max_bytes / photos.length; // NaN, no limit, if the server did not say
      for (const [i, photo] of photos.entries()) {
        const onRows = (done, total) => report('encrypt', i * total + done, photos.length * total);
        report('encrypt', i, photos.length);
        const made = await this.#call(
          'encrypt',
          { photo, filter, params, border, maxBytes },
          { signal, onProgress: onRows },
        );
        parts.push(made.file);
      }
      const upload = new Blob(parts, { type: parts[0].type });
      onEncrypted?.(upload);
      const reply = await this.server.filter({ name: filter, params, body: upload, signal, report });
      const picture = await this.#open(reply, { view, photos, filter, params }, signal, report);
      return { upload, reply, picture };
    } finally {
      for (const photo of photos) this.#call('drop', { photo }).catch(() => {});
    }
  }

  /** Opens an encrypted image with the present key. */
  async open(file, { view = 'clamp', signal, onProgress = () => {} }) {
    return this.#open(file, { view }, signal, (phase, done, total) => onProgress({ phase, done, total }));
  }

  #open(file, options, signal, report) {
    report('decrypt', 0, 0);
    return this.#call(
      'decrypt',
      { file: file.slice(), ...options },
      { signal, onProgress: (done, total) => report('decrypt', done, total) },
    );
  }

  #checkPixels({ width, height }) {
    const most = this.server.info?.limits?.max_pixels;
    if (width * height > most) {
      throw new SafelightError(
        'image_too_large',
        `the server takes ${most} pixels, the photo has ${width} × ${height}; make it smaller first`,
      );
    }
  }

  async #decode(file, signal) {
    try {
      return await this.#call('decode', { file: file.slice() }, { signal });
    } catch (error) {
      if (error.code !== 'unsupported_image') throw error;
      const image = await browserDecode(file);
      checkSignal(signal);
      if (!image) throw error;
      const photo = await this.#call(
        'decoded',
        { width: image.width, height: image.height, rgba: image.data },
        { signal },
      );
      return { ...photo, rgba: image.data };
    }
  }

  /** Starts a keeper with the best build that works here. Every try needs a new one: a worker loads one build only. */
  async #startBest() {
    let failure;
    for (const { variant, file } of usable()) {
      this.#startKeeper();
      try {
        const { version, filters, arithmetic } = await this.#call('start', { file });
        this.#file = file;
        return { version, filters, build: { variant, arithmetic } };
      } catch (error) {
        failure = error;
        this.#keeper.terminate();
      }
    }
    throw failure;
  }

  #startKeeper() {
    this.#keeper = new Worker(new URL('keeper.js', import.meta.url), { type: 'module', name: 'safelight-keeper' });
    this.#keeper.onmessage = ({ data }) => {
      if (data.start) this.#startWorker(data.start, data.port);
      else if (data.end) this.#endWorker(data.end);
      else this.#hear(data);
    };
    this.#keeper.onerror = (event) => {
      event.preventDefault();
      this.#keeperDied(workerError(event));
    };
  }

  #hear({ id, value, error, progress }) {
    const call = this.#calls.get(id);
    if (progress) return call?.onProgress?.(progress.done, progress.total);
    this.#calls.delete(id);
    if (error) call?.reject(unpack(error));
    else call?.resolve(value);
    if (error?.fatal) this.#keeperDied(unpack(error));
  }

  #startWorker(id, port) {
    const worker = new Worker(new URL('compute.js', import.meta.url), { type: 'module', name: 'safelight-compute' });
    worker.onerror = (event) => {
      event.preventDefault();
      this.#endWorker(id);
      this.#keeper.postMessage({ op: 'died', worker: id, error: pack(workerError(event)) });
    };
    worker.postMessage({ port }, [port]);
    this.#workers.set(id, worker);
  }

  #endWorker(id) {
    this.#workers.get(id)?.terminate();
    this.#workers.delete(id);
  }

  /** The key died with its keeper. A new one is started so that the page goes on working. */
  #keeperDied(error) {
    this.#keeper.terminate();
    for (const id of [...this.#workers.keys()]) this.#endWorker(id);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    if (!this.version) return; // it never started; another try would end the same way
    this.#startKeeper();
    this.#call('start', { file: this.#file }).catch(() => {});
    this.#setKey(null);
  }

  #setKey(key) {
    this.key = key;
    this.dispatchEvent(new Event('key'));
  }

  #call(op, args = {}, { signal, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      checkSignal(signal);
      const id = this.#next++;
      const stop = () => {
        this.#keeper.postMessage({ op: 'cancel', target: id });
        settle(reject)(cancelled());
      };
      const settle = (how) => (value) => {
        signal?.removeEventListener('abort', stop);
        this.#calls.delete(id);
        how(value);
      };
      signal?.addEventListener('abort', stop);
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
      this.#keeper.postMessage({ id, op, ...args });
    });
  }
}

/** The pixels of a format that only the browser can read (HEIC, AVIF, GIF, ...), or null if it cannot either. */
async function browserDecode(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  } catch {
    return null;
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    throw new SafelightError('image_too_large', `the photo has ${width} × ${height} pixels; make it smaller first`);
  }
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
