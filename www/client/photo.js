// A photo that was read: what a page needs to show it, and the name under which the keeper has its samples.

import { SafelightError } from '../shared/errors.js';

const forgotten = new FinalizationRegistry((drop) => drop());

/** `free()` it when it is no longer needed, or declare it with `using`; one that gets lost is freed some day. */
export class Photo {
  #drop;

  /** `facts` is what the keeper said, `drop` makes it forget the photo. */
  constructor({ id, width, height, channels, notices, colour, rgba }, drop) {
    Object.assign(this, { id, width, height, channels, notices, colour, rgba });
    this.#drop = drop;
    forgotten.register(this, drop, this);
  }

  /** Forgets the photo. It may be freed twice. */
  free() {
    forgotten.unregister(this);
    this.#drop();
    this.#drop = () => {};
  }

  [Symbol.dispose]() {
    this.free();
  }
}

/** Fails for a photo of more pixels than a server takes. */
export function checkPixels({ width, height }, most = Infinity) {
  if (width * height <= most) return;
  const message = `the server takes ${most} pixels, the photo has ${width} × ${height}; make it smaller first`;
  throw new SafelightError('image_too_large', message);
}
