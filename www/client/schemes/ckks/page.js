// The page's part of encrypted vectors (CKKS): see `Safelight.ckks`.

import { checkSignal, SafelightError } from '../../../shared/errors.js';

const asFile = (bytes) => new Blob([bytes], { type: 'application/vnd.safelight' });

export class Ckks {
  #page;

  /** `page.ask` requests one of the scheme's operations, `page.newKey` a new key; `page.nameless` removes a file's name. */
  constructor(page) {
    this.#page = page;
  }

  /**
   * Creates a key for a parameter set and uses it. Returns its facts and, as a file, `publicKey`, with which others can
   * encrypt: it is not available later.
   */
  async newKey(set, { name, signal } = {}) {
    return this.#page.newKey({ set: String(set), name }, { signal });
  }

  /**
   * Encrypts real numbers with the key in use. `slots` is a power of two, by default the smallest that fits all numbers.
   * `level` is the number of successive products possible, by default the maximum. Returns a file.
   */
  async encrypt(values, { slots, level, signal } = {}) {
    return asFile(await this.#page.ask('encrypt', { values: Float64Array.from(values), slots, level }, { signal }));
  }

  /**
   * Decrypts an encrypted vector with the key in use. Returns its numbers, one per slot. Never share them with the party that
   * computed them, and never publish them: a forged vector can contain the secret key, at any scale and with any number of
   * digits.
   */
  async decrypt(file, { signal } = {}) {
    return this.#page.ask('decrypt', { file: this.#page.nameless(file) }, { signal });
  }

  /**
   * The evaluation keys with which a server can compute. `wanted` is a list of `{ purpose, level }`, where the purpose is
   * "products", "rotation" (with `steps` to the left), "conjugation", "automorphism" (with its `element`) or "bootstrapping"
   * (with `slots` instead of a level). Nothing is computed until the `EvaluationKeys` are iterated over.
   */
  async evaluationKeys(wanted, { signal } = {}) {
    const begun = await this.#page.ask('beginKeys', { wanted }, { signal });
    return new EvaluationKeys(this.#page.ask, begun, signal);
  }

  /**
   * A `Network` from the public part of a network that classifies encrypted photos, as provided by its server. The source does
   * not have to be trusted: the file is checked.
   */
  async network(spec, { signal } = {}) {
    const bytes = new Uint8Array(await this.#page.nameless(spec).arrayBuffer());
    const facts = await this.#page.ask('readSpec', { spec: bytes }, { signal });
    return new Network(this.#page, bytes, facts);
  }
}

/**
 * The photo owner's side of a network: its parameter `set` and its `labels`. It works with the key in use, which must be of
 * that set. The server computes with `evaluationKeys`, and learns neither the photo nor the label.
 */
export class Network {
  #page;
  #spec;

  constructor(page, spec, { set, labels }) {
    this.#page = page;
    this.#spec = spec;
    Object.assign(this, { set, labels });
  }

  /** The evaluation keys that the server needs, an iterable like that of `Ckks`. */
  async evaluationKeys({ signal } = {}) {
    const begun = await this.#page.ask('beginKeys', { wanted: { spec: this.#spec } }, { signal });
    return new EvaluationKeys(this.#page.ask, begun, signal);
  }

  /** Encrypts a photo. Returns the file for the server. */
  async encrypt(photo, { signal } = {}) {
    return asFile(await this.#page.ask('encryptPhoto', { photo: photo.id, spec: this.#spec }, { signal }));
  }

  /**
   * Decrypts the server's answer. Returns `{ label }`, and with `scores` also `found`: all labels as `{ label, probability }`,
   * rounded to hundredths, likeliest first. They are for the photo's owner alone: a dishonest server can craft its answer so
   * that each published number, or even a label, reveals part of the secret key. Answers that no honest server sends are
   * rejected.
   */
  async open(file, { scores = false, signal } = {}) {
    const args = { spec: this.#spec, file: this.#page.nameless(file), scores: Boolean(scores) };
    return this.#page.ask('openAnswer', args, { signal });
  }
}

/** Evaluation keys: an iterable of the pieces of one file, as Blobs. It can be iterated over once. */
export class EvaluationKeys {
  #ask;
  #begun;
  #signal;
  #used = false;
  /** The length of the file in bytes. */
  bytes;

  constructor(ask, begun, signal) {
    this.#ask = ask;
    this.#begun = begun;
    this.#signal = signal;
    this.bytes = begun.lengths.reduce((sum, length) => sum + length, begun.header.length);
  }

  async *[Symbol.asyncIterator]() {
    if (this.#used) throw new SafelightError('bad_argument', 'these evaluation keys have already been made; request new ones');
    this.#used = true;
    const { set, header, lengths, workers } = this.#begun;
    const stop = new AbortController();
    const aborted = () => stop.abort();
    this.#signal?.addEventListener('abort', aborted);
    const coming = [];
    let next = 0;
    try {
      checkSignal(this.#signal);
      // The workers are one piece ahead of the consumer.
      const ask = () => {
        for (; next < lengths.length && coming.length < workers; next++) {
          const piece = this.#ask('makeKeys', { set, part: next }, { signal: stop.signal });
          piece.catch(() => {}); // the code that awaits it gets the error
          coming.push(piece);
        }
      };
      ask();
      yield new Blob([header]);
      while (coming.length > 0) {
        const piece = await coming.shift();
        ask();
        yield piece;
      }
    } finally {
      this.#signal?.removeEventListener('abort', aborted);
      stop.abort();
      await this.#ask('endKeys', { set }).catch(() => {});
    }
  }
}
