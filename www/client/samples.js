// Pixels in the forms that workers exchange.

/** Extracts what is needed from a decoded photo of any WebAssembly module, and frees the photo. */
export function samplesOf(photo) {
  const { width, height, channels, hasAlpha, notices } = photo;
  const colour = photo.colour(); // what the samples mean, as bytes; empty for sRGB
  const [samples, rgba, alpha] = [photo.samples(), photo.rgba(), hasAlpha ? photo.alpha() : null];
  photo.free();
  return { width, height, channels, notices, colour, samples, rgba, alpha };
}

// Which of a canvas's four samples make up a pixel of 1 to 4 samples.
const CHOICES = { 1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3] };

/** Samples as red, green, blue and alpha, as in a canvas. */
export function rgbaOf({ samples, channels, alpha }) {
  const pixels = samples.length / channels;
  const out = new Uint8ClampedArray(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) out[4 * i + c] = samples[channels * i + (channels === 3 ? c : 0)];
    out[4 * i + 3] = alpha ? alpha[i] : 255;
  }
  return out;
}

/** Picks `count` samples per pixel from red, green, blue and alpha: grey has the same value in all three. */
export function picked(rgba, count) {
  const choice = CHOICES[count];
  const out = new Uint8Array((rgba.length / 4) * count);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let c = 0; c < count; c++) out[to++] = rgba[from + choice[c]];
  }
  return out;
}
