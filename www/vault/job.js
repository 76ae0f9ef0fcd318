// One photo's way: read, encrypt, to the server and back through the site, decrypt.

import { checkPixels } from '../client/photo.js';
import { checkFilter } from './filter.js';

const BEAT = 250; // ms

/**
 * Processes one photo. `task` is what the site wants. Options: `second` (another file, for filters with two inputs), `bits` (of
 * the key, if one has to be created), `signal`, and the callbacks `onProgress({ phase, done, total })`, `onOriginal(picture)`,
 * `onEncrypted(blob)`, `onReply(blob)`, `onOpened()`. Returns `{ upload, reply, picture }`: the two files exchanged with the
 * server, and the picture; only the first if the site just wants the encrypted photo.
 */
export async function process(safelight, site, file, options) {
  const { task, second, bits, signal, onProgress, onOriginal, onEncrypted, onReply, onOpened } = options;
  const { filter, params, border, view, server } = task;
  const photos = [];
  try {
    checkFilter(task, safelight.filters);
    for (const input of second ? [file, second] : [file]) {
      // If the result does not come back here, no one can restore the colours' meaning.
      const colour = task.task === 'encrypt' ? 'srgb' : 'keep';
      const photo = await safelight.read(input, { colour, signal, onProgress });
      photos.push(photo);
      if (photos.length === 1) onOriginal(photo);
      checkPixels(photo, server.maxPixels);
    }
    if (!safelight.key) {
      onProgress({ phase: 'key', done: 0, total: 0 });
      await safelight.newKey(bits, { signal, onProgress });
    }
    const limit = { maxBytes: server.maxBytes };
    const upload = await safelight.encrypt(photos, { filter, params, border, ...limit, signal, onProgress });
    onEncrypted(upload);
    if (task.task === 'encrypt') return { upload };
    onProgress({ phase: 'upload', done: 0, total: 0 });
    const reply = await site.carry({ filter, params, file: upload }, { signal, onProgress });
    onReply(reply);
    // The picture's file is created only when it is saved, because the time for that depends on what the picture shows.
    const opening = safelight.decrypt(reply, { view, photos, filter, params, png: false, signal, onProgress });
    const picture = await opening.finally(onOpened);
    return { upload, reply, picture };
  } finally {
    for (const photo of photos) photo.free();
  }
}

/**
 * The time in which a key works on untrusted input. The site sees when the next photo begins, and this must not reveal what was
 * found. Decryption takes the same work whatever is found, and rounding up to whole beats hides the remaining differences.
 * Showing the result does depend on it, so the next photo does not wait for that: one extra beat leaves time for it.
 */
export class Opening {
  #began = null;
  #end;
  #ended = new Promise((resolve) => (this.#end = resolve));

  begin() {
    this.#began ??= performance.now();
  }

  end() {
    if (this.#began !== null) this.#end(performance.now());
  }

  /** Waits until the next photo may begin. `work` is all the work on this one, and does not fail. */
  async over(work) {
    const ended = await Promise.race([this.#ended, work]);
    if (this.#began === null) return;
    const beats = Math.floor((ended - this.#began) / BEAT) + 2;
    await new Promise((resolve) => setTimeout(resolve, this.#began + beats * BEAT - performance.now()));
  }
}
