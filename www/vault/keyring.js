// The panel with the user's keys: the key in use, new keys, key files, names, deletion. It shows one key at a time: the kind
// that the site's job needs, unless the user has chosen another.

import { SafelightError } from '../shared/errors.js';
import { ask, keepFocus } from './dialog.js';
import { chosen } from './intake.js';
import { advice, SHORTEST } from './passphrase.js';
import { filled, saveAs } from './save.js';
import { explain, words } from './words.js';

const $ = (id) => document.getElementById(id);
const USUAL_BITS = 3072;

export class KeyRing {
  #safelight;
  #queue;
  #protection;
  #needed = 'paillier'; // the kind of key that the site's job needs
  #kind = 'paillier'; // of the key shown
  #making = null; // the AbortController of a key being created
  #reminded = false; // whether the user said "later"
  #relied = new Set(); // fingerprints of keys used here to encrypt or scramble something
  others = null; // other work with keys; its `running` says whether it is busy

  constructor(safelight, queue, protection, fail) {
    this.#safelight = safelight;
    this.#queue = queue;
    this.#protection = protection;
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
    // Browsers then ask the user whether to leave the page.
    addEventListener('beforeunload', (event) => this.#lost.length > 0 && event.preventDefault());
    safelight.addEventListener('keys', () => this.show());
    queue.addEventListener('begin', () => this.show());
    queue.addEventListener('idle', () => this.show());
    queue.addEventListener('end', ({ detail: card }) => {
      if (card.handed && card.carried && safelight.key) this.#relied.add(safelight.key.fingerprint);
      // The user may have cleared the browser's storage while this page was open.
      if (safelight.storage === 'kept') safelight.refreshKeys().catch(() => {});
      this.show();
    });
    this.show();
  }

  /** The size of the key if one has to be created. */
  get bits() {
    return Number($('bits').value) || USUAL_BITS;
  }

  /** The site's job needs keys of this kind. */
  prefer(kind) {
    if (kind === this.#needed) return;
    this.#needed = this.#kind = kind;
    $('bits').value = kind === 'etc' ? 'etc' : USUAL_BITS;
    this.show();
  }

  /** Remembers that something made here depends on this key. */
  relied(fingerprint) {
    this.#relied.add(fingerprint);
    this.show();
  }

  /** The key shown. */
  get #key() {
    const { key, etcKey, ckksKey } = this.#safelight;
    return { paillier: key, etc: etcKey, ckks: ckksKey }[this.#kind];
  }

  /** The texts that depend on the key's purpose. */
  get #words() {
    return words.kinds[this.#kind];
  }

  /** Opens a key file; asks for its passphrase if it has one. */
  async open(file) {
    await this.#queue.over();
    if (this.#busy) throw new SafelightError('key_busy', words.errors.key_busy);
    const kind = await this.#safelight.kind(file);
    if (kind === 'public_key') throw new SafelightError('public_key', words.errors.public_key);
    const known = { secret_key: ['paillier'], etc_key: ['etc'], ckks_secret_key: ['ckks'] };
    const kinds = known[kind] ?? Object.values(known).flat();
    if (!(await this.#mayLose(kinds))) return;
    const open = async (options) => {
      this.#kind = (await this.#safelight.openKey(file, options)).kind;
      this.show();
    };
    if (kind !== 'protected_key') return void (await open({}));
    await ask({
      title: words.dialog.openTitle,
      text: words.dialog.openText,
      yes: words.dialog.openYes,
      fields: [{ name: 'passphrase', label: words.dialog.passphrase, type: 'password' }],
      act: ({ passphrase }) => open({ passphrase }),
      explain,
    });
  }

  get #busy() {
    return Boolean(this.#queue.running) || Boolean(this.#making) || Boolean(this.others?.running);
  }

  /** The keys in use that are stored nowhere else and that something depends on. */
  get #lost() {
    const used = [this.#safelight.key, this.#safelight.etcKey, this.#safelight.ckksKey].filter(Boolean);
    return used.filter((key) => !key.stored && !key.exported && this.#relied.has(key.fingerprint));
  }

  /** Whether keys may be locked now; asks if work would be cancelled. */
  async mayLock() {
    const { running } = this.#queue; // an ended card may still wait for its turn to be over
    if (!this.#making && !this.others?.running && (!running || running.ended)) return true;
    const { lockTitle: title, lockText: text, lockYes: yes } = words.dialog;
    return Boolean(await ask({ title, text, yes, act: () => (this.#stopAll(), true), explain }));
  }

  #stopAll() {
    this.#making?.abort();
    this.#queue.cancelAll();
    this.others?.cancel();
  }

  /** Asks before a key that is stored nowhere else is lost. `kinds` are the kinds being replaced. */
  async #mayLose(kinds) {
    for (const key of this.#lost) {
      if (!kinds.includes(key.kind) || key.waits) continue;
      const { loseTitle: title, loseYes: yes } = words.dialog;
      const text = words.kinds[key.kind].loseText;
      if (!(await ask({ title, text, yes, act: () => true, explain }))) return false;
    }
    return true;
  }

  async #make() {
    const kind = $('bits').value === 'etc' ? 'etc' : 'paillier';
    if (!(await this.#mayLose([kind])) || !(await this.#protection.unlocked())) return;
    this.#making = new AbortController();
    const { signal } = this.#making;
    this.#kind = kind;
    this.show();
    try {
      if (this.#kind === 'etc') return void (await this.#safelight.newEtcKey({ signal }));
      filled($('key-state'), words.keys.making(this.bits));
      const onProgress = ({ done }) => ($('key-print').textContent = words.tried(done));
      await this.#safelight.newKey(this.bits, { signal, onProgress });
    } finally {
      this.#making = null;
      this.show();
    }
  }

  async #use(fingerprint) {
    const { kind } = this.#safelight.keys.find((key) => key.fingerprint === fingerprint);
    if (!(await this.#mayLose([kind])) || !(await this.#protection.unlocked())) return this.show();
    await this.#safelight.useKey(fingerprint);
    this.#kind = kind;
    this.show();
  }

  async #stopUsing() {
    if (!(await this.#mayLose([this.#kind]))) return;
    this.#making?.abort();
    this.#queue.cancelAll();
    await this.#safelight.dropKey(this.#kind);
  }

  async #export() {
    const key = this.#key;
    const file = await ask({
      title: words.dialog.exportTitle,
      text: this.#words.exportText,
      yes: words.dialog.exportYes,
      fields: [
        { name: 'passphrase', label: words.dialog.passphrase, type: 'password' },
        { name: 'again', label: words.dialog.again, type: 'password' },
        { name: 'bare', label: words.dialog.bare, type: 'checkbox' },
      ],
      check: ({ passphrase, again, bare }) => {
        if (bare) return '';
        if (passphrase !== again) return words.dialog.differ;
        return passphrase.length < SHORTEST ? words.dialog.short : '';
      },
      advise: ({ passphrase, bare }) => (bare ? '' : advice(passphrase)),
      act: async ({ passphrase, bare }) => ({
        blob: await this.#safelight.exportKey({ kind: key.kind, passphrase: bare ? null : passphrase }),
        name: `safelight-${key.kind === 'paillier' ? '' : `${key.kind}-`}${key.fingerprint.slice(0, 8)}.${bare ? 'key' : 'key.age'}`,
      }),
      explain,
    });
    if (file) saveAs(file.blob, file.name);
  }

  async #rename() {
    const key = this.#key;
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
    const key = this.#key;
    const name = key.name || `${words.keys.unnamed} ${key.fingerprint.slice(0, 8)}`;
    await ask({
      title: words.dialog.deleteTitle,
      text: `${key.exported ? this.#words.deleteText(name) : this.#words.deleteNoFile(name)} ${remains(key)}`.trim(),
      yes: words.dialog.deleteYes,
      act: async () => {
        this.#queue.cancelAll();
        await this.#safelight.deleteKey(key.fingerprint);
      },
      explain,
    });
  }

  show() {
    const { keys, storage } = this.#safelight;
    const key = this.#key;
    if (!this.#making) {
      const { locked } = this.#safelight;
      const { unused, none: nothing } = this.#words;
      const none = locked ? words.protection.lockedState : keys.some(({ kind }) => kind === this.#kind) ? unused : nothing;
      filled($('key-state'), key ? [this.#words.ready(key.name, key.bits), ...facts(key)].join(', ') : none);
      filled($('key-print'), key ? words.keys.fingerprint(key.fingerprint) : '');
    }
    for (const id of ['new-key', 'open-key', 'bits']) $(id).disabled = this.#busy;
    $('forget-key').disabled = !key && !this.#making;
    for (const id of ['save-key', 'rename-key', 'delete-key']) $(id).disabled = !key;
    const relied = key && this.#relied.has(key.fingerprint);
    $('reminder').hidden = !relied || key.exported || (this.#reminded && key.stored);
    filled($('reminder-text'), this.#words.reminder);
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
        const what = words.kinds[key.kind].what(key.bits);
        const bare = key.stored && !key.protected ? `, ${words.protection.unprotectedKey}` : '';
        label.textContent = `${key.name || words.keys.unnamed} ${key.fingerprint.slice(0, 8)}, ${what}, ${made}${bare}`;
        const line = Object.assign(document.createElement('p'), { className: 'check' });
        line.append(input, label);
        return line;
      }),
    );
    if (had) keepFocus($('ring').querySelector(':checked'));
  }
}

function facts({ stored, exported }) {
  return [stored ? words.keys.kept : words.keys.tabOnly, exported ? '' : words.keys.notExported].filter(Boolean);
}

/** A sentence about what may remain of a deleted key. */
function remains({ stored, exposed }) {
  return exposed || stored ? words.protection[exposed ? 'remainsOpen' : 'remainsSealed'] : '';
}
