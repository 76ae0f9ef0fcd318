// How this browser protects the keys that it stores: the choice when the first key is created, changing it, locking and
// unlocking. No key is stored until the user has chosen.

import { Safelight } from '../client/safelight.js';
import { ask, keepFocus } from './dialog.js';
import { advice, SHORTEST } from './passphrase.js';
import { filled } from './save.js';
import { explain, words } from './words.js';

const $ = (id) => document.getElementById(id);

export class Protection {
  #safelight;
  #changing = false; // whether the user is changing it
  #later = false; // whether the user has postponed the choice
  #unlocking = null; // a promise while the dialog is open
  mayLock = async () => true; // whether work in progress may be cancelled

  constructor(safelight, fail) {
    this.#safelight = safelight;
    const on = (id, work) =>
      $(id).addEventListener('click', async () => {
        $('message').textContent = '';
        await work().catch(fail);
      });
    on('keep-passphrase', () => this.#byPassphrase());
    on('keep-passkey', () => this.#byPasskey());
    on('keep-unprotected', () => this.#unprotected());
    on('keep-later', async () => this.#end({ later: true }));
    on('protect', async () => this.#begin());
    on('unlock', () => this.unlocked());
    on('lock', async () => (await this.mayLock()) && this.#safelight.lockKeys());
    on('clear-keys', () => this.#clear());
    safelight.addEventListener('keys', () => this.show());
    Safelight.hasPasskeys().then(
      (has) => ($('keep-passkey').hidden = !has),
      () => {}, // then it is not offered
    );
    this.show();
  }

  /** Asks to unlock the keys if no key of this kind is in use. Returns whether the work can go on. */
  async opened(kind) {
    const { key, etcKey, ckksKey } = this.#safelight;
    return Boolean({ paillier: key, etc: etcKey, ckks: ckksKey }[kind]) || this.unlocked();
  }

  /** Asks to unlock locked keys. Returns whether they are unlocked. */
  async unlocked() {
    if (!this.#safelight.locked) return true;
    this.#unlocking ??= this.#unlock().finally(() => (this.#unlocking = null));
    return this.#unlocking;
  }

  async #unlock() {
    const common = { title: words.protection.unlockTitle, explain };
    const act = async (values, signal) => {
      await this.#safelight.unlockKeys({ ...values, signal });
      return true;
    };
    const { unlockPasskey: text, unlockYesPasskey: yes } = words.protection;
    if (this.#safelight.protection === 'passkey') return Boolean(await ask({ ...common, text, yes, act }));
    const field = { name: 'passphrase', label: words.dialog.passphrase, type: 'password' };
    const said = `${words.protection.unlockText} ${words.protection.doNotStore}`;
    return Boolean(await ask({ ...common, text: said, yes: words.protection.unlock, fields: [field], act }));
  }

  #begin() {
    this.#changing = true;
    this.show();
    $('keep-title').focus();
  }

  #end({ later = false } = {}) {
    const had = $('keep').contains(document.activeElement);
    this.#changing = false;
    this.#later = later;
    this.show();
    if (had) keepFocus($('protect').hidden ? $('photos') : $('protect'));
  }

  async #byPassphrase() {
    if (!(await this.unlocked())) return;
    const { passphraseTitle: title, passphraseText, doNotStore, passphraseYes: yes, oldCopies } = words.protection;
    const text = `${passphraseText} ${doNotStore}`;
    const done = await ask({
      title,
      text: this.#exposed ? `${text} ${oldCopies}` : text,
      yes,
      fields: [
        { name: 'passphrase', label: words.dialog.passphrase, type: 'password' },
        { name: 'again', label: words.dialog.again, type: 'password' },
      ],
      check: ({ passphrase, again }) => {
        if (passphrase !== again) return words.dialog.differ;
        return passphrase.length < SHORTEST ? words.dialog.short : '';
      },
      advise: ({ passphrase }) => advice(passphrase),
      act: async ({ passphrase }, signal) => {
        await this.#safelight.protectKeys({ passphrase, signal });
        return true;
      },
      explain,
    });
    if (done) this.#chosen();
  }

  async #byPasskey() {
    if (!(await this.unlocked())) return;
    const { passkeyTitle: title, passkeyText, passkeyYes: yes, oldCopies } = words.protection;
    const done = await ask({
      title,
      text: this.#exposed ? `${passkeyText} ${oldCopies}` : passkeyText,
      yes,
      act: async (_, signal) => {
        await this.#safelight.protectKeys({ passkey: words.protection.passkeyName, signal });
        return true;
      },
      explain,
    });
    if (done) this.#chosen();
  }

  async #unprotected() {
    if (!(await this.unlocked())) return;
    const { protection } = this.#safelight;
    const { removeTitle, bareTitle, removeText: text, removeYes, unprotected } = words.protection;
    const [title, yes] = protection ? [removeTitle, removeYes] : [bareTitle, unprotected];
    if (!(await ask({ title, text, yes, act: () => true, explain }))) return;
    await this.#safelight.protectKeys({ unprotected: true });
    this.#chosen();
  }

  #chosen() {
    $('status').textContent = words.protection.state[this.#safelight.protection];
    this.#end();
  }

  /** For users who have lost the passphrase or passkey. */
  async #clear() {
    const { clearTitle: title, clearText: text, clearYes: yes } = words.protection;
    await ask({ title, text, yes, act: () => this.#safelight.clearKeys(), explain });
  }

  /** Whether any key has been stored unprotected. */
  get #exposed() {
    return this.#safelight.keys.some(({ exposed }) => exposed);
  }

  show() {
    const { keys, storage, protection, locked } = this.#safelight;
    const kept = storage === 'kept';
    const undecided = kept && protection === null;
    const waiting = undecided && keys.length > 0; // for the user's choice
    const keep = kept && !locked && (this.#changing || (waiting && !this.#later));
    const appears = keep && $('keep').hidden;
    $('keep').hidden = !keep;
    const { keepTitle, keepText, changeTitle, changeText, removeYes, unprotected } = words.protection;
    filled($('keep-title'), undecided ? keepTitle : changeTitle);
    filled($('keep-text'), undecided ? keepText : changeText);
    filled($('keep-unprotected'), protection === null ? unprotected : removeYes);
    $('keep-unprotected').hidden = protection === 'none';
    if (appears) $('status').textContent = $('keep-title').textContent;
    const { state, oldCopies, undecidedState } = words.protection;
    const said = !kept ? '' : undecided ? (waiting ? undecidedState : '') : state[protection];
    const old = kept && protection !== 'none' && this.#exposed ? ` ${oldCopies}` : '';
    filled($('protection'), `${said}${old}`);
    filled($('protect'), words.protection[!protection || protection === 'none' ? 'protect' : 'change']);
    $('protect').hidden = locked || !kept || (undecided && !waiting) || keep;
    $('unlock').hidden = $('clear-keys').hidden = !locked;
    $('lock').hidden = locked || !protection || protection === 'none';
  }
}
