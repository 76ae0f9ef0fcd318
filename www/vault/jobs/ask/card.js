// One photo for a network to classify: a small picture, its progress, then what it shows.

import { Card } from '../../card.js';
import { partDone } from '../../progress.js';
import { bytes, foreign, percent, words } from '../../words.js';

const announce = document.getElementById('status');
// The progress when a phase begins. Only uploads are slow enough to show progress within the phase.
const BEGINS = { decode: 0, key: 0.1, keys: 0.15, encrypt: 0.5, upload: 0.6, classify: 0.8, decrypt: 0.95 };
const TOLD = ['decode', 'key', 'keys', 'encrypt', 'upload', 'classify']; // the phases reported to the site

/** A card with no files to save. Also fires `failed`, with the error's code, for a failure that the site may know. */
export class Answer extends Card {
  keyKind = 'ckks';
  #networks;
  #told = true; // whether the site may know how it ends: not once the key is in use

  constructor(file, networks) {
    super('answer', file);
    this.#networks = networks;
    this.wait();
  }

  wait() {
    this.#told = true;
    this.parts.found.replaceChildren();
    super.wait();
  }

  async work({ signal, opening }) {
    let drawn;
    const asked = this.#networks.ask(this.file, {
      signal,
      onProgress: (report) => {
        if (report.phase === 'decrypt') opening.begin();
        this.#progress(report);
      },
      onRead: (photo) => {
        drawn = this.drawOriginal(photo);
        this.showFacts(photo);
      },
      onSent: ({ size }) => {
        this.parts.bytes.textContent = ` · ${words.card.sent(bytes(size))}`;
        this.parts.bytes.dataset.bytes = size;
      },
    });
    const { label } = await asked.finally(() => opening.end());
    await drawn;
    this.#show(label);
  }

  #progress(report) {
    const { phase, done, total } = report;
    this.note(report);
    this.parts.text.textContent = [words.doing[phase], percent(done, total)].filter(Boolean).join(', ');
    this.parts.bar.value = partDone(BEGINS, report);
    this.#told = TOLD.includes(phase);
    this.handed = !this.#told; // the element itself has reported the answer
    if (this.#told) this.dispatchEvent(new CustomEvent('progress', { detail: report }));
  }

  /** Shows only the label: people publish what they see, and numbers would tell a dishonest server more about the key. */
  #show(said) {
    const label = foreign(said, 80);
    const line = document.createElement('strong');
    line.textContent = label;
    this.parts.found.replaceChildren(line);
    this.done(words.network.done);
    announce.textContent = words.recognise.said(this.name, label);
  }

  fail(error) {
    if (this.#told) this.dispatchEvent(new CustomEvent('failed', { detail: error.code ?? 'internal' }));
    super.fail(error);
  }
}
