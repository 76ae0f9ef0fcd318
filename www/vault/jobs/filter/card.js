// One photo in the vault: its pictures, its progress, its buttons.

import { keepFocus } from '../../dialog.js';
import { clear, drawBytes, drawNothing, drawPicture } from '../../draw.js';
import { SOON, stood } from '../../meant.js';
import { Opening } from '../../opening.js';
import { toldPart } from '../../progress.js';
import { bytes, explain, fill, percent, span, words } from '../../words.js';
import { filterText, historyText } from './catalogue.js';
import { Estimate } from './estimate.js';
import { process } from './process.js';

const announce = document.getElementById('status');
const ALL_PHASES = ['decode', 'key', 'encrypt', 'upload', 'filter', 'download', 'decrypt'];
const SHOWN_EVERY = 250; // ms; reports come for every row, and painting takes CPU time from the workers
const PHASES = { filter: ALL_PHASES, encrypt: ALL_PHASES.slice(0, 3), open: ['decrypt'] };

/**
 * A card for a file. `encrypted` means that it is an encrypted image, which is only decrypted; with `asks`, it came from the
 * site, and the visitor is asked first. The state is in `data-state`: asking, waiting, running, done, failed, cancelled. Fires
 * `again` and `remove`, `save` with a file, `progress` with a report, `handed` when the site has everything it gets, and `end`
 * when the work has ended.
 *
 * All cards of a kind have the same height, whatever they contain, and after `handed` nothing that leaves the vault depends on
 * the decrypted content: the site may know everything about the encrypted image except what is in it.
 */
export class Card extends EventTarget {
  element;
  #parts = {};
  #buttons = {};
  #abort = null;
  #estimate = null;
  #timer = 0;
  #last = null;
  #shown = 0; // when the last report was shown
  #saves = {};
  #photo = null;
  #profiled = null; // the photo's file, if its samples are not sRGB
  #check = 'required'; // whether the key in use must have encrypted the image
  #task = null;
  failure = null; // the error with which it ended
  carried = null; // the encrypted photo and the encrypted result: what the site has
  handed = false; // whether the site has both
  toldPart = 0; // between 0 and 1: the progress reported to the site

  constructor(file, encrypted, task, { asks = false } = {}) {
    super();
    this.file = file;
    this.encrypted = encrypted;
    this.asks = asks;
    const fragment = document.getElementById('card').content.cloneNode(true);
    fill(fragment);
    this.element = fragment.firstElementChild;
    for (const part of this.element.querySelectorAll('[data-part]')) this.#parts[part.dataset.part] = part;
    for (const button of this.element.querySelectorAll('[data-act]')) {
      this.#buttons[button.dataset.act] = button;
      button.dataset.testid = button.dataset.act;
      button.addEventListener('click', (event) => this.#act(button.dataset.act, event));
    }
    for (const canvas of this.element.querySelectorAll('canvas')) canvas.dataset.testid = canvas.dataset.part;
    const { slider, result, name } = this.#parts;
    // The style sheet clips the result there.
    slider.addEventListener('input', () => result.style.setProperty('--shown', `${slider.value}%`));
    name.textContent = name.title = this.name;
    this.#buttons.open.hidden = !encrypted;
    if (!asks) this.#buttons.open.textContent = words.card.openUnverified;
    if (!asks) return this.wait(task);
    this.#state('asking', words.card.asking);
  }

  /** The button that opens it. */
  get opener() {
    return this.#buttons.open;
  }

  /** To be called when the photo enters the queue, with the site's current task. */
  wait(task) {
    this.#task = task;
    this.#abort = new AbortController();
    this.#estimate = new Estimate();
    this.#last = null;
    this.failure = this.carried = null;
    this.handed = false;
    this.toldPart = 0;
    this.#parts.phases.replaceChildren(
      ...(PHASES[this.encrypted ? 'open' : task.task] ?? ALL_PHASES).map((phase) => {
        const item = Object.assign(document.createElement('li'), { textContent: words.phases[phase] });
        item.dataset.phase = phase;
        return item;
      }),
    );
    this.#parts.error.textContent = '';
    this.#parts.bar.value = 0;
    this.#mark(null);
    this.#state('waiting', words.card.waiting);
  }

  get signal() {
    return this.#abort.signal;
  }

  get state() {
    return this.element.dataset.state;
  }

  /** Whether it has ended or waits for the visitor. */
  get ended() {
    return this.state !== 'waiting' && this.state !== 'running';
  }

  get name() {
    return this.file.name || (this.encrypted ? words.card.fromSite : words.card.pasted);
  }

  /** Between 0 and 1. */
  get fraction() {
    if (this.state === 'waiting' || this.state === 'asking') return 0;
    return this.state === 'running' ? this.#parts.bar.value : 1;
  }

  get secondsLeft() {
    return this.state === 'running' ? this.#estimate.secondsLeft() : null;
  }

  /** The picture as a file, if there is one. */
  get picture() {
    return this.#saves.picture ?? null;
  }

  get #stem() {
    return (this.file.name || 'photo').replace(/\.[^.]+$/, '') || 'photo';
  }

  cancel() {
    this.#abort.abort();
    if (this.state === 'waiting') this.#fail({ code: 'cancelled' });
  }

  /** Runs. Options: `second`, another photo, and `bits`, the size of the key if one has to be created. */
  async run(safelight, site, { second, bits }) {
    this.#saves = {};
    for (const name of ['original', 'encrypted', 'result']) clear(this.#parts[name]);
    for (const name of ['facts', 'bytes', 'outcome', 'left']) this.#parts[name].textContent = '';
    this.#parts.slider.disabled = true;
    this.#state('running', words.card.waiting);
    this.#timer = setInterval(() => this.#tell(), 500); // the time left changes even without a report
    const opening = new Opening();
    await opening.over(this.#work(safelight, site, { second, bits, opening, signal: this.signal }));
  }

  async #work(safelight, site, { opening, ...options }) {
    const onReply = (reply) => {
      this.carried.reply = reply;
      opening.begin();
      this.#hand();
    };
    const onProgress = (report) => this.#progress(report);
    const onOpened = () => opening.end();
    try {
      if (this.encrypted) await this.#open(safelight, { opening, onProgress, signal: options.signal });
      else await this.#process(safelight, site, { ...options, onProgress, onReply, onOpened });
    } catch (error) {
      if (error.size) await this.#drawAsMuch(error.size);
      this.#fail(error);
    } finally {
      clearInterval(this.#timer);
    }
  }

  /** Failures take as much drawing as pictures: a site that keeps the vault busy could otherwise see a picture being drawn. */
  async #drawAsMuch(size) {
    if (this.encrypted) await drawBytes(this.#parts.encrypted, this.file, size, words.card.encryptedOf(this.name));
    await drawNothing(this.#parts.result, { ...size, file: this.#profiled });
  }

  /** The site has everything it gets. */
  #hand() {
    this.handed = true;
    this.dispatchEvent(new Event('handed'));
  }

  async #open(safelight, { opening, ...options }) {
    opening.begin();
    const { view } = this.#task;
    const opened = safelight.decrypt(this.file, { ...options, view, check: this.#check, png: false });
    const picture = await opened.finally(() => opening.end());
    await drawBytes(this.#parts.encrypted, this.file, picture, words.card.encryptedOf(this.name));
    this.#parts.bytes.textContent = bytes(this.file.size);
    await drawPicture(this.#parts.result, picture, words.card.resultOf(this.name));
    this.#showFacts(picture, picture.filters ? historyText(picture.filters, safelight.filters) : words.card.notFiltered);
    this.#parts.left.textContent = words.card.result;
    this.#finish(safelight, { picture });
  }

  async #process(safelight, site, options) {
    let drawn;
    const done = await process(safelight, site, this.file, {
      ...options,
      task: this.#task,
      onOriginal: (photo) => {
        const file = (this.#profiled = photo.colour === 'srgb' ? null : this.file);
        drawn = drawPicture(this.#parts.original, { ...photo, file }, words.card.originalOf(this.name));
        this.#photo = { width: photo.width, height: photo.height };
        this.#parts.left.textContent = words.card.original;
        this.#parts.outcome.textContent = words.card.stays;
        const notices = photo.notices.map((notice) => words.notices[notice] ?? notice);
        this.#showFacts(photo, filterText(this.#task, safelight.filters), ...notices);
      },
      onEncrypted: (blob) => {
        this.#parts.bytes.textContent = words.card.sent(bytes(blob.size));
        this.#parts.bytes.dataset.bytes = blob.size;
        drawn = drawBytes(this.#parts.encrypted, blob, this.#photo, words.card.encryptedOf(this.name));
        this.carried = { upload: blob, reply: null, ...this.#photo };
        if (this.#task.task === 'encrypt') this.#hand();
      },
    });
    await drawn;
    this.#estimate.learn();
    if (done.picture) {
      const file = done.picture.colour === 'srgb' ? null : await safelight.pngOf(done.picture);
      await drawPicture(this.#parts.result, { ...done.picture, file }, words.card.resultOf(this.name));
      this.#parts.left.textContent = words.card.compare;
      this.#parts.slider.disabled = false;
      this.#parts.outcome.textContent = words.card.received(bytes(done.reply.size));
    }
    this.#finish(safelight, done);
  }

  /** Sets the files that can be saved: their names, and how to get them. */
  #finish(safelight, { upload, reply, picture }) {
    const name = this.encrypted ? `${this.#stem}-opened` : `${this.#stem}-${this.#task.filter}`;
    this.#saves = {
      picture: picture && { blob: () => safelight.pngOf(picture), name: `${name}.png` },
      upload: upload && { blob: () => upload, name: `${this.#stem}-encrypted.slt` },
      reply: reply && { blob: () => reply, name: `${name}.slt` },
    };
    this.#parts.bar.value = 1;
    this.#mark('end');
    const { checked, unverified, encrypted } = words.card;
    this.#state('done', picture ? (picture.checked ? checked : unverified) : encrypted);
  }

  #fail(error) {
    this.failure = error;
    this.#parts.bar.value = 0;
    this.#mark(null);
    const cancelled = error.code === 'cancelled';
    if (!cancelled) this.#parts.error.textContent = explain(error);
    this.#state(cancelled ? 'cancelled' : 'failed', cancelled ? words.card.cancelled : words.card.failed);
  }

  #act(act, event) {
    if (act === 'cancel') return this.cancel();
    if (act === 'open' && this.asks && stood(this.opener, event) < SOON) {
      this.#parts.text.textContent = words.card.early;
      return;
    }
    if (act === 'remove') return this.dispatchEvent(new Event(act));
    // A visitor's file may have been encrypted for them by someone else; the site's must come from the visitor's own key.
    if (act === 'open' && !this.asks) this.#check = 'where-possible';
    if (act === 'again' || act === 'open') return this.dispatchEvent(new Event('again'));
    this.dispatchEvent(new CustomEvent('save', { detail: this.#saves[act] }));
  }

  #state(state, text) {
    this.element.dataset.state = state;
    this.#parts.text.textContent = text;
    const busy = !this.ended;
    const [asking, focused] = [state === 'asking', document.activeElement];
    const refused = state === 'failed' && this.failure.code === 'not_verifiable' && !this.asks;
    this.#buttons.cancel.disabled = !busy;
    this.#buttons.open.disabled = !asking && !refused;
    this.#buttons.again.disabled = busy || asking;
    this.#buttons.remove.disabled = busy;
    for (const act of ['picture', 'upload', 'reply']) this.#buttons[act].disabled = busy || !this.#saves[act];
    // A disabled button would lose the keyboard focus.
    if (focused === this.#buttons.cancel && !busy) keepFocus(this.#buttons.again);
    if (focused === this.#buttons.open && busy) keepFocus(this.#buttons.cancel);
    if (busy || asking) return;
    announce.textContent = `${this.name}: ${text}`;
    this.dispatchEvent(new Event('end'));
  }

  #progress(report) {
    const now = performance.now();
    const begins = report.phase !== this.#last?.phase;
    if (begins) {
      announce.textContent = `${this.name}: ${words.doing[report.phase]}`;
      this.#mark(report.phase);
    }
    this.#last = report;
    this.toldPart = toldPart(report);
    this.#estimate.report(report, now);
    if (!begins && now - this.#shown < SHOWN_EVERY) return;
    this.#shown = now;
    this.#tell();
    this.dispatchEvent(new CustomEvent('progress', { detail: report }));
  }

  #tell() {
    if (!this.#last || this.state !== 'running') return;
    const { phase, done, total } = this.#last;
    const left = this.#estimate.secondsLeft();
    const how = phase === 'key' ? (done ? words.tried(done) : '') : percent(done, total);
    const parts = [words.doing[phase], how, left === null ? '' : words.left(span(left))];
    this.#parts.text.textContent = parts.filter(Boolean).join(', ');
    this.#parts.bar.value = this.encrypted ? (total > 0 ? done / total : 0) : this.#estimate.fraction;
  }

  #showFacts({ width, height, channels }, ...more) {
    const kind = channels === 1 ? words.card.grey : words.card.colour;
    this.#parts.facts.textContent = [`${width} × ${height}, ${kind}`, ...more].join(' · ');
  }

  #mark(phase) {
    let seen = phase !== null;
    for (const item of this.#parts.phases.children) {
      const now = item.dataset.phase === phase;
      if (now) seen = false;
      item.className = now ? 'now' : seen ? 'done' : '';
    }
  }
}
