// <safe-light>: the photo site's side of Safelight. It shows the vault in a frame, exchanges the vault's requests with the
// server, and reports progress to the site. The requests carry encrypted photos: it never has a photo, a file name or a key.
// With job="classify" they carry photos that are only scrambled, which protects them less.
//
//   <safe-light server="https://filters.example" vault="https://vault.example" filter="mean" radius="1"></safe-light>
//
// docs/embedding.md describes the attributes, events and methods.

import { COLOURS } from '../shared/contract.js';
import { SafelightError } from '../shared/errors.js';
import { Rpc, VERSION } from '../shared/rpc.js';
import { Server } from './server.js';

const PARAMETERS = ['radius', 'size', 'sigma', 'weights', 'divisor', 'offset', 'share'];
const SETTINGS = ['job', 'network', 'learner', 'filter', 'border', 'view', 'lang', 'theme', ...PARAMETERS];
const PATIENCE = 20_000; // ms within which the vault must answer
const TALLEST = 20_000; // pixels: the greatest height of the frame
const REFUSED =
  'safe-light: the vault refuses these colours. Choose opaque ones, with a contrast of at least 4.5:1 between texts and their ' +
  'background; for dark colours set theme="dark".';

const STYLE = `
  :host { display: block; min-height: var(--safelight-min-height, 34rem); }
  :host([hidden]) { display: none; }
  iframe { display: block; width: 100%; height: 100%; min-height: inherit; border: 0; color-scheme: inherit; }
  p { margin: 0; padding: 1rem; }
  p:empty { display: none; }`;

export class SafeLightElement extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ['server', 'vault', ...SETTINGS];

  #internals;
  #frame = document.createElement('iframe');
  #notice = document.createElement('p');
  #rpc = null;
  #leave = null; // the AbortController of the current vault's listeners
  #told = false; // whether the changed settings are about to be sent to the vault

  /** The server that the element uses; its `info` is what the server says about itself. */
  server = null;
  /** What the vault says about itself: `{ version, filters, build }`, or null until it is ready. */
  vault = null;
  /** The last encrypted photo and the last encrypted result. */
  upload = null;
  reply = null;
  /** What the server learned for job="classify": `{ id, labels }`. Anyone who knows the id can use it. */
  model = null;
  /** Resolves when photos can be dropped; fails when the vault cannot be reached. */
  ready;
  #readied;

  constructor() {
    super();
    this.#internals = this.attachInternals();
    this.#await();
    const root = this.attachShadow({ mode: 'open' });
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    this.#frame.part = 'frame';
    this.#frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-downloads');
    // Passkeys can protect the vault's keys. Only the vault's origin gets their secrets.
    this.#frame.allow = 'clipboard-read; publickey-credentials-create; publickey-credentials-get';
    this.#notice.part = 'notice';
    this.#notice.setAttribute('role', 'alert');
    root.append(this.#notice, this.#frame);
  }

  connectedCallback() {
    this.#frame.title = this.getAttribute('label') ?? 'Safelight';
    this.#start();
  }

  disconnectedCallback() {
    this.#stop();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === 'server') this.#look();
    else if (name === 'vault') this.#start();
    else this.#tellTask();
  }

  // ---- for the site

  /** Decrypts an encrypted image in the vault, for the user alone. */
  open(file) {
    this.#tell('open', { file: new Blob([file]) });
  }

  /** Finishes the current step, then pauses until `resume`. */
  pause() {
    this.#tell('pause');
  }

  resume() {
    this.#tell('resume');
  }

  /** Cancels current and waiting work. */
  cancel() {
    this.#tell('cancel');
  }

  /** Removes finished photos from the vault's list. */
  clear() {
    this.#tell('clear');
    this.#take(null, null);
  }

  get form() {
    return this.#internals.form;
  }

  get name() {
    return this.getAttribute('name') ?? '';
  }

  formResetCallback() {
    this.clear();
  }

  // ---- the vault

  #await() {
    this.ready = new Promise((resolve, reject) => (this.#readied = { resolve, reject }));
    this.ready.catch(() => {}); // no unhandled rejection if no one waits for it
  }

  #start() {
    this.#stop();
    this.#notice.textContent = '';
    const address = this.#address('vault');
    if (!address) return;
    if (address.origin === location.origin) {
      return this.#fail(new SafelightError('bad_argument', 'the vault must be on a different origin from this page'));
    }
    this.#look();
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    addEventListener('message', (event) => this.#hear(event, address.origin), { signal });
    addEventListener('pagehide', ({ persisted }) => !persisted && this.server?.forgetAll(), { signal });
    const late = setTimeout(() => this.#fail(unreachable(address)), PATIENCE);
    signal.addEventListener('abort', () => clearTimeout(late));
    this.ready.finally(() => clearTimeout(late)).catch(() => {});
    this.#frame.src = address.href;
  }

  #stop() {
    this.#leave?.abort();
    this.#rpc?.close();
    this.#leave = this.#rpc = this.vault = null;
    this.server?.forgetAll();
    this.model = null;
    this.#frame.removeAttribute('src');
    this.#await();
  }

  /** The vault announces itself and gets one end of a channel, which carries everything else. */
  #hear({ source, origin, data }, vault) {
    const fits = source === this.#frame.contentWindow && origin === vault;
    if (!fits || data?.safelight !== VERSION || data.op !== 'ready') return;
    this.#rpc?.close(); // the frame was reloaded
    const { port1, port2 } = new MessageChannel();
    const ops = {
      ready: (facts) => this.#vaultIsReady(facts),
      height: ({ pixels }) => (this.#frame.style.height = `${Math.min(TALLEST, Math.max(0, Number(pixels)))}px`),
      progress: (detail) => this.#fire('progress', detail),
      done: (result) => this.#done(result),
      failed: ({ code }) => this.#fire('error', { code: String(code) }),
      exchange: (request, how) => this.#exchange(request, how),
      sending: ({ upload }) => this.#take(upload, null),
      trained: (model) => this.#trained(model),
      classified: ({ label, probabilities }) => this.#fire('classified', { label, probabilities }),
      answered: ({ upload, reply }) => (this.#take(upload, reply), this.#fire('answered', { upload, reply })),
      refused: ({ what }) => what === 'colours' && console.warn(REFUSED),
    };
    this.#rpc = new Rpc(port1, ops);
    this.#frame.contentWindow.postMessage({ safelight: VERSION, op: 'connect' }, vault, [port2]);
    this.#tellTask();
  }

  #vaultIsReady({ version, filters, build }) {
    this.vault = { version, filters, build };
    this.#readied.resolve();
    this.#fire('ready', this.vault);
  }

  #tell(op, args = {}) {
    if (!this.#rpc) throw new SafelightError('not_ready', 'the vault is not ready yet; wait for the element’s `ready`');
    this.#rpc.tell(op, args);
  }

  /** Sends the settings to the vault, once for all attributes that change at the same time. */
  #tellTask() {
    if (this.#told || !this.#rpc) return;
    this.#told = true;
    queueMicrotask(() => {
      this.#told = false;
      if (!this.#rpc) return;
      const params = PARAMETERS.map((name) => [name, this.getAttribute(name)]).filter(([, value]) => value !== null);
      this.#rpc.tell('task', {
        task: this.getAttribute('job') ?? 'filter',
        network: this.getAttribute('network') ?? '',
        learner: this.getAttribute('learner') ?? '',
        filter: this.getAttribute('filter') ?? '',
        params: Object.fromEntries(params),
        border: this.getAttribute('border') ?? 'replicate',
        view: this.getAttribute('view') ?? 'clamp',
        language: this.lang,
        look: this.#colours(),
        server: this.server && { host: this.server.host, name: this.server.title, limits: this.server.info?.limits },
      });
    });
  }

  /** Custom properties, such as `--safelight-accent`, for the vault, which cannot see the page's styles. */
  #colours() {
    const style = getComputedStyle(this);
    const look = { scheme: this.getAttribute('theme') };
    for (const name of COLOURS) {
      const value = style.getPropertyValue(`--safelight-${name}`).trim();
      if (value) look[name] = value;
    }
    return look;
  }

  // ---- the server

  async #look() {
    const address = this.#address('server');
    this.server?.forgetAll();
    this.server = address && new Server(address);
    this.model = null;
    if (!this.server) return;
    this.#tellTask();
    const { server } = this;
    await server.look();
    if (server === this.server) this.#tellTask();
  }

  /** Exchanges a request of the vault's with the server. */
  async #exchange(request, { signal, progress }) {
    if (!this.server) throw new SafelightError('bad_argument', 'the page names no server: set the attribute `server`');
    const [sent, received] = [(bytes) => progress(0, bytes), (bytes, total) => progress(1, bytes, total)];
    if (request.method === 'DELETE' && request.path === `v1/models/${this.model?.id}`) this.model = null;
    return this.server.exchange(request, { signal, sent, received });
  }

  #trained({ id, labels }) {
    this.model = { id, labels };
    this.#fire('trained', { labels });
  }

  #done({ upload, reply = null, width, height }) {
    this.#take(upload, reply);
    this.#fire('done', { upload, reply, width: Number(width), height: Number(height) });
  }

  /** The element's value in a form is the encrypted result or, with job="encrypt", the encrypted photo. */
  #take(upload, reply) {
    this.upload = upload;
    this.reply = reply;
    const file = reply ?? (this.getAttribute('job') === 'encrypt' ? upload : null);
    this.#internals.setFormValue(file && new File([file], 'photo.slt', { type: 'application/vnd.safelight' }));
  }

  #address(name) {
    const text = this.getAttribute(name);
    if (text === null) return null;
    try {
      const url = new URL(text, document.baseURI);
      if (!['http:', 'https:'].includes(url.protocol)) throw new TypeError();
      return url;
    } catch {
      this.#fail(new SafelightError('bad_argument', `the attribute ${name} is not a valid address: ${text}`));
      return null;
    }
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #fail(error) {
    this.#notice.textContent = `${error.message} [${error.code}]`;
    this.#readied.reject(error);
    this.#fire('error', { code: error.code });
  }
}

function unreachable(address) {
  return new SafelightError('unreachable', `The vault at ${address.host} does not answer. Reload the page or try again later.`);
}

if (!customElements.get('safe-light')) customElements.define('safe-light', SafeLightElement);
