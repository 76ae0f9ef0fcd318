// The package's entry for Node: the same class as in browsers, with the workers of node:worker_threads.

import { Worker } from 'node:worker_threads';
import { workers } from '../client/workers.js';

/** A thread with the interface of a browser's worker. */
class Thread {
  onerror = null;
  #worker;

  constructor(script, name) {
    const workerData = { script: new URL(script, import.meta.url).href };
    // These threads do not need the program's options or its environment.
    this.#worker = new Worker(new URL('thread.js', import.meta.url), { name, workerData, env: {}, execArgv: [] });
    this.#worker.on('error', ({ message }) => this.onerror?.({ message, preventDefault() {} }));
  }

  set onmessage(hear) {
    this.#worker.removeAllListeners('message');
    if (hear) this.#worker.on('message', (data) => hear({ data }));
  }

  postMessage(message, transfer) {
    this.#worker.postMessage(message, transfer);
  }

  terminate() {
    this.#worker.terminate();
  }
}

workers.keeper = () => new Thread('../client/keeper.js', 'safelight-keeper');
workers.compute = () => new Thread('../client/compute.js', 'safelight-compute');
workers.codec = () => new Thread('../client/codec/compute.js', 'safelight-codec');
workers.paillier = () => new Thread('../client/schemes/paillier/compute.js', 'safelight-paillier');
workers.etc = () => new Thread('../client/schemes/etc/compute.js', 'safelight-etc');
workers.ckks = () => new Thread('../client/schemes/ckks/compute.js', 'safelight-ckks');

export * from '../client/safelight.js';
