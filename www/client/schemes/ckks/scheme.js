// The keeper's part of encrypted vectors (CKKS). Their module is loaded on demand. A worker that has the key is kept for the
// next vector; workers that made evaluation keys, which take much memory, are ended.

import { SafelightError, unpack } from '../../../shared/errors.js';
import { KeyFile } from '../../keys.js';
import { LazyPool } from '../../pool.js';

const MEMORY = 1.5e9; // bytes for the workers that make evaluation keys, in total
const OPS = ['encrypt', 'decrypt', 'readFront', 'encryptPhoto', 'openAnswer']; // in ckks/compute.js, for the page
const ONE = 6; // memory for making a key, as a multiple of its length (approximately)

export class Vectors {
  #pool;
  #sets = new Map(); // evaluation keys in the making: `{ key, header }`

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

  /** Has a worker do one of `OPS`; `need` gives the key. */
  async run(need, op, args, signal) {
    if (!OPS.includes(op)) throw new SafelightError('bad_argument', `unknown vector operation: ${op}`);
    const work = (helper) => helper.call(op, args);
    const answer = await (op === 'readFront' ? this.#pool.reused(signal, work) : this.#with(need(), signal, work));
    if (answer?.failure) throw unpack(answer.failure);
    return answer;
  }

  /** Prepares evaluation keys: returns their id, the header of the file, and the length of each part in bytes. */
  async begin(key, wanted, signal) {
    const { header, lengths } = await this.#pool.run(signal, async (helper) => {
      giveKey(helper, key);
      return helper.call('list', { wanted });
    });
    const set = crypto.randomUUID();
    this.#sets.set(set, { key, header });
    return { set, header: header.slice(), lengths, workers: workers(Math.max(...lengths)) };
  }

  /** Makes one part of evaluation keys. Several can be requested at once: each has its own worker. */
  async part(set, part, signal) {
    const made = this.#sets.get(set);
    if (!made) throw new SafelightError('cancelled', 'the work was cancelled');
    const bytes = await this.#with(made.key, signal, async (helper) => {
      if (helper.making !== set) await helper.call('making', { header: made.header });
      helper.making = set;
      return helper.call('make', { part });
    });
    return new Blob([bytes]); // a Blob can be moved to disk, an array cannot
  }

  /** No more parts are wanted. */
  end(set) {
    this.#sets.delete(set);
    if (this.#sets.size === 0) return this.#pool.rest();
  }

  /** To be called when the page reports that a worker died. */
  died(number, error) {
    this.#pool.died(number, error);
  }

  /** The key has changed or is gone: cancels work in progress. */
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
  // A failure will show in the worker's next request.
  helper.call('key', { bytes }, [bytes.buffer]).catch(() => {});
}

/** The number of workers for evaluation keys whose longest part has `longest` bytes. */
function workers(longest) {
  const cores = Math.min(8, navigator.hardwareConcurrency || 2);
  return Math.max(1, Math.min(cores, Math.floor(MEMORY / (ONE * longest))));
}
