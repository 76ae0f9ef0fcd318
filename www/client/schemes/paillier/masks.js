// Masks computed ahead. Encryption spends most of its time on masks, and a mask does not depend on the photo. So the keeper's
// workers compute masks while the user is still choosing a photo. Masks are as secret as the key. Each is used once, for the
// one photo of its origin, and then wiped; they are never stored.

import { newOrigin } from '../../pkg/safelight.js';

const MOST = 4096; // masks of about a kilobyte each
const CHUNK = 16; // masks per request: a few hundredths of a second of a worker's time

/** The masks of one origin. */
class Store {
  origin = newOrigin();
  next = 0;
  #chunks = new Map(); // by the index of their first mask
  size = 0; // bytes per mask

  put(first, bytes) {
    this.size = bytes.length / CHUNK;
    this.#chunks.set(first, bytes);
  }

  /** Masks `first` to `first + count`, if all of them are ready. */
  take(first, count) {
    const end = first + count;
    const masks = new Uint8Array(count * this.size);
    for (let start = first - (first % CHUNK); start < end; start += CHUNK) {
      const chunk = this.#chunks.get(start);
      if (!chunk) return undefined;
      const [from, to] = [Math.max(first, start), Math.min(end, start + CHUNK)];
      masks.set(chunk.subarray((from - start) * this.size, (to - start) * this.size), (from - first) * this.size);
    }
    return masks;
  }

  wipe() {
    for (const chunk of this.#chunks.values()) chunk.fill(0);
    this.#chunks.clear();
  }
}

export class Masks {
  #store = null;
  #idle = false; // whether no job is running: jobs take priority

  /** The next photo's origin and its masks that are ready. Must be wiped after use. */
  claim() {
    const store = this.#store ?? new Store();
    this.#store = null;
    return store;
  }

  /** Forgets everything, since the key has changed or is gone. */
  clear() {
    this.#store?.wipe();
    this.#store = null;
  }

  /** A job begins. */
  pause() {
    this.#idle = false;
  }

  /** No job is running: `helpers`, which have the key, compute masks. */
  resume(helpers) {
    this.#idle = true;
    for (const helper of helpers) this.#make(helper);
  }

  async #make(helper) {
    const store = (this.#store ??= new Store());
    try {
      while (this.#idle && this.#store === store && store.next < MOST) {
        const first = store.next;
        store.next += CHUNK;
        store.put(first, await helper.call('masks', { origin: store.origin, first, count: CHUNK }));
      }
    } catch {
      // The worker was ended; its unfinished masks will be computed when needed.
    }
  }
}
