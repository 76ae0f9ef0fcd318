// The dropped photos: processed one after the other, with a common progress bar.

import { keepFocus } from './dialog.js';
import { SOON, stood, watch } from './meant.js';
import { filled, saveAs } from './save.js';
import { percent, span, words } from './words.js';

const $ = (id) => document.getElementById(id);
const SEEN = 1000; // ms for which an encrypted image of the site must have been shown before one click opens all

/** Fires `begin` and `end` (with the card), and `idle` when nothing is left to do. */
export class Queue extends EventTarget {
  #work; // runs a card
  #pauses; // pauses and resumes the workers: { pause, resume }
  #waiting = [];
  #cards = [];
  #paused = false;
  #wake = null;
  running = null; // the current card
  #spent = { bytes: 0, photos: 0, seconds: 0 }; // on photos that came back, whether they could be decrypted or not

  constructor(work, pauses) {
    super();
    this.#work = work;
    this.#pauses = pauses;
    $('pause').addEventListener('click', () => (this.#paused ? this.resume() : this.pause()));
    $('cancel-all').addEventListener('click', () => this.cancelAll());
    $('save-all').addEventListener('click', () => this.#saveAll());
    $('open-all').addEventListener('click', (event) => this.#openAll(event));
    $('clear').addEventListener('click', () => this.clear());
  }

  /** The number of encrypted images from the site that wait for the visitor's click. */
  get asking() {
    return this.#cards.filter(({ state }) => state === 'asking').length;
  }

  /**
   * Adds a card, newest first. A card that asks the visitor waits until it is enqueued, and is placed after those that already
   * ask: the site adds such cards, and must not move others under the pointer.
   */
  add(card, options) {
    const last = card.state === 'asking' && this.#cards.findLast(({ state }) => state === 'asking');
    this.#cards.push(card);
    if (last) last.element.after(card.element);
    else $('list').prepend(card.element);
    card.addEventListener('remove', () => {
      this.#forget(card);
      keepFocus($('photos'));
    });
    card.addEventListener('end', () => this.show());
    if (card.state === 'asking') (watch(card.opener), this.show());
    else this.enqueue(card, options);
  }

  /** Opens the images that the visitor had seen when the click began: from then on, the site knows of it and may add more. */
  #openAll(event) {
    if (stood($('open-all'), event) < SOON) return;
    const seen = this.#cards.filter((card) => card.state === 'asking' && stood(card.opener, event) >= SEEN);
    for (const card of seen) card.dispatchEvent(new Event('again'));
  }

  /** Appends a card to the queue. */
  enqueue(card, options) {
    this.#waiting.push([card, options]);
    this.show();
    if (!this.running) this.#run();
  }

  pause() {
    this.#paused = true;
    this.#pauses.pause();
    this.show();
  }

  resume() {
    this.#paused = false;
    this.#pauses.resume();
    this.#wake?.();
    this.show();
  }

  cancelAll() {
    for (const [card] of this.#waiting) card.cancel();
    this.running?.cancel();
    this.resume();
  }

  /** Removes finished cards. One just decrypted stays until the next one begins, because the site can call this too. */
  clear() {
    for (const card of this.#cards.filter((card) => card.ended && card !== this.running)) this.#forget(card);
    keepFocus($('photos'));
  }

  #forget(card) {
    card.element.remove();
    this.#cards = this.#cards.filter((other) => other !== card);
    this.show();
  }

  async #run() {
    const timer = setInterval(() => this.show(), 500); // the time left changes even if nothing happens
    while (this.#waiting.length > 0) {
      if (this.#paused) await new Promise((wake) => (this.#wake = wake));
      const [card, options] = this.#waiting.shift() ?? [];
      if (!card || card.signal.aborted) continue;
      this.running = card;
      this.dispatchEvent(new CustomEvent('begin', { detail: card }));
      const start = performance.now();
      await this.#work(card, options);
      if (card.handed) {
        this.#spent.bytes += card.file.size;
        this.#spent.photos += 1;
        this.#spent.seconds += (performance.now() - start) / 1000;
      }
      this.running = null;
      this.dispatchEvent(new CustomEvent('end', { detail: card }));
    }
    clearInterval(timer);
    this.dispatchEvent(new Event('idle'));
    this.show();
  }

  /** Waits until the turn of a photo that has ended is over, which takes a moment longer. */
  async over() {
    if (this.running?.ended) await new Promise((over) => this.addEventListener('end', over, { once: true }));
  }

  /** The progress of all photos: `{ done, all, fraction, secondsLeft }`. */
  get totals() {
    const cards = this.#cards.filter(({ state }) => state !== 'asking');
    const open = cards.filter(({ ended }) => !ended);
    const { fraction, secondsLeft } = this.#share(cards, open, 'bytes', (card) => card.fraction);
    const alone = secondsLeft === null && open.length === 1 ? open[0].secondsLeft : secondsLeft;
    return { done: cards.length - open.length, all: cards.length, fraction, secondsLeft: alone };
  }

  /**
   * The progress that the site may know: of photos on their way to the server and back. Each photo counts as one, and numbers
   * are rounded. Weighted by file sizes, the fraction would reveal how many bytes each file has.
   */
  get told() {
    const cards = this.#cards.filter(({ encrypted }) => !encrypted);
    const open = cards.filter(({ ended, handed }) => !ended && !handed);
    const { fraction, secondsLeft } = this.#share(cards, open, 'photos', (card) => card.toldPart);
    return { fraction: Math.round(fraction * 100) / 100, secondsLeft: secondsLeft && Math.round(secondsLeft) };
  }

  #share(cards, open, unit, part) {
    const weight = ({ file }) => (unit === 'bytes' ? file.size : 1);
    const all = cards.reduce((sum, card) => sum + weight(card), 0);
    const left = open.reduce((sum, card) => sum + weight(card) * (1 - part(card)), 0);
    const { [unit]: spent, seconds } = this.#spent;
    const known = spent > 0 && open.length > 0;
    return { fraction: all > 0 ? 1 - left / all : 1, secondsLeft: known ? (left * seconds) / spent : null };
  }

  show() {
    const { done, all, fraction, secondsLeft } = this.totals;
    const busy = done < all;
    const asking = this.asking;
    $('queue').hidden = this.#cards.length === 0;
    $('total').value = fraction;
    const parts = [words.queue.state(done, all), busy ? percent(fraction, 1) : '', asking > 0 ? words.queue.asking(asking) : ''];
    if (this.#paused) parts.push(words.queue.paused);
    else if (busy && secondsLeft !== null) parts.push(words.left(span(secondsLeft)));
    filled($('total-text'), parts.filter(Boolean).join(', '));
    filled($('pause'), this.#paused ? words.queue.resume : words.queue.pause);
    $('pause').disabled = !busy && !this.#paused;
    $('cancel-all').disabled = !busy;
    $('save-all').disabled = !this.#cards.some(({ picture }) => picture);
    const rested = $('open-all').disabled;
    $('open-all').disabled = asking === 0;
    // Once visible, it stays visible: otherwise, its disappearance would show the site when the last image was opened.
    if (rested && asking > 0) (($('open-all').hidden = false), watch($('open-all')));
    $('clear').disabled = done + asking === 0;
  }

  async #saveAll() {
    const { downloadZip } = await import('./lib/client-zip.js');
    const files = this.#cards.map(({ picture }) => picture).filter(Boolean);
    const seen = new Map();
    const entries = async function* () {
      for (const { name, blob } of files) {
        const count = seen.get(name) ?? 0;
        seen.set(name, count + 1);
        yield { name: count === 0 ? name : name.replace(/(\.[^.]+)$/, ` (${count})$1`), input: await blob() };
      }
    };
    saveAs(await downloadZip(entries()).blob(), 'safelight.zip');
  }
}
