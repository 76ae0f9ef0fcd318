// One photo's whole way: read, encrypt, by the site to the server and back, open.

import { SafelightError } from '../shared/errors.js';

/**
 * Takes one photo the whole way. `task` is what the site wants. Options: `second` (another file, for filters with two
 * inputs), `bits` (of the key, if one has to be made), `signal`, and the callbacks `onProgress({ phase, done, total })`,
 * `onOriginal(picture)`, `onEncrypted(blob)`, `onReply(blob)`. Gives `{ upload, reply, picture }`: the two encrypted files that travelled,
 * and the picture; only the first where the site wants no more.
 */
export async function process(safelight, site, file, options) {
  const { task, second, bits, signal, onProgress, onOriginal, onEncrypted, onReply } = options;
  const { filter, params, border, view, server } = task;
  const report = (phase, done = 0, total = 0) => onProgress({ phase, done, total });
  const photos = [];
  try {
    report('decode');
    for (const input of second ? [file, second] : [file]) {
      const photo = await safelight.read(input, { signal });
      photos.push(photo);
      if (photos.length === 1) onOriginal(photo);
      checkPixels(photo, server.maxPixels);
    }
    if (second) await safelight.match(...photos, { signal });
    if (!safelight.key) {
      report('key');
      await safelight.newKey(bits, { signal, onProgress });
    }
    const parts = [];
    for (const [i, photo] of photos.entries()) {
      report('encrypt', i, photos.length);
      const part = await safelight.encrypt(photo, {
        filter,
        params,
        border,
        maxBytes: server.maxBytes && server.maxBytes / photos.length,
        signal,
        onProgress: ({ done, total }) => report('encrypt', i * total + done, photos.length * total),
      });
      parts.push(part);
    }
    const upload = new Blob(parts, { type: parts[0].type });
    onEncrypted(upload);
    if (task.task === 'encrypt') return { upload };
    report('upload');
    const reply = await site.carry({ filter, params, file: upload }, { signal, report });
    onReply(reply);
    const picture = await open(safelight, reply, { view, photos, filter, params, signal, onProgress });
    return { upload, reply, picture };
  } finally {
    for (const photo of photos) photo.free();
  }
}

/** Opens an encrypted image with the key in use. */
export function open(safelight, file, options) {
  return safelight.decrypt(file, options);
}

function checkPixels({ width, height }, most) {
  if (width * height > most) {
    throw new SafelightError(
      'image_too_large',
      `the server takes ${most} pixels, the photo has ${width} × ${height}; make it smaller first`,
    );
  }
}
