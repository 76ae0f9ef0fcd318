// A server that pages and Node connect to directly. Everything that passes through here is already encrypted, or not secret.

import { checkSignal, SafelightError } from '../../shared/errors.js';
import { exchange } from '../../shared/exchange.js';
import { Remote } from './remote.js';

/** A server's address and what it offers. */
export class Server extends Remote {
  #base;
  info = null; // its answer to GET /v1, if any

  /** `base` is the address above the server's `v1/`; a page may give a relative one. */
  constructor(base) {
    const address = URL.canParse(base, globalThis.location?.href) && new URL(base, globalThis.location?.href);
    if (!address) throw new SafelightError('bad_argument', `not a valid server address: ${base}`);
    if (!address.pathname.endsWith('/')) address.pathname += '/';
    super((request, how) => exchange(address, request, how));
    this.#base = address;
  }

  /** The address above the server's `v1/`. */
  get base() {
    return new URL(this.#base);
  }

  get host() {
    return this.#base.host;
  }

  /** Name and version, if known. */
  get title() {
    return this.info ? `${this.info.name} ${this.info.version}` : '';
  }

  /** Asks what the server offers. A very simple server may not answer. */
  async look({ signal } = {}) {
    try {
      this.info = await super.look({ signal });
    } catch {
      checkSignal(signal);
      this.info = null;
    }
    return this.info;
  }

  /** Like `sendKeys`, but returns the keys' id. */
  async uploadKeys(keys, options) {
    return (await this.sendKeys(keys, options)).split('/').at(-1);
  }

  async deleteKeys(id, options) {
    await this.remove(`v1/keys/${encodeURIComponent(id)}`, options);
  }
}
