// One photo on the page: its pictures, its progress, its buttons.

import * as words from './words.js';
import { clear, drawBytes, drawPicture } from './draw.js';
import { Estimate } from './estimate.js';
import { filterText } from './controls.js';

const announce = document.getElementById('status');

/**
 * A card for a dropped file. `encrypted` says that the file is an encrypted image, which is only opened. The state is
 * in `data-state`: waiting, running, done, failed, cancelled. Fires `again` and `remove`; `save` with the file.
 */
export class Card extends EventTarget {
  element;
  #parts = {};
  #buttons = {};
  #abort = null;
  #estimate = null;
  #timer = 0;
  #last = null;
  #saves = {};
  #photo = null;
  #options = null;

  constructor(file, encrypted) {
    super();
    this.file = file;
    this.encrypted = encrypted;
    const fragment = document.getElementById('card').content.cloneNode(true);
    this.element = fragment.firstElementChild;
    for (const part of this.element.querySelectorAll('[data-part]')) this.#parts[part.dataset.part] = part;
    for (const button of this.element.querySelectorAll('[data-act]')) {
      this.#buttons[button.dataset.act] = button;
      button.dataset.testid = button.dataset.act;
      button.addEventListener('click', () => this.#act(button.dataset.act));
    }
    this.#parts.name.textContent = file.name || 'Pasted photo';
    for (const canvas of this.element.querySelectorAll('canvas')) canvas.dataset.testid = canvas.dataset.part;
    const list = encrypted ? ['decrypt'] : Object.keys(words.phases);
    for (const phase of list) {
      const item = document.createElement('li');
      item.dataset.phase = phase;
      item.textContent = words.phases[phase];
      this.#parts.phases.append(item);
    }
    this.wait();
  }

  /** To be called when the photo is in the queue. */
  wait() {
    this.#abort = new AbortController();
    this.#estimate = new Estimate();
    this.#last = null;
    this.#state('waiting', 'Waiting');
    this.#parts.error.textContent = '';
    this.#parts.bar.value = 0;
    this.#mark(null);
  }

  get signal() {
    return this.#abort.signal;
  }

  get stem() {
    return (this.file.name || 'photo').replace(/\.[^.]+$/, '') || 'photo';
  }

  cancel() {
    this.#abort.abort();
    if (this.element.dataset.state === 'waiting') this.failed({ code: 'cancelled' });
  }

  /** Runs with these options of Client.process or Client.open. */
  async run(client, options) {
    const { signal } = this;
    const [original, encrypted, result] = [this.#parts.original, this.#parts.encrypted, this.#parts.result];
    this.#saves = {};
    this.#options = options;
    for (const canvas of [original, encrypted, result]) clear(canvas);
    for (const part of ['facts', 'bytes', 'outcome']) this.#parts[part].textContent = '';
    this.#state('running', 'Starting');
    this.#timer = setInterval(() => this.#tell(), 500);
    const onProgress = (report) => this.#progress(report);
    let drawn;
    try {
      if (this.encrypted) {
        const picture = await client.open(this.file, { ...options, signal, onProgress });
        await drawBytes(encrypted, this.file, picture, 'The encrypted bytes, drawn as noise');
        this.#parts.bytes.textContent = words.bytes(this.file.size);
        await this.#finish({ picture });
      } else {
        const onOriginal = (photo) => {
          drawn = drawPicture(original, photo, 'The original photo');
          this.#photo = { width: photo.width, height: photo.height };
          this.#parts.facts.textContent = [
            `${photo.width} × ${photo.height}, ${photo.channels === 1 ? 'grey' : 'colour'}`,
            filterText(options),
            ...photo.notices.map((notice) => words.notices[notice] ?? notice),
          ].join(' · ');
        };
        const onEncrypted = (blob) => {
          this.#parts.bytes.textContent = `${words.bytes(blob.size)} sent`;
          this.#parts.bytes.dataset.bytes = blob.size;
          drawn = drawBytes(encrypted, blob, this.#photo, 'The encrypted bytes that were sent, drawn as noise');
        };
        const done = await client.process(this.file, { ...options, signal, onProgress, onOriginal, onEncrypted });
        await drawn;
        await this.#finish(done);
      }
    } catch (error) {
      this.failed(error);
    } finally {
      clearInterval(this.#timer);
    }
  }

  failed(error) {
    if (error.code === 'cancelled') {
      this.#state('cancelled', 'Cancelled');
    } else {
      this.#state('failed', 'Stopped');
      this.#parts.error.textContent = words.explain(error);
    }
    this.#parts.bar.value = 0;
    this.#mark(null);
  }

  async #finish({ upload, reply, picture }) {
    await drawPicture(this.#parts.result, picture, this.encrypted ? 'The opened picture' : 'The filtered photo');
    if (this.encrypted) {
      const { width, height, channels, filters } = picture;
      const kind = channels === 1 ? 'grey' : 'colour';
      this.#parts.facts.textContent = `${width} × ${height}, ${kind} · ${filters || 'not filtered'}`;
    }
    this.#estimate.learn();
    const name = this.encrypted ? `${this.stem}-opened` : `${this.stem}-${this.#options.filter}`;
    this.#saves = {
      picture: { blob: picture.png, name: `${name}.png` },
      upload: { blob: upload, name: `${this.stem}-encrypted.slt` },
      reply: { blob: reply, name: `${name}.slt` },
    };
    this.#parts.outcome.textContent = reply ? `${words.bytes(reply.size)} received` : '';
    this.#parts.bar.value = 1;
    this.#mark('end');
    this.#state('done', words.done(picture.checked));
  }

  #act(act) {
    if (act === 'cancel') return this.cancel();
    if (act === 'again' || act === 'remove') return this.dispatchEvent(new Event(act));
    this.dispatchEvent(new CustomEvent('save', { detail: this.#saves[act] }));
  }

  #state(state, text) {
    this.element.dataset.state = state;
    this.#parts.text.textContent = text;
    const busy = state === 'waiting' || state === 'running';
    const focused = document.activeElement === this.#buttons.cancel;
    this.#buttons.cancel.disabled = !busy;
    this.#buttons.again.disabled = busy;
    this.#buttons.remove.disabled = busy;
    for (const act of ['picture', 'upload', 'reply']) this.#buttons[act].disabled = busy || !this.#saves[act]?.blob;
    if (focused && !busy) this.#buttons.again.focus(); // a disabled button would lose the keyboard's place
    if (state !== 'running' && state !== 'waiting') announce.textContent = `${this.#parts.name.textContent}: ${text}`;
  }

  #progress(report) {
    if (report.phase !== this.#last?.phase) {
      announce.textContent = `${this.#parts.name.textContent}: ${words.doing[report.phase]}`;
      this.#mark(report.phase);
    }
    this.#last = report;
    this.#estimate.report(report);
    this.#tell();
  }

  #tell() {
    if (!this.#last || this.element.dataset.state !== 'running') return;
    const { phase, done, total } = this.#last;
    const left = this.#estimate.secondsLeft();
    const how = phase === 'key' ? (done ? words.key.tried(done) : '') : words.percent(done, total);
    const parts = [words.doing[phase], how, left === null ? '' : `about ${words.span(left)} left`];
    this.#parts.text.textContent = parts.filter(Boolean).join(', ');
    this.#parts.bar.value = this.encrypted ? (total > 0 ? done / total : 0) : this.#estimate.fraction;
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
