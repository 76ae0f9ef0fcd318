// One photo for a network to classify: a small picture, its progress, then what it shows.

import { keepFocus } from '../../dialog.js';
import { clear, drawPicture } from '../../draw.js';
import { Opening } from '../../opening.js';
import { toldPart } from '../../progress.js';
import { bytes, explain, fill, foreign, percent, words } from '../../words.js';

const announce = document.getElementById('status');
// The progress when a phase begins. Only uploads are slow enough to show progress within the phase.
const BEGINS = { decode: 0, key: 0.1, keys: 0.15, encrypt: 0.5, upload: 0.6, classify: 0.8, decrypt: 0.95 };
const TOLD = ['decode', 'key', 'keys', 'encrypt', 'upload', 'classify']; // the phases reported to the site

/** A card of the queue, like `Card`: the same states and events, but no files to save. */
export class Answer extends EventTarget {
  element;
  #parts = {};
  #buttons = {};
  #abort;
  #phase = null;
  #told = true; // whether the site may know how it ends: not once the key is in use
  failure = null;
  handed = false; // whether the site has everything it gets
  toldPart = 0; // between 0 and 1: the progress reported to the site
  encrypted = false;
  picture = null;
  secondsLeft = null;

  constructor(file) {
    super();
    this.file = file;
    const fragment = document.getElementById('answer').content.cloneNode(true);
    fill(fragment);
    this.element = fragment.firstElementChild;
    for (const part of this.element.querySelectorAll('[data-part]')) this.#parts[part.dataset.part] = part;
    for (const button of this.element.querySelectorAll('[data-act]')) {
      const { act } = button.dataset;
      this.#buttons[act] = button;
      button.addEventListener('click', () => (act === 'cancel' ? this.cancel() : this.dispatchEvent(new Event(act))));
    }
    this.#parts.name.textContent = this.#parts.name.title = this.name;
    this.wait();
  }

  /** To be called when the photo enters the queue. */
  wait() {
    this.#abort = new AbortController();
    this.#phase = this.failure = null;
    this.handed = false;
    this.toldPart = 0;
    this.#told = true;
    this.#parts.error.textContent = '';
    this.#parts.found.replaceChildren();
    this.#parts.bar.value = 0;
    this.#state('waiting', words.card.waiting);
  }

  get signal() {
    return this.#abort.signal;
  }

  get state() {
    return this.element.dataset.state;
  }

  /** Whether it has ended. */
  get ended() {
    return this.state !== 'waiting' && this.state !== 'running';
  }

  get name() {
    return this.file.name || words.card.pasted;
  }

  /** Between 0 and 1. */
  get fraction() {
    if (this.state === 'waiting') return 0;
    return this.state === 'running' ? this.#parts.bar.value : 1;
  }

  cancel() {
    this.#abort.abort();
    if (this.state === 'waiting') this.#fail({ code: 'cancelled' });
  }

  async run(networks) {
    clear(this.#parts.original);
    for (const name of ['facts', 'bytes']) this.#parts[name].textContent = '';
    this.#state('running', words.card.waiting);
    const opening = new Opening();
    await opening.over(this.#work(networks, opening));
  }

  async #work(networks, opening) {
    const { signal } = this;
    let drawn;
    try {
      const asked = networks.ask(this.file, {
        signal,
        onProgress: (report) => {
          if (report.phase === 'decrypt') opening.begin();
          this.#progress(report);
        },
        onRead: (photo) => {
          const file = photo.colour === 'srgb' ? null : this.file;
          drawn = drawPicture(this.#parts.original, { ...photo, file }, words.card.originalOf(this.name));
          const kind = photo.channels === 1 ? words.card.grey : words.card.colour;
          this.#parts.facts.textContent = `${photo.width} × ${photo.height}, ${kind}`;
        },
        onSent: ({ size }) => {
          this.#parts.bytes.textContent = ` · ${words.card.sent(bytes(size))}`;
          this.#parts.bytes.dataset.bytes = size;
        },
      });
      const { label } = await asked.finally(() => opening.end());
      await drawn;
      this.#show(label);
    } catch (error) {
      this.#fail(error);
    }
  }

  #progress(report) {
    const { phase, done, total } = report;
    const begins = phase !== this.#phase;
    this.#phase = phase;
    const how = percent(done, total);
    this.#parts.text.textContent = [words.doing[phase], how].filter(Boolean).join(', ');
    const next = Math.min(1, ...Object.values(BEGINS).filter((part) => part > BEGINS[phase]));
    this.#parts.bar.value = BEGINS[phase] + (total > 0 ? (done / total) * (next - BEGINS[phase]) : 0);
    if (begins) announce.textContent = `${this.name}: ${words.doing[phase]}`;
    this.#told = TOLD.includes(phase);
    this.handed = !this.#told; // the element itself has reported the answer
    this.toldPart = toldPart(report);
    if (this.#told) this.dispatchEvent(new CustomEvent('progress', { detail: report }));
  }

  /** Shows only the label: people publish what they see, and numbers would tell a dishonest server more about the key. */
  #show(said) {
    const label = foreign(said, 80);
    const line = document.createElement('strong');
    line.textContent = label;
    this.#parts.found.replaceChildren(line);
    this.#parts.bar.value = 1;
    this.#state('done', words.network.done);
    announce.textContent = words.recognise.said(this.name, label);
  }

  #fail(error) {
    this.failure = error;
    this.#parts.bar.value = 0;
    const cancelled = error.code === 'cancelled';
    if (!cancelled) this.#parts.error.textContent = explain(error);
    if (this.#told) this.dispatchEvent(new CustomEvent('failed', { detail: error.code ?? 'internal' }));
    this.#state(cancelled ? 'cancelled' : 'failed', cancelled ? words.card.cancelled : words.card.failed);
  }

  #state(state, text) {
    this.element.dataset.state = state;
    this.#parts.text.textContent = text;
    const busy = !this.ended;
    const focused = document.activeElement === this.#buttons.cancel;
    this.#buttons.cancel.disabled = !busy;
    this.#buttons.again.disabled = this.#buttons.remove.disabled = busy;
    if (focused && !busy) keepFocus(this.#buttons.again); // a disabled button would lose the keyboard focus
    if (busy) return;
    announce.textContent = `${this.name}: ${text}`;
    this.dispatchEvent(new Event('end'));
  }
}
