// job="classify-encrypted": a network on the server says what each photo shows, computing on encrypted numbers.

import { Job } from '../../job.js';
import { words } from '../../words.js';
import { Answer } from './card.js';
import { Networks } from './networks.js';

const $ = (id) => document.getElementById(id);

export class Ask extends Job {
  tasks = ['classify-encrypted'];
  keyKind = 'ckks';
  blocks = ['drop', 'labels', 'network-protected'];
  #networks = null;

  begin() {
    this.#networks = new Networks(this.vault.safelight, this.vault.site);
  }

  follow(task) {
    if (task) $('task').textContent = words.network.task(task.server.host);
    this.#networks?.follow(task).catch(this.vault.fail);
  }

  async take(files) {
    for (const { file, kind } of files) {
      if (kind === 'photo') this.#add(file);
      else await this.vault.takeOther(file, kind);
    }
  }

  #add(file) {
    const { queue, site, add } = this.vault;
    const answer = new Answer(file, this.#networks);
    answer.addEventListener('failed', ({ detail }) => site.tell('failed', { code: detail }));
    answer.addEventListener('again', () => (answer.wait(), queue.enqueue(answer, {})));
    add(answer, {});
  }
}
