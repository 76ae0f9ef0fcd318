// Photos in formats that only the browser can read: WebP, HEIC, AVIF, GIF and others.

import { SafelightError } from '../shared/errors.js';

const MAX_PIXELS = 16 * 1024 * 1024; // the same limit as for the formats that we read ourselves

/** The pixels as an ImageData, or null if the browser cannot read them either. */
export async function browserDecode(file) {
  if (typeof createImageBitmap !== 'function') return null;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  } catch {
    return null;
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    throw new SafelightError('image_too_large', `the photo has ${width} × ${height} pixels; make it smaller first`);
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}
