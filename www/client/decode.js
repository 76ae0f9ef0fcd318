// Decodes photo files to samples with the browser's own tools: zlib for PNG, and its decoders for JPEG and all formats that
// our own decoder module does not support (WebP, HEIC, AVIF, GIF and others).
//
// JPEG decoders may round each sample either way, as the standard allows; PNG is exact. The browser gets only the parts of a
// JPEG file that determine its pixels, so it neither rotates the picture nor changes its colours; we interpret those
// ourselves. For formats that only the browser reads, it converts the colours to sRGB. The browser is trusted only after it has
// drawn known pixels unchanged: protection against fingerprinting alters drawn pixels. We check for damage before asking the
// browser, because it silently shows damaged pictures.

import { Outline, Photo } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { profileOf } from './colour.js';
import { readPixels, writePng } from './png.js';
import { picked, samplesOf } from './samples.js';

const MAX_PIXELS = 16 * 1024 * 1024; // the same limit as for formats whose size we read ourselves
const KNOWN = { width: 32, height: 32, count: 3 };
const PNG = [0x89, 0x50, 0x4e, 0x47];
const JPEG = [0xff, 0xd8, 0xff];
const END_OF_JPEG = Uint8Array.of(0xff, 0xd9);

/**
 * A photo's samples, or null if the file needs our own decoders. `rounded` means that the samples from our own decoders would
 * differ by rounding.
 */
export async function decode(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let outline;
  try {
    outline = new Outline(bytes);
  } catch (error) {
    // If the browser cannot read the file either, our own decoders can still say what it is.
    if (error.code === 'unsupported_image' && !isOurs(bytes)) return foreign(file);
    throw error;
  }
  const { isJpeg, isWebp, width, height, plain: count } = outline;
  if (isWebp) return webp(outline, file, bytes);
  if (count === 0) return null;
  const ends = outline.parts();
  const parts = [];
  for (let i = 0; i < ends.length; i += 2) parts.push(bytes.subarray(ends[i], ends[i + 1]));
  if (isJpeg) parts.push(END_OF_JPEG);
  const samples = await (isJpeg ? drawnJpeg : readPixels)(parts, { width, height, count });
  if (!samples) return null;
  const photo = samplesOf(outline.photo(samples, await profileOf(outline, bytes)));
  if (isJpeg) photo.notices.push('decoded_by_browser');
  return { ...photo, rounded: isJpeg };
}

/** Whether a file is PNG or JPEG. The browser must not decode variants that we do not support: they would go unchecked. */
function isOurs(bytes) {
  return [PNG, JPEG].some((start) => start.every((byte, i) => bytes[i] === byte));
}

/** A WebP photo. The browser sees only its complete parts. */
async function webp(outline, file, bytes) {
  const whole = outline.ended(bytes);
  const photo = await foreign(whole ? new Blob([whole], { type: 'image/webp' }) : file);
  if (!photo) {
    throw new SafelightError('damaged_image', 'the photo is damaged: its pixels cannot be read; copy it again or choose another');
  }
  photo.notices.push(...outline.notices);
  return photo;
}

/** The samples of a JPEG file as the browser decodes it, or null if it cannot, or not correctly. */
async function drawnJpeg(parts, { width, height, count }) {
  if (!(await drawsExactly())) return null;
  const whole = await new Blob(parts).arrayBuffer(); // Firefox detects the type from a Blob's first part only
  const image = await drawn(new Blob([whole], { type: 'image/jpeg' }));
  if (image?.width !== width || image.height !== height || !isOpaque(image.data)) return null;
  return picked(image.data, count);
}

/** Whether the pixels of a file arrive here unchanged. */
async function drawsExactly() {
  if (typeof createImageBitmap !== 'function') return false; // in Node
  const samples = Uint8Array.from({ length: KNOWN.width * KNOWN.height * KNOWN.count }, (_, i) => (i * i * 37) >> 4);
  const image = await drawn(new Blob([await writePng(samples, KNOWN)]));
  return image !== null && picked(image.data, KNOWN.count).every((sample, i) => sample === samples[i]);
}

/** A photo in a format that only the browser reads, or null if it cannot read the file either. */
async function foreign(file) {
  const image = await drawn(file, 'default');
  if (!image) return null;
  const { width, height, data } = image;
  const count = isOpaque(data) ? 3 : 4;
  const photo = samplesOf(Photo.fromPixels(width, height, count, picked(data, count)));
  photo.notices.unshift('decoded_by_browser');
  // This shows only that the colours were converted, not whether sRGB contains all of them.
  if ((await drawsExactly()) && differs(data, (await drawn(file))?.data)) photo.notices.push('converted_to_srgb');
  return photo;
}

/** A file as the browser decodes it, as an ImageData, or null if it cannot read it. */
async function drawn(file, colorSpaceConversion = 'none') {
  try {
    const bitmap = await createImageBitmap(file, { premultiplyAlpha: 'none', colorSpaceConversion });
    const { width, height } = bitmap;
    if (width * height > MAX_PIXELS) {
      const message = `the photo has ${width} × ${height} pixels, more than 16.7 million; make it smaller first`;
      throw new SafelightError('image_too_large', message);
    }
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context.getImageData(0, 0, width, height);
  } catch (error) {
    if (error.code === 'image_too_large') throw error;
    return null;
  }
}

/** Whether two pictures differ by more than rounding. */
function differs(a, b) {
  return b !== undefined && (a.length !== b.length || a.some((sample, i) => Math.abs(sample - b[i]) > 2));
}

/** Whether all pixels are opaque. A canvas that is too large for the browser stays transparent. */
function isOpaque(rgba) {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}
