// The element's server: exchanges the vault's requests with it, and deletes the jobs, models and keys that they created there.

import { exchange } from '../shared/exchange.js';

/** A server's address and what it offers. */
export class Server {
  #base;
  #made = new Set(); // paths of the jobs, models and keys that our requests created on the server
  info = null; // its answer to GET /v1, if any

  /** `base` is the address above the server's `v1/`. */
  constructor(base) {
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
  }

  get host() {
    return this.#base.host;
  }

  /** Name and version, if known. */
  get title() {
    return this.info ? `${this.info.name} ${this.info.version}` : '';
  }

  /** Asks what the server offers. A very simple server may not answer. */
  async look() {
    try {
      const { body } = await exchange(this.#base, { method: 'GET', path: 'v1', headers: [] });
      this.info = JSON.parse(await body.text());
    } catch {
      this.info = null;
    }
  }

  /** Exchanges a request like the function in shared/exchange.js, but with this server only. */
  async exchange(request, how) {
    const answer = await exchange(this.#base, request, how);
    const made = answer.location?.match(/v1\/(jobs|models|keys)\/[\w-]+$/);
    if (made) this.#made.add(made[0]);
    if (request.method === 'DELETE') this.#made.delete(request.path);
    return answer;
  }

  /** Has the server forget everything, without waiting: the vault that needed it is being closed. */
  forgetAll() {
    for (const path of this.#made) this.exchange({ method: 'DELETE', path, headers: [], farewell: true }).catch(() => {});
  }
}
