// Processes one photo: reads it, encrypts it, sends it to the server and back through the site, and decrypts the result.

import { checkPixels } from '../../../client/photo.js';
import { checkFilter } from './catalogue.js';

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
    const reply = await site.filter(upload, { filter, params, signal, onProgress });
    onReply(reply);
    // The picture's file is created only when it is saved, because the time for that depends on what the picture shows.
    const opening = safelight.decrypt(reply, { view, photos, filter, params, png: false, signal, onProgress });
    const picture = await opening.finally(onOpened);
    return { upload, reply, picture };
  } finally {
    for (const photo of photos) photo.free();
  }
}
