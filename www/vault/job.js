// One photo's whole way: read, encrypt, by the site to the server and back, open.

import { checkPixels } from '../client/photo.js';
import { checkFilter } from './filter.js';

const BEAT = 250; // ms

/**
 * Takes one photo the whole way. `task` is what the site wants. Options: `second` (another file, for filters with two
 * inputs), `bits` (of the key, if one has to be made), `signal`, and the callbacks `onProgress({ phase, done, total })`,
 * `onOriginal(picture)`, `onEncrypted(blob)`, `onReply(blob)`, `onOpened()`. Gives `{ upload, reply, picture }`: the two encrypted files
 * that travelled, and the picture; only the first where the site wants no more.
 */
export async function process(safelight, site, file, options) {
  const { task, second, bits, signal, onProgress, onOriginal, onEncrypted, onReply, onOpened } = options;
  const { filter, params, border, view, server } = task;
  const photos = [];
  try {
    checkFilter(task, safelight.filters);
    for (const input of second ? [file, second] : [file]) {
      // Where the result does not come back here, nobody could put the colours' meaning into it.
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
    // The file of the picture is made when it is saved: that takes a time which depends on what the picture shows.
    const opening = safelight.decrypt(reply, { view, photos, filter, params, png: false, signal, onProgress });
    const picture = await opening.finally(onOpened);
    return { upload, reply, picture };
  } finally {
    for (const photo of photos) photo.free();
  }
}

/**
 * The time in which a key works on what came from outside. The site sees when the next photo begins, and must not learn from
 * that what was found. Opening takes the same work whatever is found, and what is left of a difference does not show in whole
 * beats. Showing depends on it, so the next photo waits for none of that: there is a whole beat for it.
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

  /** Waits until the next photo may begin. `work` is all of this one, and does not fail. */
  async over(work) {
    const ended = await Promise.race([this.#ended, work]);
    if (this.#began === null) return;
    const beats = Math.floor((ended - this.#began) / BEAT) + 2;
    await new Promise((resolve) => setTimeout(resolve, this.#began + beats * BEAT - performance.now()));
  }
}
