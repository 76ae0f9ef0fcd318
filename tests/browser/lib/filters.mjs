// The filters, implemented again from their documentation and computed on clear pixels with exact integers. Shares no code
// with the implementation under test.

import { join, split } from './photos.mjs';

/** The kernels and the divisor of a filter: `[[weights by row, divisor], ...]`, one kernel for each input. */
function definition(name, params) {
  const cross = (rows) => ({ kernels: [rows], divisor: 1 });
  switch (name) {
    case 'mean': {
      const [w, h] = params.size?.split('x').map(Number) ?? Array(2).fill(2 * Number(params.radius ?? 1) + 1);
      return { kernels: [Array.from({ length: h }, () => Array(w).fill(1))], divisor: w * h };
    }
    case 'gaussian': {
      const line = gaussian(
        Number(params.sigma ?? 1),
        Number(params.radius ?? Math.ceil(2 * Number(params.sigma ?? 1))),
      );
      const sum = line.reduce((a, b) => a + b);
      return { kernels: [line.map((v) => line.map((h) => v * h))], divisor: sum * sum };
    }
    case 'sharpen':
      return cross([
        [0, -1, 0],
        [-1, 5, -1],
        [0, -1, 0],
      ]);
    case 'sobel-x':
      return cross([
        [-1, 0, 1],
        [-2, 0, 2],
        [-1, 0, 1],
      ]);
    case 'sobel-y':
      return cross([
        [-1, -2, -1],
        [0, 0, 0],
        [1, 2, 1],
      ]);
    case 'laplacian':
      return cross([
        [0, 1, 0],
        [1, -4, 1],
        [0, 1, 0],
      ]);
    case 'emboss':
      return cross([
        [-2, -1, 0],
        [-1, 1, 1],
        [0, 1, 2],
      ]);
    case 'kernel':
      return {
        kernels: [params.weights.split(';').map((row) => row.split(',').map(Number))],
        divisor: Number(params.divisor ?? 1),
      };
    case 'brightness':
      return { kernels: [[[1]]], divisor: 1, offset: Number(params.offset) };
    case 'blend': {
      const share = Number(params.share ?? 50);
      return { kernels: [[[share]], [[100 - share]]], divisor: 100 };
    }
    default:
      throw new Error(`no filter ${name}`);
  }
}

/** One axis of a Gaussian: the sides are rounded half up; the middle takes the rest of a fixed sum. */
function gaussian(sigma, radius) {
  let sum = { 1: 4, 2: 16 }[radius] ?? 1;
  if (radius > 2) while (sum < 8 * (2 * radius + 1)) sum *= 2;
  const g = (i) => Math.exp(-(i * i) / (2 * sigma * sigma));
  let total = 1;
  for (let i = 1; i <= radius; i++) total += 2 * g(i);
  const side = Array.from({ length: radius }, (_, i) => Math.floor((sum * g(i + 1)) / total + 0.5));
  const middle = sum - 2 * side.reduce((a, b) => a + b, 0);
  return [...[...side].reverse(), middle, ...side];
}

const views = {
  clamp: (v) => Math.max(0, Math.min(255, v)),
  signed: (v) => Math.max(0, Math.min(255, Math.floor((v + 256) / 2))),
  absolute: (v) => Math.min(255, Math.abs(v)),
};

function reader(plane, width, height, border) {
  const fold = (at, size) => {
    if (at >= 0 && at < size) return at;
    if (border === 'zero') return -1;
    if (border === 'replicate') return at < 0 ? 0 : size - 1;
    if (size === 1) return 0;
    const period = 2 * (size - 1);
    const inside = ((at % period) + period) % period;
    return inside < size ? inside : period - inside;
  };
  return (x, y) => {
    const [fx, fy] = [fold(x, width), fold(y, height)];
    return fx < 0 || fy < 0 ? 0 : plane[fy * width + fx];
  };
}

/** The expected result of the filter for these photos (one, or two for a blend); the first one's alpha is kept. */
export function expected(name, params, photos, { border = 'replicate', view = 'clamp' } = {}) {
  const { width, height } = photos[0];
  const { kernels, divisor, offset = 0 } = definition(name, params);
  const inputs = photos.map(split);
  const planes = inputs[0].planes.map((_, c) => {
    const reads = inputs.map(({ planes: all }) => reader(all[c], width, height, border));
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = offset * divisor;
        for (const [n, rows] of kernels.entries()) {
          const [ry, rx] = [rows.length >> 1, rows[0].length >> 1];
          for (const [j, row] of rows.entries()) {
            for (const [i, weight] of row.entries()) sum += weight * reads[n](x + i - rx, y + j - ry);
          }
        }
        out[y * width + x] = views[view](Math.floor((2 * sum + divisor) / (2 * divisor)));
      }
    }
    return out;
  });
  return join(width, height, planes, inputs[0].alpha);
}
