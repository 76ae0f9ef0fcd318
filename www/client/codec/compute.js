// A worker for photo files that the browser does not decode as they must be, on a WebAssembly module of decoders. It ends
// with the photo: its memory goes back to the system. Talks only to the keeper; does no network requests.

import init, { Photo } from './pkg/safelight_codec.js';
import { Line } from '../../shared/line.js';
import { samplesOf } from '../samples.js';

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
  },
  decode: async ({ file }) => samplesOf(Photo.decode(new Uint8Array(await file.arrayBuffer()))),
};

self.onmessage = ({ data: { port } }) => new Line(port, ops, { inOrder: true });
