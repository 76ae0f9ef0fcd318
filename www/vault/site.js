// The vault's end of the connection to the site that embeds it. The site is not trusted: it may choose the filter and exchange
// requests with ciphertext or scrambled pictures, and it receives progress reports. It learns no file name, no pixel
// and no key, nor what became of an encrypted image that it provided.

import { Remote } from '../client/remote/remote.js';
import { COLOURS } from '../shared/contract.js';
import { checkSignal, SafelightError } from '../shared/errors.js';
import { expect, Rpc, VERSION } from '../shared/rpc.js';
import { own, words } from './words.js';

const BORDERS = ['replicate', 'reflect', 'zero'];
const VIEWS = ['clamp', 'signed', 'absolute'];
const MOST_TEXT = 10_000; // characters of a parameter
const MOST_PARAMETERS = 20;
const LEARNER = /^[a-z\d-]{1,30}$/;
const HOST = /^([a-z\d-]+(\.[a-z\d-]+)*\.?|\[[\da-f:.]+\])(:\d+)?$/i;
const TITLE = /^[\w.+-]{1,30}( [\w.+-]{1,30})?$/; // of a server: its program's name and version

/**
 * Fires `task` when the site has named its task; `open` with an encrypted image from the site; `pause`, `resume`, `cancel`,
 * `clear`; and `misbehaviour` when the site has done something that no honest site does.
 */
export class Site extends EventTarget {
  #rpc = null;
  #server = new Remote((request, how) => this.#exchange(request, how));
  #tasks;
  origin = null;
  task = null; // what the site wants: { task, network, learner, filter, params, border, view, language, look, server }

  /** Waits for the site's element. Only the page around this frame may connect, and only once. It may name one of `tasks`. */
  constructor(tasks) {
    super();
    this.#tasks = tasks;
    addEventListener('message', (event) => this.#hear(event));
    // Anyone may read this: it says only that the vault is ready to connect.
    if (parent !== window) parent.postMessage({ safelight: VERSION, op: 'ready' }, '*');
  }

  #hear({ source, origin, data, ports }) {
    const fits = data?.safelight === VERSION && data.op === 'connect' && ports.length === 1;
    if (source !== parent || source === window || origin === 'null' || !fits) return this.#misbehaves('badMessage');
    if (this.#rpc) return this.#misbehaves('secondConnect');
    this.origin = origin;
    const ops = {
      task: (task) => this.#take(task),
      // A copy without a name: the vault would show the name of a File.
      open: ({ file }) => this.#tell('open', new Blob([expect(file, Blob, 'the encrypted image')])),
      pause: () => this.#tell('pause'),
      resume: () => this.#tell('resume'),
      cancel: () => this.#tell('cancel'),
      clear: () => this.#tell('clear'),
    };
    this.#rpc = new Rpc(ports[0], ops, { newsOnly: true, onBad: () => this.#misbehaves('badMessage') });
    this.dispatchEvent(new Event('connected'));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #misbehaves(what) {
    this.#tell('misbehaviour', what);
  }

  #take(message) {
    this.task = checkedTask(message, this.#tasks);
    this.#tell('task');
  }

  /** Sends the site something that it may know: see the table in docs/embedding.md. */
  tell(op, args) {
    this.#rpc?.tell(op, args);
  }

  /** Has the server filter an encrypted photo. Returns the encrypted result. */
  async filter(image, how) {
    this.tell('sending', { upload: image });
    return this.#remote((server) => server.filter(image, how), how);
  }

  /**
   * Has the server learn from scrambled pictures, a list of `{ label, file }`. The labels are numbers: names stay here. Returns
   * the model: its id, and the labels in the order of its classes.
   */
  async train(pictures, how) {
    const model = await this.#remote((server) => server.train(pictures, { learner: this.task.learner, ...how }), how);
    const sent = new Set(pictures.map(({ label }) => label));
    if (model.labels.length !== sent.size || !model.labels.every((label) => sent.delete(label))) throw badAnswer();
    this.tell('trained', model);
    return model;
  }

  /** Asks what a scrambled picture shows. Returns `{ label, probabilities }`: one per label of the model, or null. */
  async classify({ id, labels }, file, how) {
    const verdict = await this.#remote((server) => server.classify(id, file, how), how);
    const { label, probabilities } = verdict;
    const likely = (value) => Number.isFinite(value) && value >= 0 && value <= 1;
    const known = probabilities === null || probabilities.length === labels.length;
    if (!labels.includes(label) || !known || !(probabilities ?? []).every(likely)) throw badAnswer();
    this.tell('classified', verdict);
    return verdict;
  }

  /** The public part of the network that the site has named. */
  async network(how = {}) {
    return this.#remote((server) => server.network(this.#network(), how), how);
  }

  /** Sends evaluation keys to the server. Returns their path there. */
  async sendKeys(file, { signal, onProgress }) {
    const how = { signal, onProgress: (step) => onProgress({ ...step, phase: 'keys' }) };
    return this.#remote((server) => server.sendKeys(file, how), how);
  }

  /** Has the network classify an encrypted photo. Returns its encrypted answer. */
  async ask(keys, file, how) {
    this.tell('sending', { upload: file });
    const reply = await this.#remote((server) => server.ask(this.#network(), keys, file, how), how);
    this.tell('answered', { upload: file, reply });
    return reply;
  }

  /** Has the server forget keys or a model, given by their path. */
  forget(path) {
    if (this.#rpc) this.#server.forget(path);
  }

  #network() {
    if (this.task?.network) return this.task.network;
    throw new SafelightError('bad_argument', words.told.bad_argument);
  }

  async #remote(work, { signal }) {
    if (!this.#rpc) throw new SafelightError('no_site', 'the site does not answer; reload the page');
    try {
      return await work(this.#server);
    } catch (error) {
      checkSignal(signal);
      throw told(error);
    }
  }

  /** Has the site exchange a request with the server. The answer is not trusted. */
  async #exchange(request, { signal, sent, received }) {
    const onProgress = (kind, bytes, total) => (kind === 0 ? sent?.(bytes) : received?.(bytes, total));
    return Object(await this.#rpc.call('exchange', request, { signal, onProgress }));
  }
}

/** The site's reason for a failure, by its code, in the vault's own words. */
function told({ code }) {
  const text = own(words.told, code);
  return new SafelightError(text ? code : 'bad_answer', text ?? words.told.bad_answer);
}

const badAnswer = () => new SafelightError('bad_answer', 'the server sent an invalid answer');

/** Extracts and checks the site's task; nothing else in its message is used. */
function checkedTask(message, tasks) {
  const { task = 'filter', network, learner, filter, params = {}, border = 'replicate', view = 'clamp' } = message;
  const { language, look, server } = message;
  const text = (value, name) => {
    if (typeof value !== 'string' || value.length > MOST_TEXT) {
      throw new SafelightError('bad_message', `${name} is not a string or is too long`);
    }
    return value;
  };
  const one = (value, list, name) => {
    if (list.includes(value)) return value;
    throw new SafelightError('bad_argument', `${name} must be one of ${list.join(', ')}`);
  };
  const pairs = Object.entries(expect(params, 'object', 'the parameters') ?? {}).slice(0, MOST_PARAMETERS);
  const { host = '', name = '', limits = {} } = expect(server ?? {}, 'object', 'the server');
  const limit = (value) => (Number.isFinite(value) && value > 0 ? value : undefined);
  return {
    task: one(task, tasks, 'the job'),
    network: text(network ?? '', 'the network'),
    learner: LEARNER.test(text(learner ?? '', 'the learner')) ? learner : 'svm-linear',
    filter: text(filter ?? '', 'the filter'),
    params: Object.fromEntries(pairs.map(([key, value]) => [text(key, 'a parameter'), text(value, 'a parameter')])),
    border: one(border, BORDERS, 'the border'),
    view: one(view, VIEWS, 'the view'),
    language: text(language ?? '', 'the language'),
    look: checkedLook(look ?? {}),
    server: {
      host: HOST.test(text(host, 'the server')) && host.length <= 255 ? host : host && '?',
      name: TITLE.test(text(name, 'the server')) ? name : '',
      maxPixels: limit(limits?.max_pixels),
      maxBytes: limit(limits?.max_bytes),
    },
  };
}

/** Colours for the vault's page; anything but a plain colour is dropped. */
function checkedLook({ scheme, ...colours }) {
  const plain = (value) => typeof value === 'string' && value.length < 60 && CSS.supports('color', value);
  const look = { scheme: ['light', 'dark'].includes(scheme) ? scheme : null };
  for (const name of COLOURS) if (plain(colours[name])) look[name] = colours[name];
  return look;
}
