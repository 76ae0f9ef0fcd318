// A worker for photo files that the browser does not decode correctly, and for converting colours to sRGB, with its own
// WebAssembly module. It ends when its photo is done, which returns its memory to the system. It communicates only with the
// keeper and makes no network requests.

import init, { Photo } from './pkg/safelight_codec.js';
import { Rpc } from '../../shared/rpc.js';
import { samplesOf } from '../samples.js';

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
  },
  async decode({ file, colour }) {
    const photo = Photo.decode(new Uint8Array(await file.arrayBuffer()));
    return samplesOf(colour === 'srgb' ? photo.intoSrgb() : photo);
  },
  /** Converts samples to sRGB. `colour` says what they mean. */
  toSrgb: ({ samples, width, height, channels, colour }) =>
    samplesOf(Photo.ofColour(width, height, channels, samples, colour).intoSrgb()),
};

self.onmessage = ({ data: { port } }) => new Rpc(port, ops, { inOrder: true });
