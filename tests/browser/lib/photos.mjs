// Photos for the tests: made from a seed, rich in detail, so that any piece of a row is unmistakable.

/** A picture of this size whose samples follow gradients, edges and noise. */
export function makePhoto(width, height, channels, seed = 1) {
  const random = xorshift(seed);
  const data = new Uint8Array(width * height * channels);
  const [cx, cy] = [width * 0.6, height * 0.4];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = Math.hypot(x - cx, y - cy) < Math.min(width, height) / 3 ? 90 : 0;
      const stripes = (x >> 3) % 2 === (y >> 4) % 2 ? 40 : 0;
      for (let c = 0; c < channels; c++) {
        const slope = (120 * (c % 2 ? x : y)) / Math.max(width, height);
        data[(y * width + x) * channels + c] = (disc + stripes + slope + (random() % 48) + 31 * c) & 255;
      }
    }
  }
  if (width * height > 4) for (let c = 0; c < channels; c++) [data[c], data[data.length - 1 - c]] = [0, 255];
  return { width, height, channels, data };
}

/** The colour planes without alpha, and the alpha plane if there is one. */
export function split({ width, height, channels, data }) {
  const colours = channels >= 3 ? 3 : 1;
  const pixels = width * height;
  const planes = Array.from({ length: colours }, (_, c) =>
    Uint8Array.from({ length: pixels }, (_, i) => data[i * channels + c]),
  );
  const alpha =
    channels % 2 === 0 ? Uint8Array.from({ length: pixels }, (_, i) => data[i * channels + channels - 1]) : null;
  return { planes, alpha };
}

/** The opposite of `split`. */
export function join(width, height, planes, alpha) {
  const all = alpha ? [...planes, alpha] : planes;
  const data = new Uint8Array(width * height * all.length);
  for (const [c, plane] of all.entries()) for (let i = 0; i < plane.length; i++) data[i * all.length + c] = plane[i];
  return { width, height, channels: all.length, data };
}

function xorshift(seed) {
  let x = (seed * 2654435761) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>>= 0);
  };
}
