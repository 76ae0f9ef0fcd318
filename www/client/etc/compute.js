// A worker for scrambled pictures, on the WebAssembly module that has nothing else. It does one picture after the other,
// and ends with the job: its memory goes back to the system. Talks only to the keeper; does no network requests.

import init, { EtcKey, Photo } from './pkg/safelight_etc.js';
import { Line } from '../../shared/line.js';

let photo = null; // what was read, until it is scrambled
let scrambled = null;

/** Runs `work` with the key of a key file, and wipes the file's bytes. */
function withKey(bytes, work) {
  let key;
  try {
    key = EtcKey.fromBytes(bytes);
    return work(key);
  } finally {
    bytes.fill(0);
    key?.free();
  }
}

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
  },

  newKey() {
    const key = EtcKey.generate();
    return { bytes: key.toBytes(), fingerprint: key.fingerprint };
  },
  /** The public name of a key file's key. */
  check: ({ bytes }) => withKey(bytes, ({ fingerprint }) => fingerprint),

  /**
   * Takes a photo file in, or the samples of a photo that was read. With `square`, takes the middle of the photo, `square` pixels on each side. A file
   * whose colours are not sRGB is not for this module, which answers null.
   */
  async read({ file, samples, width, height, channels, square }) {
    photo = file
      ? Photo.decode(new Uint8Array(await file.arrayBuffer()))
      : Photo.fromSamples(width, height, channels, samples);
    const { notices } = photo;
    if (photo.colour().length > 0) {
      photo.free();
      photo = null;
      return null;
    }
    if (square === undefined) return { notices };
    const whole = photo;
    photo = whole.square(square);
    whole.free();
    return { notices, clear: photo.png() };
  },
  scramble({ bytes, form, block, fixedKey }) {
    scrambled = withKey(bytes, (key) => key.scramble(photo, form, block, fixedKey));
    photo = null;
    const { label, width, height, blocks, resistance } = scrambled;
    return { label, width, height, blocks, resistance };
  },
  encode({ type, quality, subsampling }) {
    const bytes = type === 'image/png' ? scrambled.png() : scrambled.jpeg(quality, subsampling);
    scrambled.free();
    scrambled = null;
    return bytes;
  },

  async unscramble({ bytes, file, label }) {
    const picture = new Uint8Array(await file.arrayBuffer());
    photo = withKey(bytes, (key) => key.unscramble(picture, label));
    const { width, height, channels, notices } = photo;
    const answer = { width, height, channels, notices, rgba: photo.rgba(), png: photo.png() };
    photo.free();
    photo = null;
    return answer;
  },
};

self.onmessage = ({ data: { port } }) => new Line(port, ops, { inOrder: true });
