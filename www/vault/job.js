// What a job is, and what the vault offers to it. Each job is a folder in jobs/, and jobs.js lists them.

/**
 * What the vault offers to its jobs.
 * @typedef {object} Vault
 * @property {Site} site             the connection to the site, which is not trusted: `tell` it only what it may know
 * @property {?Safelight} safelight  null before `begin`, as are the following
 * @property {?Queue} queue
 * @property {?KeyRing} keyring
 * @property {?Protection} protection
 * @property {() => object} task     returns the site's task; fails if there is none
 * @property {(card: Card, options: object) => void} add  puts a card into the queue, which runs it with these options, and
 *   reports its progress to the site
 * @property {(file: File, kind: string) => Promise<void>} takeOther  takes a file that is not a photo: opens an encrypted
 *   image or a key file
 * @property {(error: Error) => void} fail  shows an error
 */

/**
 * What the vault does with photos for some tasks of the site. `vault.js` asks the job whose task the site has named, and knows
 * nothing else about it. One of the jobs also has `open(file, { asks })`, which opens an encrypted image, whatever the site's
 * task is; with `asks`, the site provided it, and no key works on it before the visitor's click.
 */
export class Job {
  /** Its tasks: values of the attribute `job` of the site's element. */
  tasks = [];

  /** The kind of key that it needs: paillier, etc or ckks. */
  keyKind;

  /** The ids of the page's blocks that are shown for it. Those of other jobs are hidden. */
  blocks = [];

  /** Which entry of the catalogue says what the site sees. */
  whose = 'whose';

  /** @param {Vault} vault */
  constructor(vault) {
    this.vault = vault;
  }

  /** Called once, when `Safelight` is open. */
  begin() {}

  /**
   * Called whenever the site has named a task, even before `begin`. `task` is null if the task belongs to another job.
   */
  follow(_task) {}

  /**
   * Takes files, a list of `{ file, kind }`, that were dropped onto `where`, pasted or chosen. The kinds are those of
   * `Safelight.kind`.
   */
  async take(_files, _where) {}

  /** Whether work outside the queue is in progress, which needs the keys. */
  get running() {
    return false;
  }

  /** Cancels work outside the queue. */
  cancel() {}
}
