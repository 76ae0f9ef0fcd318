// One error type for pages, workers and the npm package. Its stable codes are also those of the command line and the
// server.

export class SafelightError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'SafelightError';
    this.code = code;
  }
}

export const cancelled = () => new SafelightError('cancelled', 'the work was cancelled');

/** Throws if the work has been cancelled. */
export function checkSignal(signal) {
  if (signal?.aborted) throw cancelled();
}

/**
 * Converts any caught value to `{ code, message, fatal }`, which can be sent to another thread. `fatal` means that the wasm
 * instance panicked and must not be used again. Its message could quote memory, so it is not passed on.
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

/** The error behind a worker's error event. An event without a message means that a script could not be loaded. */
export function workerError({ message }) {
  if (message) return new SafelightError('internal', 'a worker stopped unexpectedly');
  return new SafelightError('unreachable', 'part of this page could not be loaded from its server');
}
