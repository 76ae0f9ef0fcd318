// The keeper's workers: started when needed, replaced when they die, ended to cancel.
//
// The page starts and ends them on the keeper's request, and the keeper communicates with them over a private MessagePort,
// bypassing the page. The keeper does not start them itself because Firefox (153) can permanently freeze a worker that
// starts another one shortly after ending one.

import { cancelled, checkSignal, unpack } from '../shared/errors.js';
import { Rpc } from '../shared/rpc.js';
import { compileBest } from './build.js';

/** One compute worker: `call` sends it a request and returns its answer. */
class Helper {
  #rpc;
  #ended;
  dead = null; // the error that ended this worker
  hasKey = false; // whether it has the secret key
  making = null; // the evaluation keys whose parts it is making

  constructor(port, module, ended) {
    this.#ended = ended;
    this.#rpc = new Rpc(port, {}, { onFatal: (error) => this.end(error) });
    this.call('init', { module }).catch((error) => this.end(error));
  }

  call(op, args = {}, transfer = []) {
    if (this.dead) return Promise.reject(this.dead);
    return this.#rpc.call(op, args, { transfer });
  }

  end(error = cancelled()) {
    if (this.dead) return;
    this.dead = error;
    this.#rpc.close(error);
    this.#ended();
  }
}

let next = 1; // the next worker's number, across all pools

export class Pool {
  #module;
  #page;
  #kind;
  #living = new Map(); // helpers by their number, as known to the page
  #helpers = [];
  #resting = []; // idle workers kept for reuse
  #gate = Promise.resolve(); // rows wait for it; open unless paused
  #open = null;
  #halts = new Set(); // one function per job, which ends its waiting at the gate

  /** Workers with the compiled `module`. `page` is the channel to the page, which starts and ends them by `kind`. */
  constructor(module, page, kind = 'compute') {
    this.#module = module;
    this.#page = page;
    this.#kind = kind;
  }

  /** `size` living workers. */
  team(size) {
    this.#helpers = this.#helpers.filter((helper) => !helper.dead);
    while (this.#helpers.length < size) this.#helpers.push(this.#start());
    return this.#helpers.slice(0, size);
  }

  #start() {
    const number = next++;
    const { port1, port2 } = new MessageChannel();
    const helper = new Helper(port1, this.#module, () => {
      this.#living.delete(number);
      this.#page.tell('end', { worker: number });
    });
    this.#living.set(number, helper);
    this.#page.tell('start', { worker: number, kind: this.#kind, port: port2 }, [port2]);
    return helper;
  }

  /** Call this when the page reports that a worker died. */
  died(number, error) {
    this.#living.get(number)?.end(unpack(error));
  }

  /** Runs `work(helper)` in a new worker that is ended afterwards in any case. */
  async disposable(signal, work) {
    checkSignal(signal);
    const helper = this.#start();
    const stop = () => helper.end();
    signal?.addEventListener('abort', stop);
    try {
      return await work(helper);
    } finally {
      signal?.removeEventListener('abort', stop);
      helper.end();
    }
  }

  /** Runs `work(helper)` in a worker that is kept for reuse, unless it fails or is cancelled. */
  async reused(signal, work) {
    checkSignal(signal);
    this.#resting = this.#resting.filter((helper) => !helper.dead);
    const helper = this.#resting.pop() ?? this.#start();
    const stop = () => helper.end();
    signal?.addEventListener('abort', stop);
    try {
      const value = await work(helper);
      this.#resting.push(helper);
      return value;
    } catch (error) {
      helper.end();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Ends the workers kept for reuse. */
  rest() {
    for (const helper of this.#resting) helper.end();
    this.#resting = [];
  }

  /** Finishes the current rows; further rows wait. */
  pause() {
    if (!this.#open) this.#gate = new Promise((open) => (this.#open = open));
  }

  resume() {
    this.#open?.();
    this.#open = null;
  }

  /**
   * Distributes the rows of one job among `size` workers. `start(helper)` prepares a worker and returns the number of rows
   * (the same for all); `row(helper, j)` processes one row. Rows are handed out as workers become free. Any failure or
   * cancellation ends all workers; the next job starts new ones. Returns the first error that a worker found in the job, or
   * undefined. Such errors are known only after the last row, and do not end the workers.
   */
  async rows({ size, signal, start, row }) {
    checkSignal(signal);
    const team = this.team(size);
    const stop = () => this.end();
    signal?.addEventListener('abort', stop);
    let next = 0;
    const found = [];
    let halt;
    const halted = new Promise((resolve) => (halt = resolve));
    this.#halts.add(halt);
    const serve = async (helper) => {
      const { rows } = await start(helper);
      const lane = async () => {
        for (;;) {
          await Promise.race([this.#gate, halted]);
          checkSignal(signal);
          if (helper.dead) throw helper.dead;
          if (next >= rows) return;
          await row(helper, next++, rows);
        }
      };
      await Promise.all([lane(), lane()]); // two requests in flight, so that a worker never waits for the next one
      found.push(await helper.call('end'));
    };
    try {
      await Promise.all(team.map(serve));
      return found.find(Boolean);
    } catch (error) {
      this.end();
      checkSignal(signal);
      throw error;
    } finally {
      this.#halts.delete(halt);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Ends all workers at once, including those outside a team. */
  endAll() {
    for (const helper of [...this.#living.values()]) helper.end();
  }

  /** Ends all workers of the team at once. Their memory, with everything in it, is returned to the system. */
  end() {
    for (const helper of this.#helpers) helper.end();
    this.#helpers = [];
    // A paused job has no row in progress whose failure would end it.
    for (const halt of this.#halts) halt();
  }
}

/** The pool of a module that is loaded on first use. */
export class LazyPool {
  #page;
  #module;
  #pool = null; // a promise

  constructor(page, module) {
    this.#page = page;
    this.#module = module;
  }

  /** Like a pool's `disposable`. */
  async run(signal, work) {
    return (await this.#fetched()).disposable(signal, work);
  }

  /** Like a pool's. */
  async reused(signal, work) {
    return (await this.#fetched()).reused(signal, work);
  }

  /** Like a pool's. */
  async rest() {
    (await this.#pool)?.rest();
  }

  #fetched() {
    this.#pool ??= compileBest(this.#module).then((module) => new Pool(module, this.#page, this.#module));
    return this.#pool.catch((error) => {
      this.#pool = null; // it may succeed next time
      throw error;
    });
  }

  async died(number, error) {
    (await this.#pool)?.died(number, error);
  }

  async end() {
    (await this.#pool)?.endAll();
  }
}
