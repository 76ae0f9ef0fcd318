// A worker for encrypted photos (Paillier). It does one task at a time on its own instance of the first WebAssembly module:
// computes masks, encrypts rows, decrypts rows, or assembles the result. It communicates only with the keeper and makes no
// network requests.

import init, { Assembler, Decryptor, Encryptor, SecretKey, colourChunks, colourNeedsRgb } from '../../pkg/safelight.js';
import { pack } from '../../../shared/errors.js';
import { Rpc } from '../../../shared/rpc.js';
import { writePng } from '../../png.js';
import { picked } from '../../samples.js';

let key = null; // the secret key, with the tables computed for it so far
let tool = null; // the Encryptor, Decryptor or Assembler of the current job

const ops = {
  async init({ module }) {
    await init({ module_or_path: module });
  },

  key({ bytes }) {
    try {
      key = SecretKey.fromWorker(bytes);
    } finally {
      bytes.fill(0);
    }
  },
  masks: ({ origin, first, count }) => key.prepareMasks(origin, first, count),

  encryptor({ origin, photo, filter, params, border }) {
    const { samples, width, height, channels } = photo;
    tool = new Encryptor(key, origin, samples, width, height, channels, filter, params, border);
    return { header: tool.header(), rows: tool.rows, rowBytes: tool.rowBytes, columns: tool.columns };
  },
  encryptRow({ row, masks }) {
    try {
      return tool.encryptRow(row, masks);
    } finally {
      masks?.fill(0);
    }
  },

  decryptor({ header, originals, check, expect }) {
    tool = new Decryptor(key, header, originals, check, expect);
    return { headerBytes: tool.headerBytes, rows: tool.rows, rowBytes: tool.rowBytes, verifies: tool.verifies };
  },
  async decryptRow({ row, frame }) {
    return tool.decryptRow(row, new Uint8Array(await frame.arrayBuffer()));
  },

  assembler({ header, view }) {
    tool = new Assembler(header, view);
    return { width: tool.width, height: tool.height };
  },
  place({ row, values }) {
    tool.place(row, values);
  },
  /** Returns the picture; `colour` says what its samples mean, if known. */
  finish({ alpha, colour = new Uint8Array() }) {
    const { width, height, channels, filters } = tool;
    const written = colourNeedsRgb(colour) ? 3 : channels;
    return { width, height, channels, filters, count: alpha ? written + 1 : written, mark: colour, rgba: tool.rgba(alpha) };
  },
  png: ({ rgba, width, height, count, mark }) =>
    writePng(picked(rgba, count), { width, height, count, chunks: colourChunks(mark) }),

  /** Ends the job. Returns what was wrong with it, if anything: the worker itself has not failed and goes on. */
  end() {
    const done = tool;
    tool = null;
    try {
      if (done instanceof Decryptor) done.finish(); // also frees it
      else done?.free();
    } catch (error) {
      const failure = pack(error);
      if (failure.fatal) throw error;
      return failure;
    }
  },
};

// The page hands over one end of a channel; the keeper has the other end. Requests are answered in order: rows are faster in
// ascending order.
self.onmessage = ({ data: { port } }) => new Rpc(port, ops, { inOrder: true });
