// The keeper's half of encrypted vectors (CKKS): their module is fetched when it comes to them. A worker that has the key is
// kept for the next vector; those that have made evaluation keys, which take much memory, are ended.

import { SafelightError, unpack } from '../shared/errors.js';
import { KeyFile } from './keys.js';
import { LazyPool } from './pool.js';

const MEMORY = 1.5e9; // bytes that the workers that make evaluation keys may take together
const OPS = ['encrypt', 'decrypt', 'readFront', 'encryptPhoto', 'openAnswer']; // of ckks/compute.js, for the page
const ONE = 6; // times the length of a key: what a worker takes to make it, about

export class Vectors {
  #pool;
  #sets = new Map(); // evaluation keys that are being made: `{ key, header }`

  /** `page` is the line to the page, which starts the workers. */
  constructor(page) {
    this.#pool = new LazyPool(page, 'ckks');
  }

  /** A new key of a parameter set, and its public half as a file. */
  async newKey(set, signal) {
    const { bytes, publicKey, ...facts } = await this.#pool.run(signal, (helper) => helper.call('newKey', { set }));
    const secret = new KeyFile({ kind: 'ckks', bytes, ...facts });
    bytes.fill(0);
    return { secret, publicKey: new Blob([publicKey], { type: 'application/vnd.safelight' }) };
  }

  /** The key of a key file. */
  async openKey(bytes, signal) {
    const facts = await this.#pool.run(signal, (helper) => helper.call('check', { bytes }));
    return new KeyFile({ kind: 'ckks', bytes, ...facts });
  }

  /** Has a worker do one of the things in `OPS`; `need` gives the key. */
  async run(need, op, args, signal) {
    if (!OPS.includes(op)) throw new SafelightError('bad_argument', `vectors know no ${op}`);
    const work = (helper) => helper.call(op, args);
    const answer = await (op === 'readFront' ? this.#pool.reused(signal, work) : this.#with(need(), signal, work));
    if (answer?.failure) throw unpack(answer.failure);
    return answer;
  }

  /** Begins to make evaluation keys: gives their id, the header of the file, and the length of each part in bytes. */
  async begin(key, wanted, signal) {
    const { header, lengths } = await this.#pool.run(signal, async (helper) => {
      giveKey(helper, key);
      return helper.call('list', { wanted });
    });
    const set = crypto.randomUUID();
    this.#sets.set(set, { key, header });
    return { set, header: header.slice(), lengths, workers: workers(Math.max(...lengths)) };
  }

  /** One part of evaluation keys. Several can be asked for at once: each has a worker. */
  async part(set, part, signal) {
    const made = this.#sets.get(set);
    if (!made) throw new SafelightError('cancelled', 'the work was cancelled');
    const bytes = await this.#with(made.key, signal, async (helper) => {
      if (helper.making !== set) await helper.call('making', { header: made.header });
      helper.making = set;
      return helper.call('make', { part });
    });
    return new Blob([bytes]); // Blobs may go to disk, arrays may not
  }

  /** No more parts are wanted. */
  end(set) {
    this.#sets.delete(set);
    if (this.#sets.size === 0) return this.#pool.rest();
  }

  /** To be called when the page says that a worker died. */
  died(number, error) {
    this.#pool.died(number, error);
  }

  /** There is another key, or none: what is under way is cancelled. */
  forget() {
    this.#sets.clear();
    this.#pool.end();
  }

  #with(key, signal, work) {
    return this.#pool.reused(signal, (helper) => {
      if (!helper.hasKey) giveKey(helper, key);
      return work(helper);
    });
  }
}

function giveKey(helper, key) {
  const bytes = key.toBytes();
  helper.hasKey = true;
  // A failure shows in what the worker is asked next.
  helper.call('key', { bytes }, [bytes.buffer]).catch(() => {});
}

/** How many workers make evaluation keys of which the longest part has so many bytes. */
function workers(longest) {
  const cores = Math.min(8, navigator.hardwareConcurrency || 2);
  return Math.max(1, Math.min(cores, Math.floor(MEMORY / (ONE * longest))));
}
