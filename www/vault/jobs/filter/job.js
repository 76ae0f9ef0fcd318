// job="filter", "encrypt" and "open": photos are encrypted, filtered by the server, and decrypted; or only one of these.

import { SafelightError } from '../../../shared/errors.js';
import { Job } from '../../job.js';
import { saveAs } from '../../save.js';
import { words } from '../../words.js';
import { FilterCard } from './card.js';
import { filterText } from './catalogue.js';

const $ = (id) => document.getElementById(id);

export class Filter extends Job {
  tasks = ['filter', 'encrypt', 'open'];
  keyKind = 'paillier';
  blocks = ['drop', 'protected'];

  begin() {
    this.vault.queue.addEventListener('end', ({ detail }) => detail instanceof FilterCard && this.#tellEnd(detail));
  }

  follow(task) {
    $('second-block').hidden = !task || !this.#needsTwo(task);
    if (task) $('task').textContent = task.task === 'filter' ? this.#asked(task) : words.task[task.task];
  }

  /** The filter that the server is asked for, as a text; empty until the vault knows the catalogue. */
  #asked(task) {
    const { safelight } = this.vault;
    if (!safelight || !task.filter) return '';
    const text = filterText(task, safelight.filters);
    return text ? words.task.filter(text, task.server.host) : words.task.unknown(task.server.host);
  }

  async take(files) {
    const photos = files.filter(({ kind }) => kind === 'photo').map(({ file }) => file);
    const two = this.#needsTwo(this.vault.task());
    let second = two ? this.#second : null;
    if (two && !second && photos.length === 2) second = photos.pop(); // two photos dropped at once: a pair
    if (two && !second && photos.length > 0) throw needsTwo();
    for (const { file, kind } of files) {
      if (kind !== 'photo') await this.vault.takeOther(file, kind);
      else if (photos.includes(file)) this.#add(file, { second });
    }
  }

  /** Opens an encrypted image. With `asks`, it is from the site, and the visitor is asked before a key is used on it. */
  open(file, { asks = false } = {}) {
    this.#add(file, { encrypted: true, asks });
  }

  #add(file, { second = null, encrypted = false, asks = false }) {
    const { vault } = this;
    const card = new FilterCard(vault, file, { task: vault.task(), encrypted, asks });
    card.addEventListener('save', async ({ detail: { blob, name } }) => {
      try {
        saveAs(await blob(), name);
      } catch (error) {
        vault.fail(error);
      }
    });
    card.addEventListener('handed', () => vault.site.tell('done', card.carried));
    card.addEventListener('again', () => {
      const task = vault.task();
      const two = this.#needsTwo(task);
      const other = two ? (this.#second ?? second) : null;
      if (!encrypted && two && !other) return vault.fail(needsTwo());
      card.wait(task);
      vault.queue.enqueue(card, { second: other });
    });
    vault.add(card, { second });
  }

  /** Whether the task's filter has two inputs. */
  #needsTwo({ filter }) {
    return this.vault.safelight?.filters.find(({ name }) => name === filter)?.inputs > 1;
  }

  /** The second photo that the visitor has chosen. */
  get #second() {
    return $('second').files[0] ?? null;
  }

  /**
   * Reports a photo that ended before the site had everything it gets. What happens after that is between the vault and the
   * visitor: a site that could find out whether a forged ciphertext decrypts would learn what is in it.
   */
  #tellEnd({ encrypted, handed, failure }) {
    if (!encrypted && !handed) this.vault.site.tell('failed', { code: failure.code });
  }
}

const needsTwo = () => new SafelightError('needs_two', words.errors.needs_two);
