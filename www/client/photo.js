// A decoded photo: what a page needs to show it, and the id under which the keeper has its samples.

import { SafelightError } from '../shared/errors.js';

const forgotten = new FinalizationRegistry((drop) => drop());

/** Call `free()` when it is no longer needed, or declare it with `using`; otherwise it is freed eventually. */
export class Photo {
  #drop;

  /** `facts` is the keeper's answer; `drop` makes the keeper forget the photo. */
  constructor({ id, width, height, channels, notices, colour, rgba }, drop) {
    Object.assign(this, { id, width, height, channels, notices, colour, rgba });
    this.#drop = drop;
    forgotten.register(this, drop, this);
  }

  /** Forgets the photo. Calling it again does nothing. */
  free() {
    forgotten.unregister(this);
    this.#drop();
    this.#drop = () => {};
  }

  [Symbol.dispose]() {
    this.free();
  }
}

/** Fails if a photo has more pixels than a server accepts. */
export function checkPixels({ width, height }, most = Infinity) {
  if (width * height <= most) return;
  const message = `the photo has ${width} × ${height} pixels, but the server accepts at most ${most}; make it smaller first`;
  throw new SafelightError('image_too_large', message);
}
