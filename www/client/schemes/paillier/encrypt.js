// Encrypts photos, row by row.

import { SafelightError } from '../../../shared/errors.js';

/**
 * Encrypts a photo for one filter. `ahead` are the masks computed ahead, which the caller wipes. Returns the encrypted image:
 * its header, and the whole file as a Blob.
 */
export async function encrypt(team, photo, ahead, { filter, params, border, maxBytes }, { signal, progress }) {
  const { samples, width, height, channels } = photo;
  const args = { origin: ahead.origin, photo: { samples, width, height, channels }, filter, params, border };
  const frames = [];
  let layout;
  let done = 0;
  await team.rows({
    samples: samples.length,
    signal,
    start: async (helper) => {
      layout = await helper.call('encryptor', args);
      checkLength(layout, maxBytes);
      return layout;
    },
    row: async (helper, row, rows) => {
      const { columns } = layout;
      const masks = ahead.take(row * columns, columns);
      const frame = await helper.call('encryptRow', { row, masks }, masks ? [masks.buffer] : []);
      frames[row] = new Blob([frame]); // a Blob can be moved to disk, an array cannot
      progress(++done, rows);
    },
  });
  const { header } = layout;
  return { header, file: new Blob([header, ...frames], { type: 'application/vnd.safelight' }) };
}

function checkLength({ header, rows, rowBytes }, most) {
  const length = header.length + rows * rowBytes;
  if (!most || length <= most) return;
  throw new SafelightError('too_large', `the encrypted photo has ${length} bytes, but the server accepts at most ${most}`);
}
