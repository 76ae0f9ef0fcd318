// What a photo's samples mean as colours. This comes from the file, stays in the vault, and goes into the saved result. Its
// bytes are in the module's format (`Colour` in its source).

import { SafelightError } from '../shared/errors.js';

const MAX_PROFILE = 4 * 1024 * 1024; // bytes of an ICC profile, as in the module
const NAMES = ['srgb', 'icc', 'cicp', 'gamma'];

/** The kind of a colour mark; "srgb" if it is empty. */
export const nameOf = (colour) => NAMES[colour.length === 0 ? 0 : colour[0] - 0x30];

/** A file's colour profile, extracted and unpacked; undefined if there is no readable one. */
export async function profileOf(outline, bytes) {
  const ends = outline.profileParts();
  if (ends.length === 0) return undefined;
  const parts = [];
  for (let i = 0; i < ends.length; i += 2) parts.push(bytes.subarray(ends[i], ends[i + 1]));
  let stream = new Blob(parts).stream();
  if (outline.profileDeflated) stream = stream.pipeThrough(new DecompressionStream('deflate'));
  return atMost(stream.getReader(), MAX_PROFILE);
}

/** All bytes from the reader, or undefined if there are more than `most`. */
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

/** Checks the option `colour`: "keep" or "srgb". */
export function checkedColour(colour = 'keep') {
  if (colour === 'keep' || colour === 'srgb') return colour;
  throw new SafelightError('bad_argument', 'the option `colour` must be "keep" or "srgb"');
}

/** Whether the samples of two photos mean the same colours. */
export const sameColour = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
