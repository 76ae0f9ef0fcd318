// A worker of the pool. Does one thing at a time on its own instance of the shared WebAssembly module: reads a photo,
// encrypts rows, decrypts rows, or puts the result together. Talks only to the keeper; does no network requests.

import init, { Assembler, Decryptor, Encryptor, Photo } from './pkg/safelight.js';
import { pack } from './errors.js';

let ready; // settles when the module is instantiated
let tool = null; // the Encryptor, Decryptor or Assembler of the present job

const ops = {
  init({ module }) {
    return (ready = init({ module_or_path: module })).then(() => {});
  },

  async decode({ file }) {
    const photo = Photo.decode(new Uint8Array(await file.arrayBuffer()));
    const { width, height, channels, hasAlpha, notices } = photo;
    const [samples, rgba, alpha] = [photo.samples(), photo.rgba(), hasAlpha ? photo.alpha() : null];
    photo.free();
    return { width, height, channels, notices, samples, rgba, alpha };
  },

  encryptor({ key, photo, filter, params, border }) {
    const { samples, width, height, channels } = photo;
    tool = new Encryptor(key, samples, width, height, channels, filter, params, border);
    key.fill(0);
    return { header: tool.header(), rows: tool.rows, rowBytes: tool.rowBytes };
  },
  encryptRow: ({ row }) => tool.encryptRow(row),

  decryptor({ key, header }) {
    tool = new Decryptor(key, header);
    key.fill(0);
    return { headerBytes: tool.headerBytes, rows: tool.rows, rowBytes: tool.rowBytes };
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
  finish({ alpha }) {
    const { width, height, channels, filters } = tool;
    return { width, height, channels, filters, rgba: tool.rgba(alpha), png: tool.png(alpha) };
  },

  end() {
    tool?.free();
    tool = null;
  },
};

async function answer(port, { id, op, ...args }) {
  try {
    await ready; // requests may come before that
    const value = await ops[op](args);
    const arrays = ArrayBuffer.isView(value) ? [value] : Object.values(value ?? {}).filter(ArrayBuffer.isView);
    port.postMessage(
      { id, value },
      arrays.map((array) => array.buffer),
    );
  } catch (error) {
    port.postMessage({ id, error: pack(error) });
  }
}

// The page hands over one end of a channel whose other end the keeper has.
self.onmessage = ({ data: { port } }) => {
  port.onmessage = ({ data }) => answer(port, data);
};
