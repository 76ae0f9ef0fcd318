// Masks computed ahead. Encryption is mostly the making of masks, and a mask does not depend on the photo: so the
// keeper's workers make them while a person still looks for one. They are as secret as the key. Each is used once, for
// the one photo of its origin, and wiped; they are never written anywhere.

import { newOrigin } from './pkg/safelight.js';

const MOST = 4096; // masks, of about a kilobyte each
const CHUNK = 16; // masks made at a time: some hundredths of a second of a worker

/** The masks of one origin. */
class Store {
  origin = newOrigin();
  next = 0;
  #chunks = new Map(); // by the number of their first mask
  size = 0; // bytes of a mask

  put(first, bytes) {
    this.size = bytes.length / CHUNK;
    this.#chunks.set(first, bytes);
  }

  /** Masks `first` to `first + count`, if all of them are here. */
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
  #busy = 0; // jobs under way, which go first

  /** The origin of the next photo and the masks that are ready for it. To be wiped after use. */
  claim() {
    const store = this.#store ?? new Store();
    this.#store = null;
    return store;
  }

  /** Forgets everything: there is another key, or none. */
  clear() {
    this.#store?.wipe();
    this.#store = null;
  }

  /** A job begins. */
  pause() {
    this.#busy++;
  }

  /** A job is over. `helpers()` gives workers that have the key; where nothing else is to be done, they make masks. */
  resume(helpers) {
    this.#busy--;
    if (this.#busy === 0) for (const helper of helpers()) this.#make(helper);
  }

  async #make(helper) {
    const store = (this.#store ??= new Store());
    try {
      while (this.#busy === 0 && this.#store === store && store.next < MOST) {
        const first = store.next;
        store.next += CHUNK;
        store.put(first, await helper.call('masks', { origin: store.origin, first, count: CHUNK }));
      }
    } catch {
      // The worker was ended; the masks that it was making are made when they are needed.
    }
  }
}
