// PNG files for the tests, written and read without the code under test.

import { deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const COLOUR = { 1: 0, 2: 4, 3: 2, 4: 6 }; // channels -> PNG colour type
const CHANNELS = { 0: 1, 4: 2, 2: 3, 6: 4 };

/**
 * A picture `{ width, height, channels, data }` (8 bits, interleaved, 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA) as PNG. `filter`
 * returns the filter of a row; with `depth` 16, each sample is written as the equivalent 16-bit sample; `profile` is an ICC
 * profile for the file.
 */
export function encodePng({ width, height, channels, data }, { filter = () => 0, depth = 8, profile = null } = {}) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, COLOUR[channels], 0, 0, 0], 8);
  const bytes = depth / 8;
  const samples = bytes === 1 ? data : Uint8Array.from({ length: 2 * data.length }, (_, i) => data[i >> 1]);
  const [bpp, line] = [channels * bytes, width * channels * bytes];
  const raw = Buffer.alloc((line + 1) * height);
  for (let y = 0; y < height; y++) {
    const kind = (raw[y * (line + 1)] = filter(y));
    for (let x = 0; x < line; x++) {
      const at = y * line + x;
      raw[y * (line + 1) + 1 + x] = samples[at] - guess(kind, ...neighbours(samples, at, x, y, bpp, line));
    }
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...(profile ? [chunk('iCCP', Buffer.concat([Buffer.from('a name\0\0'), deflateSync(profile)]))] : []),
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Reads any non-interlaced 8-bit PNG without palette. */
export function decodePng(bytes) {
  const file = Buffer.from(bytes);
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG');
  const parts = [];
  let head;
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') head = body;
    if (type === 'IDAT') parts.push(body);
    at += length + 12;
  }
  const [width, height, depth, channels, interlaced] = [
    head.readUInt32BE(0),
    head.readUInt32BE(4),
    head[8],
    CHANNELS[head[9]],
    head[12],
  ];
  if (depth !== 8 || !channels || interlaced) throw new Error('a kind of PNG that the tests do not read');
  return { width, height, channels, data: unfilter(inflateSync(Buffer.concat(parts)), width, height, channels) };
}

/** The ICC profile in a PNG file, or null. */
export function profileOfPng(bytes) {
  const file = Buffer.from(bytes);
  for (let at = 8; at < file.length; at += file.readUInt32BE(at) + 12) {
    if (file.toString('latin1', at + 4, at + 8) !== 'iCCP') continue;
    const body = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
    return inflateSync(body.subarray(body.indexOf(0) + 2));
  }
  return null;
}

/** A PNG whose header promises a size that its data does not have: a bomb for decoders that trust it. */
export function bombPng(width, height) {
  const small = encodePng({ width: 1, height: 1, channels: 3, data: new Uint8Array(3) });
  const header = Buffer.from(small.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), small.subarray(33)]);
}

function unfilter(raw, width, height, bpp) {
  const line = width * bpp;
  const out = new Uint8Array(line * height);
  for (let y = 0; y < height; y++) {
    const kind = raw[y * (line + 1)];
    for (let x = 0; x < line; x++) {
      const at = y * line + x;
      out[at] = raw[y * (line + 1) + 1 + x] + guess(kind, ...neighbours(out, at, x, y, bpp, line));
    }
  }
  return out;
}

/** Left, above, above left. */
function neighbours(data, at, x, y, bpp, line) {
  return [x >= bpp ? data[at - bpp] : 0, y > 0 ? data[at - line] : 0, x >= bpp && y > 0 ? data[at - line - bpp] : 0];
}

function guess(kind, a, b, c) {
  return [0, a, b, (a + b) >> 1, paeth(a, b, c)][kind];
}

function paeth(a, b, c) {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const out = Buffer.alloc(body.length + 12);
  out.writeUInt32BE(body.length, 0);
  out.set(named, 4);
  out.writeUInt32BE(crc32(named), body.length + 8);
  return out;
}

export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
