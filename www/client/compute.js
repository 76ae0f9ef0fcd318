// A worker for what all schemes need: it decodes a photo, or protects or opens a key file. It communicates only with the keeper
// and makes no network requests.

import init, { protect, unprotect } from './pkg/safelight.js';
import { Rpc } from '../shared/rpc.js';
import { decode } from './decode.js';

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
  },

  decode: ({ file }) => decode(file),

  unprotect: ({ bytes, passphrase }) => unprotect(bytes, passphrase),
  protect: ({ bytes, passphrase }) => protect(bytes, passphrase),
};

// The page hands over one end of a channel; the keeper has the other end.
self.onmessage = ({ data: { port } }) => new Rpc(port, ops, { inOrder: true });
