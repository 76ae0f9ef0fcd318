// Draws pictures and ciphertext on the canvases of a card.

const LONG_SIDE = 1000; // pixels of a preview; larger photos are drawn smaller
const SMALL = 200; // photos narrower than this are shown with visible pixels

/**
 * Draws `{ width, height, rgba }`. If the samples are not sRGB, `file` is the picture as a file with its colour information,
 * which the browser shows correctly.
 */
export async function drawPicture(canvas, { width, height, rgba, file = null }, label) {
  const scale = Math.min(1, LONG_SIDE / Math.max(width, height));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const smaller = scale < 1 ? { resizeWidth: w, resizeHeight: h, resizeQuality: 'high' } : {};
  const bitmap =
    (file && (await managed(file, smaller, w, h))) ??
    (await createImageBitmap(new ImageData(rgba, width, height), smaller));
  show(canvas, bitmap, width, label);
}

/** Does the same work as drawing such a picture, but shows nothing. */
export async function drawNothing(canvas, { width, height, file = null }) {
  await drawPicture(canvas, { width, height, rgba: new Uint8ClampedArray(4 * width * height), file }, '');
  clear(canvas);
}

/** A file as the browser shows it, or null if the browser cannot read it or finds another size. */
async function managed(file, smaller, w, h) {
  const bitmap = await createImageBitmap(file, smaller).catch(() => null);
  if (bitmap?.width === w && bitmap.height === h) return bitmap;
  bitmap?.close();
  return null;
}

/** Draws the bytes of a Blob as coloured pixels, in the photo's shape: what anyone else can see of it. */
export async function drawBytes(canvas, blob, { width, height }, label) {
  const scale = Math.min(1, LONG_SIDE / 2 / Math.max(width, height));
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const needed = 3 * w * h;
  const from = Math.max(0, blob.size - needed); // the end of the file, which is always ciphertext
  const bytes = new Uint8Array(await blob.slice(from).arrayBuffer());
  const image = new ImageData(w, h);
  for (let pixel = 0; pixel < w * h; pixel++) {
    for (let c = 0; c < 3; c++) image.data[4 * pixel + c] = bytes[(3 * pixel + c) % bytes.length];
    image.data[4 * pixel + 3] = 255;
  }
  show(canvas, await createImageBitmap(image), w, label);
}

/** Empties a canvas. */
export function clear(canvas) {
  pictures(canvas).transferFromImageBitmap(null);
  canvas.classList.remove('drawn');
  canvas.removeAttribute('aria-label');
  canvas.setAttribute('aria-hidden', 'true'); // nothing to describe yet
}

// A canvas that only shows bitmaps: a drawable one is prepared again whenever the page changes, while the workers need the CPU.
const pictures = (canvas) => canvas.getContext('bitmaprenderer');

function show(canvas, bitmap, width, label) {
  const { width: w, height: h } = bitmap;
  Object.assign(canvas, { width: w, height: h });
  pictures(canvas).transferFromImageBitmap(bitmap);
  canvas.setAttribute('aria-label', label);
  canvas.removeAttribute('aria-hidden');
  canvas.classList.toggle('small', width < SMALL);
  canvas.classList.add('drawn');
}
