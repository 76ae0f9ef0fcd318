// One photo in the vault that is filtered or encrypted, or an encrypted image that is opened: its pictures, its progress, its
// buttons.

import { Card } from '../../card.js';
import { keepFocus } from '../../dialog.js';
import { drawBytes, drawNothing, drawPicture } from '../../draw.js';
import { SOON, stood } from '../../meant.js';
import { bytes, percent, span, words } from '../../words.js';
import { filterText, historyText } from './catalogue.js';
import { Estimate } from './estimate.js';
import { process } from './process.js';

const ALL_PHASES = ['decode', 'key', 'encrypt', 'upload', 'filter', 'download', 'decrypt'];
const SHOWN_EVERY = 250; // ms; reports come for every row, and painting takes CPU time from the workers
const PHASES = { filter: ALL_PHASES, encrypt: ALL_PHASES.slice(0, 3), open: ['decrypt'] };
const SAVED = ['picture', 'upload', 'reply']; // the files that can be saved

/**
 * A card for a photo, or for an encrypted image (`encrypted`), which is only decrypted. With `asks`, the image came from the
 * site, and the visitor is asked first. Also fires `save` with a file, and `handed` when the site has everything it gets.
 */
export class FilterCard extends Card {
  keyKind = 'paillier';
  #vault;
  #estimate = null;
  #shown = 0; // when the last report was shown
  #saves = {};
  #photo = null;
  #check = 'required'; // whether the key in use must have encrypted the image
  #task = null;
  carried = null; // the encrypted photo and the encrypted result, which the site has

  constructor(vault, file, { task, encrypted = false, asks = false }) {
    super('card', file, { encrypted });
    this.#vault = vault;
    this.asks = asks;
    for (const canvas of this.element.querySelectorAll('canvas')) canvas.dataset.testid = canvas.dataset.part;
    const { slider, result } = this.parts;
    // The style sheet clips the result there.
    slider.addEventListener('input', () => result.style.setProperty('--shown', `${slider.value}%`));
    this.opener.hidden = !encrypted;
    if (!asks) this.opener.textContent = words.card.openUnverified;
    if (asks) this.become('asking', words.card.asking);
    else this.wait(task);
  }

  /** The button that opens it. */
  get opener() {
    return this.buttons.open;
  }

  /** Call this when the photo enters the queue, with the site's current task. */
  wait(task) {
    this.#task = task;
    this.#estimate = new Estimate();
    this.carried = null;
    this.parts.phases.replaceChildren(
      ...(PHASES[this.encrypted ? 'open' : task.task] ?? ALL_PHASES).map((phase) => {
        const item = Object.assign(document.createElement('li'), { textContent: words.phases[phase] });
        item.dataset.phase = phase;
        return item;
      }),
    );
    this.#mark(null);
    super.wait();
  }

  get secondsLeft() {
    return this.state === 'running' ? this.#estimate.secondsLeft() : null;
  }

  get picture() {
    return this.#saves.picture ?? null;
  }

  get #stem() {
    return (this.file.name || 'photo').replace(/\.[^.]+$/, '') || 'photo';
  }

  empty() {
    super.empty();
    this.#saves = {};
    for (const name of ['outcome', 'left']) this.parts[name].textContent = '';
    this.parts.slider.disabled = true;
  }

  /** `second` is the other photo, for filters that need two. */
  async work({ second, opening, signal }) {
    const { safelight, site, keyring } = this.#vault;
    const timer = setInterval(() => this.#tell(), 500); // the time left changes even without a report
    const onProgress = (report) => this.#progress(report);
    const onReply = (reply) => {
      this.carried.reply = reply;
      opening.begin();
      this.#hand();
    };
    const onOpened = () => opening.end();
    try {
      if (this.encrypted) await this.#open(safelight, { opening, onProgress, signal });
      else await this.#process(safelight, site, { second, bits: keyring.bits, signal, onProgress, onReply, onOpened });
    } catch (error) {
      if (error.size) await this.#drawAsMuch(error.size);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** A failure draws as much as a picture. Otherwise, a site that keeps the vault busy could notice when a picture is drawn. */
  async #drawAsMuch(size) {
    if (this.encrypted) await drawBytes(this.parts.encrypted, this.file, size, words.card.encryptedOf(this.name));
    await drawNothing(this.parts.result, { ...size, file: this.profiled });
  }

  /** The site now has everything it gets. */
  #hand() {
    this.handed = true;
    this.dispatchEvent(new Event('handed'));
  }

  async #open(safelight, { opening, ...options }) {
    opening.begin();
    const { view } = this.#task;
    const opened = safelight.decrypt(this.file, { ...options, view, check: this.#check, png: false });
    const picture = await opened.finally(() => opening.end());
    await drawBytes(this.parts.encrypted, this.file, picture, words.card.encryptedOf(this.name));
    this.parts.bytes.textContent = bytes(this.file.size);
    await drawPicture(this.parts.result, picture, words.card.resultOf(this.name));
    this.showFacts(picture, picture.filters ? historyText(picture.filters, safelight.filters) : words.card.notFiltered);
    this.parts.left.textContent = words.card.result;
    this.#finish(safelight, { picture });
  }

  async #process(safelight, site, options) {
    let drawn;
    const done = await process(safelight, site, this.file, {
      ...options,
      task: this.#task,
      onOriginal: (photo) => {
        drawn = this.drawOriginal(photo);
        this.#photo = { width: photo.width, height: photo.height };
        this.parts.left.textContent = words.card.original;
        this.parts.outcome.textContent = words.card.stays;
        const notices = photo.notices.map((notice) => words.notices[notice] ?? notice);
        this.showFacts(photo, filterText(this.#task, safelight.filters), ...notices);
      },
      onEncrypted: (blob) => {
        this.parts.bytes.textContent = words.card.sent(bytes(blob.size));
        this.parts.bytes.dataset.bytes = blob.size;
        drawn = drawBytes(this.parts.encrypted, blob, this.#photo, words.card.encryptedOf(this.name));
        this.carried = { upload: blob, reply: null, ...this.#photo };
        if (this.#task.task === 'encrypt') this.#hand();
      },
    });
    await drawn;
    this.#estimate.learn();
    if (done.picture) {
      const file = done.picture.colour === 'srgb' ? null : await safelight.pngOf(done.picture);
      await drawPicture(this.parts.result, { ...done.picture, file }, words.card.resultOf(this.name));
      this.parts.left.textContent = words.card.compare;
      this.parts.slider.disabled = false;
      this.parts.outcome.textContent = words.card.received(bytes(done.reply.size));
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
    this.#mark('end');
    const { checked, unverified, encrypted } = words.card;
    this.done(picture ? (picture.checked ? checked : unverified) : encrypted);
  }

  fail(error) {
    this.#mark(null);
    super.fail(error);
  }

  act(act, event) {
    if (act === 'open' && this.asks && stood(this.opener, event) < SOON) {
      this.parts.text.textContent = words.card.early;
      return;
    }
    // A visitor's file may have been encrypted for them by someone else; the site's must come from the visitor's own key.
    if (act === 'open' && !this.asks) this.#check = 'where-possible';
    if (SAVED.includes(act)) this.dispatchEvent(new CustomEvent('save', { detail: this.#saves[act] }));
    else super.act(act === 'open' ? 'again' : act, event);
  }

  become(state, text) {
    const focused = document.activeElement === this.opener;
    const refused = state === 'failed' && this.failure.code === 'not_verifiable' && !this.asks;
    const busy = state === 'waiting' || state === 'running';
    this.opener.disabled = state !== 'asking' && !refused;
    for (const act of SAVED) this.buttons[act].disabled = busy || !this.#saves[act];
    super.become(state, text);
    if (focused && busy) keepFocus(this.buttons.cancel); // a disabled button would lose the keyboard focus
  }

  #progress(report) {
    const now = performance.now();
    const begins = this.note(report);
    if (begins) this.#mark(report.phase);
    this.#estimate.report(report, now);
    if (!begins && now - this.#shown < SHOWN_EVERY) return;
    this.#shown = now;
    this.#tell();
    this.dispatchEvent(new CustomEvent('progress', { detail: report }));
  }

  /** Shows the progress. */
  #tell() {
    if (!this.last || this.state !== 'running') return;
    const { phase, done, total } = this.last;
    const left = this.#estimate.secondsLeft();
    const how = phase === 'key' ? (done ? words.tried(done) : '') : percent(done, total);
    const parts = [words.doing[phase], how, left === null ? '' : words.left(span(left))];
    this.parts.text.textContent = parts.filter(Boolean).join(', ');
    this.parts.bar.value = this.encrypted ? (total > 0 ? done / total : 0) : this.#estimate.fraction;
  }

  #mark(phase) {
    let seen = phase !== null;
    for (const item of this.parts.phases.children) {
      const now = item.dataset.phase === phase;
      if (now) seen = false;
      item.className = now ? 'now' : seen ? 'done' : '';
    }
  }
}
