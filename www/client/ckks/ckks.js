// The page's half of encrypted vectors (CKKS): see `Safelight.ckks`.

import { checkSignal, SafelightError } from '../../shared/errors.js';

const asFile = (bytes) => new Blob([bytes], { type: 'application/vnd.safelight' });

export class Ckks {
  #ask;
  #nameless;

  /** `ask` asks the keeper, `nameless` takes a file's name away. */
  constructor(ask, nameless) {
    this.#ask = ask;
    this.#nameless = nameless;
  }

  /**
   * Makes a key of a parameter set and uses it. Gives its facts, and `publicKey`, with which others can encrypt, as a file:
   * it cannot be had later.
   */
  async newKey(set, { name, signal } = {}) {
    return this.#ask('newCkksKey', { set: String(set), name }, { signal });
  }

  /**
   * Encrypts real numbers with the key in use. `slots` is a power of two, by default the first from their number on; `level` is
   * how many products can follow one another, by default the most. Gives a file.
   */
  async encrypt(values, { slots, level, signal } = {}) {
    return asFile(await this.#ask('vectors', { op: 'encrypt', values: Float64Array.from(values), slots, level }, { signal }));
  }

  /**
   * Opens an encrypted vector with the key in use. Gives its numbers, as many as slots. Give nothing of them to whoever computed
   * them, and publish nothing: a vector that was made up can hold the secret key, at any scale and in any number of figures.
   */
  async decrypt(file, { signal } = {}) {
    return this.#ask('vectors', { op: 'decrypt', file: this.#nameless(file) }, { signal });
  }

  /**
   * The evaluation keys with which a server can compute. `wanted` is a list of `{ purpose, level }`, where the purpose is
   * "products", "rotation" (with `steps` to the left), "conjugation", "automorphism" (with its `element`) or "bootstrapping"
   * (with `slots`, and without a level). Nothing is made until the `EvaluationKeys` are iterated over.
   */
  async evaluationKeys(wanted, { signal } = {}) {
    const begun = await this.#ask('beginKeys', { wanted }, { signal });
    return new EvaluationKeys(this.#ask, begun, signal);
  }

  /**
   * The public part of a network that classifies encrypted photos, which its server gives: a `Network`. It may come from
   * anybody: it is checked.
   */
  async network(front, { signal } = {}) {
    const bytes = new Uint8Array(await this.#nameless(front).arrayBuffer());
    const facts = await this.#ask('vectors', { op: 'readFront', front: bytes }, { signal });
    return new Network({ ask: this.#ask, nameless: this.#nameless }, bytes, facts);
  }
}

/**
 * The owner's half of a network: its parameter `set` and the `labels`. It works with the key in use, which must be of that set;
 * the server computes with `evaluationKeys`, and learns neither the photo nor the label.
 */
export class Network {
  #page;
  #front;

  constructor(page, front, { set, labels }) {
    this.#page = page;
    this.#front = front;
    Object.assign(this, { set, labels });
  }

  /** The evaluation keys that the server needs, an iterable as of `Ckks`. */
  async evaluationKeys({ signal } = {}) {
    const begun = await this.#page.ask('beginKeys', { wanted: { front: this.#front } }, { signal });
    return new EvaluationKeys(this.#page.ask, begun, signal);
  }

  /** Encrypts a photo that was read. Gives the file that the server takes. */
  async encrypt(photo, { signal } = {}) {
    const args = { op: 'encryptPhoto', photo: photo.id, front: this.#front };
    return asFile(await this.#page.ask('vectors', args, { signal }));
  }

  /**
   * Opens the server's answer. Gives `{ label }`, and with `scores` also `found`: all labels as `{ label, probability }`, rounded
   * to hundredths, likeliest first. It is for the owner of the photo alone: a dishonest server can answer so that every number
   * that gets out, and even a label, gives away a part of the secret key. An answer that no honest server sends is refused.
   */
  async open(file, { scores = false, signal } = {}) {
    const args = { op: 'openAnswer', front: this.#front, file: this.#page.nameless(file), scores: Boolean(scores) };
    return this.#page.ask('vectors', args, { signal });
  }
}

/** Evaluation keys: an iterable of the pieces of one file, as Blobs. They can be iterated over once. */
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
    if (this.#used) throw new SafelightError('bad_argument', 'these evaluation keys were made already; ask for others');
    this.#used = true;
    const { set, header, lengths, workers } = this.#begun;
    const stop = new AbortController();
    const aborted = () => stop.abort();
    this.#signal?.addEventListener('abort', aborted);
    const coming = [];
    let next = 0;
    try {
      checkSignal(this.#signal);
      // The workers are one piece ahead of who takes them.
      const ask = () => {
        for (; next < lengths.length && coming.length < workers; next++) {
          const piece = this.#ask('makeKeys', { set, part: next }, { signal: stop.signal });
          piece.catch(() => {}); // who waits for it hears of it
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
