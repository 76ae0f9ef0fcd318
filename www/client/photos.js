// The decoded photos of running jobs: their samples and alpha, and what the samples mean as colours. They stay in the keeper.

import { SafelightError } from '../shared/errors.js';
import { checkedColour, nameOf, sameColour } from './colour.js';
import { rgbaOf } from './samples.js';

export class Photos {
  #kept = new Map(); // by id
  #pool;
  #codec;

  /** `codec` has the workers for photo files that the browser does not decode correctly, `pool` those for all others. */
  constructor(pool, codec) {
    this.#pool = pool;
    this.#codec = codec;
  }

  /** Decodes a photo and keeps it under an id. Returns what the page needs to show it. */
  async decode(file, colour, signal) {
    const wanted = checkedColour(colour);
    const read = (helper) => helper.call('decode', { file });
    const { rgba, rounded, ...photo } = (await this.#pool.disposable(signal, read)) ?? (await this.#codec.run(signal, read));
    if (rounded) photo.file = file; // scrambling starts from the file, so that it produces the same bytes as the command line
    if (wanted === 'keep' || photo.colour.length === 0) return { ...this.#keep(photo), rgba };
    const converted = await this.inSrgb(photo, signal);
    return { ...this.#keep(converted), rgba: rgbaOf(converted) };
  }

  /** A kept photo. */
  get(id) {
    const photo = this.#kept.get(id);
    if (!photo) throw new SafelightError('bad_argument', 'this photo was freed; read it again');
    return photo;
  }

  /** Forgets a kept photo. */
  drop(id) {
    this.#kept.delete(id);
  }

  /**
   * Prepares two kept photos for blending: if only one is in colour, the grey one is converted. Returns what this changes for
   * the page.
   */
  async match(first, second, signal) {
    const [a, b] = [this.get(first), this.get(second)];
    if (a.width !== b.width || a.height !== b.height) {
      throw new SafelightError(
        'images_differ',
        `the photos differ in size (${a.width} × ${a.height} and ${b.width} × ${b.height}); choose two of the same size`,
      );
    }
    for (const photo of [a, b]) {
      if (a.channels === b.channels || photo.channels === 3) continue;
      photo.samples = Uint8Array.from({ length: 3 * photo.samples.length }, (_, i) => photo.samples[Math.floor(i / 3)]);
      photo.channels = 3;
    }
    if (sameColour(a.colour, b.colour)) return [];
    for (const photo of [a, b]) Object.assign(photo, await this.inSrgb(photo, signal));
    return [a, b].map((photo) => ({ colour: nameOf(photo.colour), notices: photo.notices, rgba: rgbaOf(photo) }));
  }

  /** A photo, converted to sRGB if necessary. */
  async inSrgb(photo, signal) {
    if (photo.colour.length === 0) return photo;
    const { samples, width, height, channels, colour } = photo;
    const args = { samples, width, height, channels, colour };
    const made = await this.#codec.run(signal, (helper) => helper.call('toSrgb', args));
    const notices = [...photo.notices.filter((notice) => notice !== 'hdr_in_8_bit'), ...made.notices];
    return { ...photo, samples: made.samples, colour: made.colour, notices };
  }

  /** The photo in a file, in sRGB, by our own decoders. */
  decodeSrgb(file, signal) {
    return this.#codec.run(signal, (helper) => helper.call('decode', { file, colour: 'srgb' }));
  }

  #keep(photo) {
    const id = crypto.randomUUID();
    this.#kept.set(id, photo);
    const { width, height, channels, notices, colour } = photo;
    return { id, width, height, channels, notices, colour: nameOf(colour) };
  }
}
