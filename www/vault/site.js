// The vault's end of the line to the site that embeds it. The site is not trusted: it may choose the filter and carry
// ciphertext or scrambled pictures to the server and back, and it receives progress reports. It learns no file name, no pixel
// and no key, nor what became of an encrypted image that it provided.

import { ASKED, CARRIED, COLOURS, LEARNING } from '../shared/contract.js';
import { checkSignal, SafelightError } from '../shared/errors.js';
import { expect, Line, VERSION } from '../shared/line.js';
import { own, words } from './words.js';

const BORDERS = ['replicate', 'reflect', 'zero'];
const VIEWS = ['clamp', 'signed', 'absolute'];
const MOST_TEXT = 10_000; // characters of a parameter
const MOST_PARAMETERS = 20;
const LONGEST_FRONT = 8e6; // bytes of a network's public part
const HOST = /^([a-z\d-]+(\.[a-z\d-]+)*\.?|\[[\da-f:.]+\])(:\d+)?$/i;
const TITLE = /^[\w.+-]{1,30}( [\w.+-]{1,30})?$/; // of a server: its program's name and version

/**
 * Fires `task` when the site has said what it wants; `open` with an encrypted image from the site; `pause`, `resume`,
 * `cancel`, `clear`; and `misbehaviour` when the site did what no honest site does.
 */
export class Site extends EventTarget {
  #line = null;
  #tasks;
  origin = null;
  task = null; // what the site wants: { task, network, filter, params, border, view, language, look, server }

  /** Waits for the site's element. Only the page around this frame may connect, and only once. `tasks` are what it may want. */
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
    if (this.#line) return this.#misbehaves('secondConnect');
    this.origin = origin;
    const ops = {
      task: (task) => this.#take(task),
      // A copy: what comes as a File has a name, which the vault would show.
      open: ({ file }) => this.#tell('open', new Blob([expect(file, Blob, 'the encrypted image')])),
      pause: () => this.#tell('pause'),
      resume: () => this.#tell('resume'),
      cancel: () => this.#tell('cancel'),
      clear: () => this.#tell('clear'),
    };
    this.#line = new Line(ports[0], ops, { newsOnly: true, onBad: () => this.#misbehaves('badMessage') });
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

  /** Tells the site something that it may know: see the table in docs/embedding.md. */
  tell(op, args) {
    this.#line?.tell(op, args);
  }

  /**
   * Asks the site to carry an encrypted photo to the server. Returns the encrypted result. Meanwhile, the site reports the
   * phase, by index, and how much of it is done, or -1.
   */
  async carry(job, { signal, onProgress }) {
    const report = (phase, part) =>
      onProgress({ phase: CARRIED[phase] ?? 'filter', done: part, total: part >= 0 ? 1 : 0 });
    const answer = await this.#ask('carry', job, { signal, onProgress: report });
    return expect(answer?.file, Blob, 'the result');
  }

  /**
   * Has the server learn from scrambled pictures, a list of `{ label, file }`. The labels are numbers: names stay here. Returns
   * the labels in the order of the model's classes.
   */
  async train(pictures, { signal, onProgress }) {
    const report = (phase, part) =>
      onProgress({ phase: LEARNING[phase] ?? 'learn', done: part, total: part >= 0 ? 1 : 0 });
    const answer = await this.#ask('train', { pictures }, { signal, onProgress: report });
    const sent = new Set(pictures.map(({ label }) => label));
    const labels = Array.isArray(answer?.labels) ? answer.labels : [];
    if (labels.length !== sent.size || !labels.every((label) => sent.delete(label))) throw badAnswer();
    return labels;
  }

  /** Asks what a scrambled picture shows. Returns `{ label, probabilities }`: one per label in `labels`, or null. */
  async classify(file, labels, { signal }) {
    const { label, probabilities = null } = Object(await this.#ask('classify', { file }, { signal }));
    const likely = (value) => Number.isFinite(value) && value >= 0 && value <= 1;
    const known = probabilities === null || (Array.isArray(probabilities) && probabilities.length === labels.length);
    if (!labels.includes(label) || !known || !(probabilities ?? []).every(likely)) throw badAnswer();
    return { label, probabilities };
  }

  /** Gets the public part of the network that the site has named. */
  async front({ signal } = {}) {
    const answer = await this.#ask('front', {}, { signal });
    const file = expect(answer?.file, Blob, 'the network');
    if (file.size <= LONGEST_FRONT) return file;
    throw new SafelightError('too_large', 'the public part of this network is too large; use another one');
  }

  /** Has the site send evaluation keys to the server, replacing the previous ones. */
  async sendKeys(file, { signal, onProgress }) {
    await this.#ask('keys', { file }, { signal, onProgress: (done, total) => onProgress({ phase: 'keys', done, total }) });
  }

  /** Has a network classify an encrypted photo. Returns its encrypted answer. */
  async askNetwork(file, { signal, onProgress }) {
    const report = (phase, part) =>
      onProgress({ phase: ASKED[phase] ?? 'classify', done: part, total: part >= 0 ? 1 : 0 });
    const answer = await this.#ask('ask', { file }, { signal, onProgress: report });
    return expect(answer?.file, Blob, 'the answer');
  }

  #ask(op, job, how) {
    if (!this.#line) throw new SafelightError('no_site', 'the site does not answer; reload the page');
    return this.#line.call(op, job, how).catch((error) => {
      checkSignal(how.signal);
      throw told(error);
    });
  }
}

/** The site's reason for a failure, by its code, in the vault's own words. */
function told({ code }) {
  const text = own(words.told, code);
  return new SafelightError(text ? code : 'bad_answer', text ?? words.told.bad_answer);
}

const badAnswer = () => new SafelightError('bad_answer', 'the server sent an invalid answer');

/** Extracts and checks what the site says; nothing else of its message is used. */
function checkedTask(message, tasks) {
  const { task = 'filter', network, filter, params = {}, border = 'replicate', view = 'clamp', language, look, server } = message;
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
