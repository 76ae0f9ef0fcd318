// Decrypts and verifies encrypted images, row by row.

import { headerLength, resultHeader } from '../../pkg/safelight.js';
import { SafelightError } from '../../../shared/errors.js';
import { nameOf } from '../../colour.js';
import { PROLOGUE } from '../../kind.js';

/** The header of an encrypted image. */
export async function headerOf(file) {
  const start = new Uint8Array(await file.slice(0, PROLOGUE).arrayBuffer());
  return new Uint8Array(await file.slice(0, headerLength(start)).arrayBuffer());
}

/** Checks the header of an answer: an honest server's is exactly the one that the filter produces from the headers `sent`. */
export function checkHeader(header, sent, filter, params) {
  const expected = resultHeader(sent, filter, params);
  if (header.length === expected.length && header.every((byte, i) => byte === expected[i])) return;
  throw new SafelightError(
    'wrong_result',
    'the server’s answer is not what this filter makes of this photo; do not rely on it, and use another server',
  );
}

/**
 * Decrypts an image with this `header`. Compares it with the `known` photos, and restores the first one's alpha and colour
 * mark. `demands` are the conditions of its verification: `{ check, expect }`.
 *
 * The work is the same for all images: every row is processed and the picture is assembled before it can fail. So the time
 * taken does not reveal the outcome.
 */
export function decrypt(team, { file, header, view, known, demands, png }, { signal, progress }) {
  const originals = known.map(({ samples }) => samples);
  const photo = known[0];
  return team.disposable(signal, async (assembler) => {
    let layout;
    let done = 0;
    await assembler.call('assembler', { header, view });
    const failure = await team.rows({
      samples: originals.reduce((sum, { length }) => sum + length, 0),
      signal,
      start: async (helper) => {
        layout = await helper.call('decryptor', { header, originals, ...demands });
        checkLength(file.size, layout.headerBytes + layout.rows * layout.rowBytes);
        return layout;
      },
      row: async (helper, row, rows) => {
        const from = layout.headerBytes + row * layout.rowBytes;
        const frame = file.slice(from, from + layout.rowBytes);
        const values = await helper.call('decryptRow', { row, frame });
        if (values) await assembler.call('place', { row, values }, [values.buffer]);
        progress(++done, rows);
      },
    });
    const picture = await assembler.call('finish', { alpha: photo?.alpha ?? undefined, colour: photo?.colour });
    team.replaceAfter(picture.width * picture.height * picture.channels);
    if (failure) return { failure, size: { width: picture.width, height: picture.height } };
    const opened = { ...picture, colour: photo ? nameOf(photo.colour) : null, checked: layout.verifies };
    return png ? { ...opened, png: await pngFile(assembler, opened) } : opened;
  });
}

/** The file of a picture. The time it takes depends on what the picture shows. */
export async function pngFile(helper, picture) {
  return new Blob([await helper.call('png', picture)], { type: 'image/png' });
}

function checkLength(actual, needed) {
  if (actual < needed)
    throw new SafelightError('truncated', 'the encrypted image is incomplete; get the whole file again');
  if (actual > needed)
    throw new SafelightError('trailing_data', 'there are bytes after the end of the encrypted image');
}
