// Looks for secrets in recorded bytes, in all usual encodings.
//
// Needles are short windows of each secret, so that a part of one is found as well. The haystack is searched as it is and
// decoded: percent-encoding, every run of hexadecimal digits, every run of base64 at all four alignments, and every list
// of decimal numbers, also nested one level deep.

const KEY_WINDOW = 16; // bytes
const PIXEL_WINDOW = 24; // bytes
const DECIMAL_WINDOW = 30; // digits, about 100 bits
const DISTINCT = 10; // different bytes that a window of pixels must have to be unmistakable

/** The needles for everything that must not travel. `numbers` are BigInts, `bytes` buffers, `rows` pixel rows. */
export function makeNeedles({ numbers = {}, bytes = {}, rows = [], texts = [], harmless = [] }) {
  const needles = { windows: new Map(), texts: [] };
  const add = (name, buffer, length, pick = () => true) => {
    if (!needles.windows.has(length)) needles.windows.set(length, new Map());
    const all = needles.windows.get(length);
    const text = buffer.toString('latin1');
    for (let at = 0; at + length <= text.length; at++) {
      const window = text.slice(at, at + length);
      if (pick(window)) all.set(window, name);
    }
  };
  const known = new Set();
  for (const buffer of harmless) {
    const text = buffer.toString('latin1');
    for (let at = 0; at + KEY_WINDOW <= text.length; at++) known.add(text.slice(at, at + KEY_WINDOW));
  }
  const secret = (window) => !known.has(window) && new Set(window).size > 4;
  for (const [name, number] of Object.entries(numbers)) {
    const big = toBytes(number);
    add(name, big, KEY_WINDOW, secret);
    add(name, Buffer.from(big).reverse(), KEY_WINDOW, secret);
    add(`${name} in decimal`, Buffer.from(number.toString()), DECIMAL_WINDOW);
  }
  for (const [name, buffer] of Object.entries(bytes)) add(name, buffer, KEY_WINDOW, secret);
  for (const row of rows)
    add('a row of pixels', Buffer.from(row), PIXEL_WINDOW, (window) => new Set(window).size >= DISTINCT);
  for (const text of texts) {
    for (const encoding of ['utf8', 'utf16le', 'latin1'])
      needles.texts.push([`the text "${text}"`, Buffer.from(text, encoding)]);
  }
  return needles;
}

/** The names of all secrets found in the buffers. */
export function search(needles, buffers) {
  const found = new Set();
  for (const buffer of buffers) {
    for (const view of views(buffer)) look(needles, view, found);
  }
  return [...found].sort();
}

function look({ windows, texts }, buffer, found) {
  for (const [name, text] of texts) if (buffer.includes(text)) found.add(name);
  const hay = buffer.toString('latin1');
  for (const [length, all] of windows) {
    for (let at = 0; at + length <= hay.length; at++) {
      const name = all.get(hay.slice(at, at + length));
      if (name) found.add(name);
    }
  }
}

/** The bytes, and everything encoded in them. */
function* views(buffer, depth = 2) {
  yield buffer;
  if (depth === 0) return;
  const text = buffer.toString('latin1');
  const plain = unpercent(text);
  if (plain !== text) yield* views(Buffer.from(plain, 'latin1'), depth - 1);
  for (const [run] of text.matchAll(/[0-9a-fA-F]{24,}/g)) {
    for (const start of [0, 1])
      yield* views(Buffer.from(run.slice(start, run.length - ((run.length - start) % 2)), 'hex'), depth - 1);
  }
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}/g)) {
    for (let start = 0; start < 4; start++) yield* views(Buffer.from(run.slice(start), 'base64'), depth - 1);
  }
  for (const [run] of text.matchAll(/\d{1,3}(?:[,;\s]+\d{1,3}){11,}/g)) {
    yield* views(Buffer.from(run.split(/[,;\s]+/).map(Number)), depth - 1);
  }
}

function unpercent(text) {
  return text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/** A number as big-endian bytes. */
export function toBytes(number) {
  const hex = number.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
