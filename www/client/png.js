// Reads and writes PNG pixels with the browser's zlib: exact, whatever the browser does to what it draws.

const COLOUR_TYPES = { 1: 0, 2: 4, 3: 2, 4: 6 }; // by samples per pixel

// The value that a filter subtracts from a sample, computed from the neighbours to the left, above, and above left.
function guess(filter, a, b, c) {
  if (filter === 0) return 0;
  if (filter === 1) return a;
  if (filter === 2) return b;
  if (filter === 3) return (a + b) >> 1;
  const [p, q, r] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return p <= q && p <= r ? a : q <= r ? b : c;
}

/**
 * The samples of a plain file (8 bits each, `count` per pixel, not interlaced) from the parts of its zlib stream, or null if
 * the stream is invalid. Unpacks no more than the picture needs.
 */
export async function readPixels(parts, { width, height, count }) {
  const line = width * count;
  const raw = new Uint8Array(height * (line + 1));
  let have = 0;
  const reader = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      if (have + piece.value.length > raw.length) throw new RangeError('more than the picture needs');
      raw.set(piece.value, have);
      have += piece.value.length;
    }
  } catch {
    reader.cancel().catch(() => {});
    return null;
  }
  if (have < raw.length) return null;
  const out = new Uint8Array(height * line);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (line + 1)];
    if (filter > 4) return null;
    const [from, to] = [y * (line + 1) + 1, y * line];
    for (let x = 0; x < line; x++) {
      const a = x < count ? 0 : out[to + x - count];
      const b = y === 0 ? 0 : out[to + x - line];
      const c = x < count || y === 0 ? 0 : out[to + x - line - count];
      out[to + x] = raw[from + x] + guess(filter, a, b, c);
    }
  }
  return out;
}

/**
 * A PNG file of 8-bit samples, `count` per pixel: 1 for grey, 2 for grey and alpha, 3 for red, green and blue, 4 with alpha.
 * `chunks` are the bytes of complete chunks that say what the samples mean.
 */
export async function writePng(samples, { width, height, count, chunks = new Uint8Array() }) {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, COLOUR_TYPES[count]], 8);
  const rows = new Blob([filtered(samples, width * count, count)]);
  const packed = await new Response(rows.stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer();
  const mark = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const parts = [chunk('IHDR', head), chunks, chunk('IDAT', new Uint8Array(packed)), chunk('IEND', new Uint8Array())];
  return new Uint8Array(await new Blob([mark, ...parts.flat()]).arrayBuffer());
}

/** Filters each row with the filter that gives the smallest values, as the standard recommends. */
function filtered(samples, line, count) {
  const out = new Uint8Array(samples.length + samples.length / line);
  let candidate = new Uint8Array(line);
  let best = new Uint8Array(line);
  for (let from = 0, to = 0; from < samples.length; from += line) {
    let least = Infinity;
    for (let filter = 0; filter < 5; filter++) {
      let sum = 0;
      for (let x = 0; x < line && sum < least; x++) {
        const at = from + x;
        const a = x < count ? 0 : samples[at - count];
        const b = from === 0 ? 0 : samples[at - line];
        const c = x < count || from === 0 ? 0 : samples[at - line - count];
        const rest = (samples[at] - guess(filter, a, b, c)) & 255;
        candidate[x] = rest;
        sum += rest < 128 ? rest : 256 - rest;
      }
      if (sum >= least) continue;
      least = sum;
      out[to] = filter;
      [best, candidate] = [candidate, best];
    }
    out.set(best, to + 1);
    to += line + 1;
  }
  return out;
}

/** Length, name, data, checksum, as parts of a file. */
function chunk(name, data) {
  const named = new Uint8Array(8);
  const view = new DataView(named.buffer);
  view.setUint32(0, data.length);
  named.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  const sum = new DataView(new ArrayBuffer(4));
  sum.setUint32(0, ~crc32(data, crc32(named.subarray(4), ~0)));
  return [named, data, sum];
}

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (0xedb88320 & -(byte & 1));
  return byte;
});

function crc32(data, crc) {
  for (const byte of data) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 255];
  return crc;
}
