// The panel with the user's keys: which one is in use, new ones, key files, names, deletion.

import { SafelightError } from '../shared/errors.js';
import { ask } from './dialog.js';
import { chosen } from './intake.js';
import { filled, saveAs } from './save.js';
import { explain, words } from './words.js';

const $ = (id) => document.getElementById(id);
const SHORTEST = 8; // letters of a passphrase

export class KeyRing {
  #safelight;
  #queue;
  #making = null; // the AbortController of a key being made
  #reminded = false; // whether the user said "later"
  #relied = false; // whether something was encrypted with a key that has no key file yet

  constructor(safelight, queue, fail) {
    this.#safelight = safelight;
    this.#queue = queue;
    const safely = (work) => async () => {
      $('message').textContent = '';
      await work().catch(fail);
    };
    const on = (id, event, work) => $(id).addEventListener(event, safely(work));
    on('new-key', 'click', () => this.#make());
    on('forget-key', 'click', () => this.#stopUsing());
    on('save-key', 'click', () => this.#export());
    on('reminder-export', 'click', () => this.#export());
    on('reminder-later', 'click', async () => ((this.#reminded = true), this.show()));
    on('rename-key', 'click', () => this.#rename());
    on('delete-key', 'click', () => this.#delete());
    on('open-key', 'change', async () => {
      for (const file of chosen($('open-key'))) await this.open(file);
    });
    on('ring', 'change', () => this.#use($('ring').querySelector(':checked').value));
    safelight.addEventListener('keys', () => this.show());
    queue.addEventListener('begin', () => this.show());
    queue.addEventListener('idle', () => this.show());
    queue.addEventListener('end', ({ detail: card }) => {
      if (card.state === 'done' && !card.encrypted) this.#relied = true;
      // The user may have cleared what the browser stores while this page was open.
      if (safelight.storage === 'kept') safelight.refreshKeys().catch(() => {});
      this.show();
    });
    this.show();
  }

  /** The size of a key if one has to be made. */
  get bits() {
    return Number($('bits').value);
  }

  /** Takes in a key file; asks for its passphrase if it has one. */
  async open(file) {
    if (this.#busy) throw new SafelightError('key_busy', 'wait until the work is done before you change the key');
    const kind = await this.#safelight.kind(file);
    if (kind === 'public_key') throw new SafelightError('public_key', 'this is a public key; only its secret key opens pictures');
    if (!(await this.#mayLose())) return;
    if (kind !== 'protected_key') return void (await this.#safelight.openKey(file));
    await ask({
      title: words.dialog.openTitle,
      text: words.dialog.openText,
      yes: words.dialog.openYes,
      fields: [{ name: 'passphrase', label: words.dialog.passphrase, type: 'password', autocomplete: 'current-password' }],
      act: ({ passphrase }) => this.#safelight.openKey(file, { passphrase }),
      explain,
    });
  }

  get #busy() {
    return Boolean(this.#queue.running) || Boolean(this.#making);
  }

  /** A key that is kept nowhere else is given up on purpose only. */
  async #mayLose() {
    const { key } = this.#safelight;
    if (!key || key.stored || key.exported || !this.#relied) return true;
    const { loseTitle: title, loseText: text, loseYes: yes } = words.dialog;
    return (await ask({ title, text, yes, act: () => true, explain })) ?? false;
  }

  async #make() {
    if (!(await this.#mayLose())) return;
    this.#making = new AbortController();
    this.show();
    try {
      filled($('key-state'), words.keys.making(this.bits));
      const onProgress = ({ done }) => ($('key-print').textContent = words.tried(done));
      await this.#safelight.newKey(this.bits, { signal: this.#making.signal, onProgress });
      this.#relied = false;
    } finally {
      this.#making = null;
      this.show();
    }
  }

  async #use(fingerprint) {
    if (!(await this.#mayLose())) return this.show();
    await this.#safelight.useKey(fingerprint);
  }

  async #stopUsing() {
    if (!(await this.#mayLose())) return;
    this.#making?.abort();
    this.#queue.cancelAll();
    await this.#safelight.dropKey();
  }

  async #export() {
    const { key } = this.#safelight;
    const file = await ask({
      title: words.dialog.exportTitle,
      text: words.dialog.exportText,
      yes: words.dialog.exportYes,
      fields: [
        { name: 'passphrase', label: words.dialog.passphrase, type: 'password', autocomplete: 'new-password' },
        { name: 'again', label: words.dialog.again, type: 'password', autocomplete: 'new-password' },
        { name: 'bare', label: words.dialog.bare, type: 'checkbox' },
      ],
      check: ({ passphrase, again, bare }) => {
        if (bare) return '';
        if (passphrase !== again) return words.dialog.differ;
        return passphrase.length < SHORTEST ? words.dialog.short : '';
      },
      act: async ({ passphrase, bare }) => ({
        blob: await this.#safelight.exportKey({ passphrase: bare ? null : passphrase }),
        name: `safelight-${key.fingerprint.slice(0, 8)}.${bare ? 'key' : 'key.age'}`,
      }),
      explain,
    });
    if (file) saveAs(file.blob, file.name);
  }

  async #rename() {
    const { key } = this.#safelight;
    await ask({
      title: words.dialog.renameTitle,
      text: words.dialog.renameText,
      yes: words.dialog.renameYes,
      fields: [{ name: 'name', label: words.dialog.name, value: key.name }],
      act: ({ name }) => this.#safelight.renameKey(key.fingerprint, name),
      explain,
    });
  }

  async #delete() {
    const { key } = this.#safelight;
    const name = key.name || `${words.keys.unnamed} ${key.fingerprint.slice(0, 8)}`;
    await ask({
      title: words.dialog.deleteTitle,
      text: key.exported ? words.dialog.deleteText(name) : words.dialog.deleteNoFile(name),
      yes: words.dialog.deleteYes,
      act: async () => {
        this.#queue.cancelAll();
        await this.#safelight.deleteKey(key.fingerprint);
        this.#relied = false;
      },
      explain,
    });
  }

  show() {
    const { key, keys, storage } = this.#safelight;
    if (!this.#making) {
      const none = keys.length > 0 ? words.keys.unused : words.keys.none;
      filled($('key-state'), key ? [words.keys.ready(key.name, key.bits), ...facts(key)].join(', ') : none);
      filled($('key-print'), key ? words.keys.fingerprint(key.fingerprint) : '');
    }
    for (const id of ['new-key', 'open-key', 'bits']) $(id).disabled = this.#busy;
    $('forget-key').disabled = !key && !this.#making;
    for (const id of ['save-key', 'rename-key', 'delete-key']) $(id).disabled = !key;
    $('reminder').hidden = !key || key.exported || !this.#relied || (this.#reminded && key.stored);
    filled($('storage'), words.keys.storage[storage]);
    this.#showRing(keys, key);
  }

  #showRing(keys, current) {
    $('ring-block').hidden = keys.length < 2 && !(keys.length === 1 && !current);
    $('ring-block').disabled = this.#busy;
    const had = $('ring').contains(document.activeElement);
    $('ring').replaceChildren(
      ...keys.map((key) => {
        const id = `ring-${key.fingerprint}`;
        const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'ring', id, value: key.fingerprint });
        input.checked = key.fingerprint === current?.fingerprint;
        const label = Object.assign(document.createElement('label'), { htmlFor: id });
        const made = new Date(key.created).toLocaleDateString(document.documentElement.lang);
        label.textContent = `${key.name || words.keys.unnamed} ${key.fingerprint.slice(0, 8)}, ${key.bits}, ${made}`;
        const line = Object.assign(document.createElement('p'), { className: 'check' });
        line.append(input, label);
        return line;
      }),
    );
    if (had) $('ring').querySelector(':checked')?.focus();
  }
}

function facts({ stored, exported }) {
  return [stored ? words.keys.kept : words.keys.tabOnly, exported ? '' : words.keys.notExported].filter(Boolean);
}
