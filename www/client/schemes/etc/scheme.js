// Scrambled pictures (EtC), which are obfuscated, not encrypted: the keeper's part. Their module is loaded on demand. Each
// picture has its own worker, whose memory is returned to the system when it ends.

import { SafelightError } from '../../../shared/errors.js';
import { LazyPool } from '../../pool.js';
import { Scheme } from '../scheme.js';

const BITS = 256; // of a key
const STEPS = 3; // per picture: read, scramble, write

export class Etc extends Scheme {
  name = 'etc';
  keyFile = 'etc_key';
  ops = {
    scramble: (args, how) => this.#scramble(args, how),
    unscramble: (args, how) => this.#unscramble(args, how),
  };

  constructor(keeper) {
    super(keeper, new LazyPool(keeper.page, 'etc'));
  }

  async newKey(_, { signal }) {
    const { bytes, fingerprint } = await this.pool.run(signal, (helper) => helper.call('newKey'));
    const secret = this.restore(bytes, { fingerprint, bits: BITS });
    bytes.fill(0);
    return { secret };
  }

  async openKey(bytes, { signal }) {
    const fingerprint = await this.pool.run(signal, (helper) => helper.call('check', { bytes }));
    return this.restore(bytes, { fingerprint, bits: BITS });
  }

  /** Scrambles a photo file or a kept photo, in sRGB. */
  async #scramble({ file, photo: id, ...settings }, how) {
    const checked = checkedSettings(settings);
    const key = this.neededKey();
    if (!id) return this.#scrambled(key, { file }, checked, how);
    const { photos } = this.keeper;
    const photo = photos.get(id);
    try {
      if (photo.file) return await this.#scrambled(key, { file: photo.file }, checked, how);
    } catch (error) {
      if (error.code !== 'unsupported_image') throw error; // some files can be read only by the browser
    }
    const { samples, width, height, channels, notices } = await photos.inSrgb(photo, how.signal);
    const { notices: more, ...made } = await this.#scrambled(key, { samples, width, height, channels }, checked, how);
    return { ...made, notices: [...notices.filter((notice) => !photo.notices.includes(notice)), ...more] };
  }

  /** Scrambles `source`: `{ file }`, or the samples of a photo in sRGB. */
  #scrambled(key, source, settings, { signal, progress }) {
    const { form, block, fixedKey, square, type, quality, subsampling } = settings;
    return this.pool.run(signal, async (helper) => {
      progress(0, STEPS);
      let read = await helper.call('read', { ...source, square });
      let found = [];
      if (!read) {
        const { notices, ...converted } = await this.keeper.photos.decodeSrgb(source.file, signal);
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

  #unscramble({ file, label }, { signal }) {
    const key = this.neededKey();
    return this.pool.run(signal, async (helper) => {
      const bytes = key.toBytes();
      const { png, ...picture } = await helper.call('unscramble', { bytes, file, label }, [bytes.buffer]);
      return { ...picture, png: new Blob([png], { type: 'image/png' }) };
    });
  }
}

/** The options of `scramble`, checked as far as the module does not do so itself. */
function checkedSettings(settings) {
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
