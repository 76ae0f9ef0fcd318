// The keeper's workers: started when needed, replaced when they die, ended to cancel.
//
// The page starts and ends them on the keeper's request, and the keeper talks to them over a private MessagePort, past
// the page. The keeper does not start them itself because Firefox (153) can freeze a worker for good that starts
// another one shortly after it has ended one.

import { cancelled, checkSignal, unpack } from './errors.js';

const living = new Map(); // helpers by the id that the page knows them by
let next = 1;

/** To be called when the page says that a worker died. */
export function died(id, error) {
  living.get(id)?.end(unpack(error));
}

/** One compute worker: `call` sends it a request and gives its answer. */
export class Helper {
  #id = next++;
  #port;
  #calls = new Map();
  #next = 1;
  dead = null; // the error that ended this worker
  hasKey = false; // whether it was given the secret key

  constructor(module) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data: { id, value, error } }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error) call?.reject(unpack(error));
      else call?.resolve(value);
      if (error?.fatal) this.end(unpack(error));
    };
    living.set(this.#id, this);
    self.postMessage({ start: this.#id, port: port2 }, [port2]);
    this.call('init', { module }).catch(() => {}); // a failure shows in the next call
  }

  call(op, args = {}, transfer = []) {
    if (this.dead) return Promise.reject(this.dead);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject });
      this.#port.postMessage({ id, op, ...args }, transfer);
    });
  }

  end(error = cancelled()) {
    if (this.dead) return;
    this.dead = error;
    living.delete(this.#id);
    this.#port.close();
    self.postMessage({ end: this.#id });
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }
}

/** Runs `work(helper)` in a worker of its own that is ended afterwards, whatever happens. */
export async function disposable(module, signal, work) {
  checkSignal(signal);
  const helper = new Helper(module);
  const stop = () => helper.end();
  signal?.addEventListener('abort', stop);
  try {
    return await work(helper);
  } finally {
    signal?.removeEventListener('abort', stop);
    helper.end();
  }
}

export class Pool {
  #module;
  #helpers = [];

  constructor(module) {
    this.#module = module;
  }

  /** So many living workers. */
  team(size) {
    this.#helpers = this.#helpers.filter((helper) => !helper.dead);
    while (this.#helpers.length < size) this.#helpers.push(new Helper(this.#module));
    return this.#helpers.slice(0, size);
  }

  /**
   * Shares the rows of one job among `size` workers. `start(helper)` prepares a worker and says how many rows there
   * are (all say the same); `row(helper, j)` does one row. Rows are handed out as workers become free. Every failure
   * and every cancel ends all workers: the next job starts new ones.
   */
  async rows({ size, signal, start, row }) {
    checkSignal(signal);
    const team = this.team(size);
    const stop = () => this.end();
    signal?.addEventListener('abort', stop);
    let next = 0;
    const serve = async (helper) => {
      const { rows } = await start(helper);
      const lane = async () => {
        while (next < rows) await row(helper, next++, rows);
      };
      await Promise.all([lane(), lane()]); // two requests on the way, so that a worker never waits for the next one
      await helper.call('end');
    };
    try {
      await Promise.all(team.map(serve));
    } catch (error) {
      this.end();
      checkSignal(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Ends every worker at once. Their memory, with what they knew, is given back to the system. */
  end() {
    for (const helper of this.#helpers) helper.end();
    this.#helpers = [];
  }
}
