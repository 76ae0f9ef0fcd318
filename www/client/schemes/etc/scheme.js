// The keeper's part of scrambled pictures. Their module is loaded on demand. Each picture has its own worker, whose memory is
// returned to the system when it ends.

import { SafelightError } from '../../../shared/errors.js';
import { KeyFile } from '../../keys.js';
import { LazyPool } from '../../pool.js';

const STEPS = 3; // per picture: read, scramble, write

export class Scrambling {
  #pool;

  /** `page` is the line to the page, which starts the workers. */
  constructor(page) {
    this.#pool = new LazyPool(page, 'etc');
  }

  /** A new key. */
  newKey(signal) {
    return this.#pool.run(signal, async (helper) => etcKey(await helper.call('newKey')));
  }

  /** The key of a key file. */
  openKey(bytes, signal) {
    return this.#pool.run(signal, async (helper) => etcKey({ bytes, fingerprint: await helper.call('check', { bytes }) }));
  }

  /**
   * Scrambles `source`: `{ file }`, or the samples of a photo in sRGB. `convert` gives such samples for a file whose colours
   * are not sRGB.
   */
  scramble(key, source, settings, convert, { signal, progress }) {
    const { form, block, fixedKey, square, type, quality, subsampling } = settings;
    return this.#pool.run(signal, async (helper) => {
      progress(0, STEPS);
      let read = await helper.call('read', { ...source, square });
      let found = [];
      if (!read) {
        const { notices, ...converted } = await convert(source.file);
        read = await helper.call('read', { ...converted, square });
        found = notices;
      }
      const { clear } = read;
      const notices = [...found, ...read.notices];
      progress(1, STEPS);
      const bytes = key.toBytes();
      const facts = await helper.call('scramble', { bytes, form, block, fixedKey }, [bytes.buffer]);
      progress(2, STEPS);
      const written = await helper.call('encode', { type, quality, subsampling });
      progress(STEPS, STEPS);
      const file = new Blob([written], { type });
      return { ...facts, notices, file, ...(clear && { clear: new Blob([clear], { type: 'image/png' }) }) };
    });
  }

  /** Unscrambles a picture. */
  unscramble(key, file, label, signal) {
    return this.#pool.run(signal, async (helper) => {
      const bytes = key.toBytes();
      const { png, ...picture } = await helper.call('unscramble', { bytes, file, label }, [bytes.buffer]);
      return { ...picture, png: new Blob([png], { type: 'image/png' }) };
    });
  }

  /** To be called when the page reports that a worker died. */
  died(number, error) {
    this.#pool.died(number, error);
  }

  /** Cancels work in progress. */
  end() {
    this.#pool.end();
  }
}

const etcKey = (facts) => new KeyFile({ kind: 'etc', bits: 256, ...facts });

/** The options of `scramble`, checked as far as the module does not do so itself. */
export function checkedSettings(settings) {
  const { form = 'colour', block, fixedKey = false, square, type = 'image/jpeg', quality = 85, subsampling = '444' } = settings;
  const needed = (fits, text) => {
    if (!fits) throw new SafelightError('bad_argument', text);
  };
  const whole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
  // A value too large for the module's type would become another number there.
  needed(block === undefined || whole(block, 0, 255), 'the side of a block must be a whole number of pixels from 4 to 64');
  needed(square === undefined || whole(square, 1, 4096), 'the side of a square must be from 1 to 4096 pixels');
  needed(whole(quality, 1, 100), 'the JPEG quality must be from 1 to 100');
  needed(['image/jpeg', 'image/png'].includes(type), 'the type must be image/jpeg or image/png');
  return { form: String(form), block, fixedKey: Boolean(fixedKey), square, type, quality, subsampling: String(subsampling) };
}
