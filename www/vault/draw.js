// Draws pictures and ciphertext on the canvases of a card.

const LONG_SIDE = 1000; // pixels of a preview; larger photos are drawn smaller
const SMALL = 200; // photos narrower than this are shown with visible pixels

/** Draws `{ width, height, rgba }`. */
export async function drawPicture(canvas, { width, height, rgba }, label) {
  const image = new ImageData(rgba, width, height);
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  if (scale < 1) {
    const [resizeWidth, resizeHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
    const bitmap = await createImageBitmap(image, { resizeWidth, resizeHeight, resizeQuality: 'high' });
    size(canvas, resizeWidth, resizeHeight);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    bitmap.close();
  } else {
    size(canvas, width, height);
    canvas.getContext('2d').putImageData(image, 0, 0);
  }
  show(canvas, width, label);
}

/** Draws the bytes of a Blob as coloured pixels, in a picture of the photo's shape: what anybody else can see of it. */
export async function drawBytes(canvas, blob, { width, height }, label) {
  const scale = Math.min(1, LONG_SIDE / 2 / Math.max(width, height));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const needed = 3 * w * h;
  const from = Math.max(0, blob.size - needed); // the end: whatever the length, it is all ciphertext
  const bytes = new Uint8Array(await blob.slice(from).arrayBuffer());
  const image = new ImageData(w, h);
  for (let pixel = 0; pixel < w * h; pixel++) {
    for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = bytes[(3 * pixel + c) % bytes.length];
    image.data[4 * pixel + 3] = 255;
  }
  size(canvas, w, h);
  canvas.getContext('2d').putImageData(image, 0, 0);
  show(canvas, w, label);
}

/** Empties a canvas. */
export function clear(canvas) {
  size(canvas, 1, 1);
  canvas.classList.remove('drawn');
  canvas.removeAttribute('aria-label');
  canvas.setAttribute('aria-hidden', 'true'); // nothing to tell about it yet
}

function size(canvas, width, height) {
  Object.assign(canvas, { width, height });
}

function show(canvas, width, label) {
  canvas.setAttribute('aria-label', label);
  canvas.removeAttribute('aria-hidden');
  canvas.classList.toggle('small', width < SMALL);
  canvas.classList.add('drawn');
}
