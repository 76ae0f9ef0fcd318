// The network that says what a photo shows: the evaluation keys that the server has for it, and the questions to it. It sees
// neither the photo nor its own answer.

import { SafelightError } from '../../../shared/errors.js';
import { foreign, languages, words } from '../../words.js';

const $ = (id) => document.getElementById(id);
const SHOWN = 24; // labels listed in advance

/** The network that the site has named, and the evaluation keys that the server has for it. */
export class Networks {
  #safelight;
  #site;
  #name = null; // of the server and the network
  #network = null; // a promise
  #labels = [];
  #sent = null; // the evaluation keys that the server has: { path, of }, with their key and network

  constructor(safelight, site) {
    this.#safelight = safelight;
    this.#site = site;
    safelight.addEventListener('keys', () => this.#keyChanged());
    languages.addEventListener('change', () => this.show());
  }

  /** Call this with the site's task, or null if it uses no network; fails if the network is missing or invalid. */
  async follow(task) {
    const name = task && `${task.server.host} ${task.network}`;
    if (name === this.#name) return;
    this.#name = name;
    this.#network = null;
    this.#letGo();
    this.#labels = [];
    this.show();
    if (task?.network && task.server.host) await this.#get();
  }

  /** Processes a photo. Calls `onRead(photo)` and `onSent(file)`. Returns `{ label }`, like `open` of a `Network`. */
  async ask(file, { signal, onProgress, onRead, onSent }) {
    const photo = await this.#safelight.read(file, { signal, onProgress });
    try {
      onRead(photo);
      const network = await this.#get();
      await this.#needKey(network, { signal, onProgress });
      await this.#needSentKeys(network, { signal, onProgress });
      onProgress({ phase: 'encrypt', done: 0, total: 0 });
      const question = await network.encrypt(photo, { signal });
      onSent(question);
      const answer = await this.#answer(network, question, { signal, onProgress });
      onProgress({ phase: 'decrypt', done: 0, total: 0 });
      return await network.open(answer, { signal });
    } finally {
      photo.free();
    }
  }

  async #answer(network, question, how) {
    try {
      return await this.#site.ask(this.#sent.path, question, how);
    } catch (error) {
      if (error.code !== 'keys_not_found') throw error;
      this.#letGo(); // the server has lost them
      await this.#needSentKeys(network, how);
      return this.#site.ask(this.#sent.path, question, how);
    }
  }

  #get() {
    this.#network ??= this.#fetched(this.#name).catch((error) => {
      this.#network = null; // it may succeed next time
      throw error;
    });
    return this.#network;
  }

  async #fetched(name) {
    const ckks = await this.#safelight.ckks();
    const network = await ckks.network(await this.#site.network());
    if (name !== this.#name) throw new SafelightError('cancelled', 'the work was cancelled');
    this.#labels = network.labels;
    this.show();
    return network;
  }

  /** Makes sure that a key of the network's parameter set is in use: one of the ring, or a new one. */
  async #needKey({ set }, { signal, onProgress }) {
    if (this.#safelight.ckksKey?.set === set) return;
    onProgress({ phase: 'key', done: 0, total: 0 });
    const known = this.#safelight.keys.find((key) => key.kind === 'ckks' && key.set === set);
    if (known) return void (await this.#safelight.useKey(known.fingerprint, { signal }));
    const ckks = await this.#safelight.ckks();
    await ckks.newKey(set, { name: words.network.keyName, signal });
  }

  async #needSentKeys(network, { signal, onProgress }) {
    const mine = `${this.#safelight.ckksKey?.fingerprint} ${this.#name}`;
    if (this.#sent?.of === mine) return;
    onProgress({ phase: 'keys', done: 0, total: 0 });
    const pieces = [];
    for await (const piece of await network.evaluationKeys({ signal })) pieces.push(piece);
    this.#letGo();
    this.#sent = { path: await this.#site.sendKeys(new Blob(pieces), { signal, onProgress }), of: mine };
  }

  /** If the key has changed, has the server forget its evaluation keys. */
  #keyChanged() {
    if (!this.#sent?.of.startsWith(`${this.#safelight.ckksKey?.fingerprint} `)) this.#letGo();
  }

  #letGo() {
    if (this.#sent) this.#site.forget(this.#sent.path);
    this.#sent = null;
  }

  show() {
    const some = this.#labels.slice(0, SHOWN);
    const list = some.map((label) => `“${foreign(label)}”`).join(', ');
    $('labels').textContent = list ? words.network.labels(list, this.#labels.length > some.length) : '';
  }
}
