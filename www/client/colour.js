// What a photo's samples mean as colours. It is found in the file, stays in the vault, and goes into the saved result; the
// bytes that say it are those of the module (`Colour` in its source).

import { SafelightError } from '../shared/errors.js';

const MAX_PROFILE = 4 * 1024 * 1024; // bytes of an ICC profile, as in the module
const NAMES = ['srgb', 'icc', 'cicp', 'gamma'];

/** Which kind of mark the bytes are: "srgb" for none. */
export const nameOf = (colour) => NAMES[colour.length === 0 ? 0 : colour[0] - 0x30];

/** A file's colour profile, taken out of it and unpacked; undefined if it has none that can be read. */
export async function profileOf(outline, bytes) {
  const ends = outline.profileParts();
  if (ends.length === 0) return undefined;
  const parts = [];
  for (let i = 0; i < ends.length; i += 2) parts.push(bytes.subarray(ends[i], ends[i + 1]));
  let stream = new Blob(parts).stream();
  if (outline.profileDeflated) stream = stream.pipeThrough(new DecompressionStream('deflate'));
  return atMost(stream.getReader(), MAX_PROFILE);
}

/** What comes, if it is no more than `most` bytes. */
async function atMost(reader, most) {
  const pieces = [];
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.length;
      if (length > most) throw new RangeError('too long');
      pieces.push(piece.value);
    }
  } catch {
    reader.cancel().catch(() => {});
    return undefined;
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** What becomes of colours: "keep", or "srgb". */
export function checkedColour(colour = 'keep') {
  if (colour === 'keep' || colour === 'srgb') return colour;
  throw new SafelightError('bad_argument', 'colours are kept or converted: option `colour` is "keep" or "srgb"');
}

/** Whether two photos' samples mean the same. */
export const sameColour = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
