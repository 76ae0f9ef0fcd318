// One error type for pages, workers and the npm package, with the stable codes that the command line and the server use
// too.

export class SafelightError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'SafelightError';
    this.code = code;
  }
}

export const cancelled = () => new SafelightError('cancelled', 'the work was cancelled');

/** Throws if the work was cancelled meanwhile. */
export function checkSignal(signal) {
  if (signal?.aborted) throw cancelled();
}

/**
 * Any caught value as `{ code, message, fatal }`, ready to be sent to another thread. `fatal` says that the wasm
 * instance panicked: nothing in it may be used again. What such an error says could quote memory, so it is not shown.
 */
export function pack(error) {
  if (error instanceof WebAssembly.RuntimeError) {
    return { code: 'internal', message: 'a worker stopped unexpectedly', fatal: true };
  }
  if (typeof error?.code === 'string') return { code: error.code, message: error.message, fatal: false };
  if (error?.name === 'NotReadableError') {
    return { code: 'io', message: 'the file could not be read; choose it again', fatal: false };
  }
  return { code: 'internal', message: String(error?.message ?? error), fatal: false };
}

export const unpack = ({ code, message }) => new SafelightError(code, message);

/** What a worker's error event means. One without a message comes from a script that could not be fetched. */
export function workerError({ message }) {
  if (message) return new SafelightError('internal', 'a worker stopped unexpectedly');
  return new SafelightError('unreachable', 'a part of this page could not be fetched from its server');
}
