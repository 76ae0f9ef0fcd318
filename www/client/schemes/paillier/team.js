// The workers of encrypted photos, which get the key in use with their first job.

import { Pool } from '../../pool.js';

const LARGE_JOB = 4e6; // samples; after a larger job the workers are replaced, since wasm memory never shrinks
const MEMORY = 768e6; // bytes for the workers' copies of one photo, in total

export class Team extends Pool {
  #key;

  /** `key()` returns the key in use, and fails if there is none. */
  constructor({ module, page }, key) {
    super(module, page, 'paillier');
    this.#key = key;
  }

  /** Like a pool's `rows`, for a job with copies of `samples` samples, by workers with the key. */
  rows({ samples, start, ...job }) {
    const withKey = (helper) => {
      this.#give(helper);
      return start(helper);
    };
    return super.rows({ ...job, size: sizeFor(samples), start: withKey });
  }

  /** Workers with the key. */
  ready() {
    const helpers = this.team(sizeFor(0));
    for (const helper of helpers) this.#give(helper);
    return helpers;
  }

  /** Call this after a job with this number of samples. */
  replaceAfter(samples) {
    if (samples > LARGE_JOB) this.end();
  }

  /** Hands the key to a worker that does not have it yet. */
  #give(helper) {
    if (helper.hasKey) return;
    const bytes = this.#key().toWorker();
    helper.hasKey = true;
    // A failure will show in the worker's next request.
    helper.call('key', { bytes }, [bytes.buffer]).catch(() => {});
  }
}

function sizeFor(samples) {
  const cores = Math.min(8, navigator.hardwareConcurrency || 2);
  return Math.max(1, Math.min(cores, Math.floor(MEMORY / Math.max(1, 3 * samples))));
}
