// Pixels as workers hand them on.

/** What is needed of a decoded photo, of whichever WebAssembly module, which is freed. */
export function samplesOf(photo) {
  const { width, height, channels, hasAlpha, notices } = photo;
  const [samples, rgba, alpha] = [photo.samples(), photo.rgba(), hasAlpha ? photo.alpha() : null];
  photo.free();
  return { width, height, channels, notices, samples, rgba, alpha };
}

// Which of a canvas's four samples make a pixel of 1 to 4 samples.
const CHOICES = { 1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3] };

/** Of red, green, blue and alpha what a picture needs with so many samples for each pixel: grey has its value three times. */
export function picked(rgba, count) {
  const choice = CHOICES[count];
  const out = new Uint8Array((rgba.length / 4) * count);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let c = 0; c < count; c++) out[to++] = rgba[from + choice[c]];
  }
  return out;
}
