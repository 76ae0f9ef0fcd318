// The skeleton of a card in the queue: its parts and buttons, its states, its progress, and its end.

import { keepFocus } from './dialog.js';
import { clear, drawPicture } from './draw.js';
import { Opening } from './opening.js';
import { toldPart } from './progress.js';
import { explain, fill, words } from './words.js';

const announce = document.getElementById('status');

/**
 * A card for one file. A job's card extends it: it has a `keyKind`, implements `work`, and may extend `wait`, `empty`, `fail`,
 * `act` and `become`. The state is in `data-state`: asking, waiting, running, done, failed, cancelled. Fires `again` and
 * `remove`, `progress` with a report that the site may get, and `end` when the work has ended.
 *
 * All cards of a kind have the same height, whatever they contain, and after `handed` nothing that leaves the vault depends on
 * the decrypted content: the site may know everything about the encrypted image except what is in it.
 */
export class Card extends EventTarget {
  element;
  keyKind; // the kind of key that works on it: paillier, etc or ckks
  parts = {}; // the elements by `data-part`
  buttons = {}; // by `data-act`
  last = null; // the last report
  failure = null; // the error with which it ended
  handed = false; // whether the site has everything it gets
  toldPart = 0; // between 0 and 1: the progress reported to the site
  profiled = null; // the photo's file, if its samples are not sRGB
  #abort = new AbortController();

  /**
   * `template` is the id of its template in the page. `encrypted` means that the file is an encrypted image: the site does
   * not learn what becomes of it.
   */
  constructor(template, file, { encrypted = false } = {}) {
    super();
    this.file = file;
    this.encrypted = encrypted;
    const fragment = document.getElementById(template).content.cloneNode(true);
    fill(fragment);
    this.element = fragment.firstElementChild;
    for (const part of this.element.querySelectorAll('[data-part]')) this.parts[part.dataset.part] = part;
    for (const button of this.element.querySelectorAll('[data-act]')) {
      const { act } = button.dataset;
      this.buttons[act] = button;
      button.dataset.testid = act;
      button.addEventListener('click', (event) => this.act(act, event));
    }
    this.parts.name.textContent = this.parts.name.title = this.name;
  }

  /**
   * Does the work, or fails. Options: those that the card was enqueued with, the `signal` that cancels it, and an `opening`,
   * whose `begin` and `end` must be called when the key begins and finishes work on something untrusted.
   */
  async work(_options) {}

  /** Call this when the card enters the queue. */
  wait() {
    this.#abort = new AbortController();
    this.last = this.failure = null;
    this.handed = false;
    this.toldPart = 0;
    this.parts.error.textContent = '';
    this.parts.bar.value = 0;
    this.become('waiting', words.card.waiting);
  }

  /** Runs the card; returns when the next card may run. */
  async run(options) {
    this.empty();
    this.become('running', words.card.waiting);
    const opening = new Opening();
    await opening.over(this.#worked({ ...options, signal: this.signal, opening }));
  }

  async #worked(options) {
    try {
      await this.work(options);
    } catch (error) {
      this.fail(error);
    }
  }

  cancel() {
    this.#abort.abort();
    if (this.state === 'waiting') this.fail({ code: 'cancelled' });
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
    return this.state === 'running' ? this.parts.bar.value : 1;
  }

  get secondsLeft() {
    return null;
  }

  /** The picture as a file, `{ name, blob() }`, if there is one. */
  get picture() {
    return null;
  }

  /** Removes everything that an earlier run has shown. */
  empty() {
    for (const canvas of this.element.querySelectorAll('canvas')) clear(canvas);
    for (const name of ['facts', 'bytes']) this.parts[name].textContent = '';
  }

  /** Takes a report of the work. Returns whether a phase begins. */
  note(report) {
    const begins = report.phase !== this.last?.phase;
    this.last = report;
    this.toldPart = toldPart(report);
    if (begins) announce.textContent = `${this.name}: ${words.doing[report.phase]}`;
    return begins;
  }

  /** Draws a photo that was read. */
  drawOriginal(photo) {
    this.profiled = photo.colour === 'srgb' ? null : this.file;
    return drawPicture(this.parts.original, { ...photo, file: this.profiled }, words.card.originalOf(this.name));
  }

  showFacts({ width, height, channels }, ...more) {
    const kind = channels === 1 ? words.card.grey : words.card.colour;
    this.parts.facts.textContent = [`${width} × ${height}, ${kind}`, ...more].join(' · ');
  }

  done(text) {
    this.parts.bar.value = 1;
    this.become('done', text);
  }

  fail(error) {
    this.failure = error;
    this.parts.bar.value = 0;
    const cancelled = error.code === 'cancelled';
    if (!cancelled) this.parts.error.textContent = explain(error);
    this.become(cancelled ? 'cancelled' : 'failed', cancelled ? words.card.cancelled : words.card.failed);
  }

  /** Performs the action of a button. */
  act(act, _event) {
    if (act === 'cancel') this.cancel();
    else this.dispatchEvent(new Event(act));
  }

  /** Changes the state, and shows a text that says so. */
  become(state, text) {
    this.element.dataset.state = state;
    this.parts.text.textContent = text;
    const busy = !this.ended;
    const asking = state === 'asking';
    const focused = document.activeElement === this.buttons.cancel;
    this.buttons.cancel.disabled = !busy;
    this.buttons.again.disabled = busy || asking;
    this.buttons.remove.disabled = busy;
    if (focused && !busy) keepFocus(this.buttons.again); // a disabled button would lose the keyboard focus
    if (busy || asking) return;
    announce.textContent = `${this.name}: ${text}`;
    this.dispatchEvent(new Event('end'));
  }
}
