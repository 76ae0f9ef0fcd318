// A worker for scrambled pictures, with its own WebAssembly module. It processes one picture after the other. It ends when the
// job is done, which returns its memory to the system. It communicates only with the keeper and makes no network requests.

import init, { EtcKey, Photo } from './pkg/safelight_etc.js';
import { Rpc } from '../../../shared/rpc.js';

let photo = null; // the photo, until it is scrambled
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
  /** The fingerprint of a key file's key. */
  check: ({ bytes }) => withKey(bytes, ({ fingerprint }) => fingerprint),

  /**
   * Reads a photo file, or takes the samples of a photo. With `square`, scales the middle of the photo to `square` pixels on
   * each side. Returns null for a file whose colours are not sRGB, which this module does not handle.
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

self.onmessage = ({ data: { port } }) => new Rpc(port, ops, { inOrder: true });
