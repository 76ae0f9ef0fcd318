// Encrypted photos, which a server can filter (Paillier): the keeper's part.

import { KeySearch, SecretKey } from '../../pkg/safelight.js';
import { checkSignal } from '../../../shared/errors.js';
import { Scheme } from '../scheme.js';
import { checkHeader, decrypt, headerOf, pngFile } from './decrypt.js';
import { encrypt } from './encrypt.js';
import { Masks } from './masks.js';
import { Team } from './team.js';

export class Paillier extends Scheme {
  name = 'paillier';
  keyFile = 'secret_key';
  ops = {
    encrypt: (args, how) => this.#encrypt(args, how),
    decrypt: (args, how) => this.#decrypt(args, how),
    png: ({ picture }, { signal }) => this.pool.disposable(signal, (helper) => pngFile(helper, picture)),
  };
  #masks = new Masks();
  #headers = new WeakMap(); // of the image that each kept photo was encrypted to

  constructor(keeper) {
    super(keeper, new Team(keeper, () => this.neededKey()));
  }

  async newKey({ bits }, { signal, progress }) {
    const search = new KeySearch(bits);
    try {
      let secret = search.step();
      for (let tried = 1; !secret; tried++) {
        progress(tried, 0);
        await this.keeper.heard();
        checkSignal(signal);
        secret = search.step();
      }
      return { secret };
    } finally {
      search.free();
    }
  }

  async openKey(bytes) {
    return SecretKey.fromBytes(bytes);
  }

  restore(bytes) {
    return SecretKey.fromBytes(bytes);
  }

  /** This was once the only scheme, so its default key is stored under the site's name alone. */
  presetOf(site) {
    return site;
  }

  forget() {
    super.forget();
    this.#masks.clear();
  }

  pause() {
    this.pool.pause();
  }

  resume() {
    this.pool.resume();
  }

  busy() {
    this.#masks.pause();
  }

  /** Computes masks ahead. */
  idle() {
    if (this.keeper.key(this.name)?.derivesMasks) this.#masks.resume(this.pool.ready());
  }

  /** Encrypts a kept photo for one filter. Returns the encrypted image as a Blob. */
  async #encrypt({ photo: id, ...settings }, how) {
    const photo = this.keeper.photos.get(id);
    this.neededKey();
    const ahead = this.#masks.claim();
    try {
      const { header, file } = await encrypt(this.pool, photo, ahead, settings, how);
      this.#headers.set(photo, header);
      this.pool.replaceAfter(photo.samples.length);
      return { file };
    } finally {
      ahead.wipe();
    }
  }

  /**
   * Decrypts an encrypted image. If `photos` names the kept photos that this filter was applied to, compares it with them and
   * restores the first one's alpha and colour mark. Without them, `check` says whether to decrypt images that cannot be
   * verified, and `expect` which filters must have been applied.
   */
  async #decrypt({ file, view, photos: ids = [], filter, params, check, expect, png = true }, how) {
    const header = await headerOf(file);
    const known = ids.map((id) => this.keeper.photos.get(id));
    if (known.length > 0) checkHeader(header, known.map((photo) => this.#headers.get(photo)), filter, params);
    this.neededKey();
    // Here the header is exactly the one that the filter produces. A key without masks can verify nothing more.
    const demands = known.length > 0 ? { check: 'where-possible' } : { check, expect };
    return decrypt(this.pool, { file, header, view, known, demands, png }, how);
  }
}
