// Runs first in each of our Node threads: adds the globals that a browser's worker has and Node's lacks. The threads run only
// our own code, so no one else sees these globals.

import { webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

const missing = {
  self: parentPort,
  crypto: webcrypto, // in Node 18
  navigator: { hardwareConcurrency: availableParallelism() }, // before Node 21
};
for (const [name, value] of Object.entries(missing)) {
  if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value });
}

// Only the WebAssembly module is fetched. Its file is beside the scripts.
globalThis.fetch = async (url) =>
  new Response(await readFile(new URL(url)), { headers: { 'Content-Type': 'application/wasm' } });

await import(workerData.script);
