// job="classify": a server learns from scrambled pictures, and says what others show.

import { Job } from '../../job.js';
import { words } from '../../words.js';
import { Panel } from './panel.js';

export class Recognise extends Job {
  tasks = ['classify'];
  keyKind = 'etc';
  blocks = ['recognise'];
  whose = 'whoseScrambled';
  #panel = null;

  begin() {
    this.#panel = new Panel(this.vault);
  }

  follow(task) {
    if (task) document.getElementById('classify-task').textContent = words.recognise.task(task.server.host);
  }

  async take(files, where) {
    for (const { file, kind } of files) if (/_key$/.test(kind)) await this.vault.takeOther(file, kind);
    const photos = files.filter(({ kind }) => kind === 'photo').map(({ file }) => file);
    await this.#panel.take(photos, where);
  }

  get running() {
    return this.#panel?.running ?? false;
  }

  cancel() {
    this.#panel?.cancel();
  }
}
