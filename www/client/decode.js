// From photo files to samples, by what every browser has: zlib for PNG, and its decoders for JPEG and all formats that our
// own module for photo files does not know (WebP, HEIC, AVIF, GIF and others).
//
// JPEG's decoders may round each sample one way or the other, as the standard allows; PNG is exact. The browser gets
// nothing of a JPEG file but what its pixels come from, so it neither turns the picture nor changes its colours; what these
// mean we read ourselves. Of the formats that it alone reads, it converts the colours to sRGB. It is trusted only after it has
// drawn known pixels as they are: protection against fingerprinting changes what is drawn. Damage is found before the browser
// is asked, because it shows a damaged picture without a word.

import { Outline, Photo } from './pkg/safelight.js';
import { SafelightError } from '../shared/errors.js';
import { profileOf } from './colour.js';
import { readPixels, writePng } from './png.js';
import { picked, samplesOf } from './samples.js';

const MAX_PIXELS = 16 * 1024 * 1024; // the same limit as for the formats whose size we read ourselves
const KNOWN = { width: 32, height: 32, count: 3 };
const PNG = [0x89, 0x50, 0x4e, 0x47];
const JPEG = [0xff, 0xd8, 0xff];
const END_OF_JPEG = Uint8Array.of(0xff, 0xd9);

/**
 * A photo's samples, or null if this file is for our own decoders. `rounded` says that those would give others, which differ
 * by rounding.
 */
export async function decode(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let outline;
  try {
    outline = new Outline(bytes);
  } catch (error) {
    // What the browser does not know either, our own decoders can still name.
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

/** Whether a file is PNG or JPEG. A browser that reads a variant which we do not read would not be checked. */
function isOurs(bytes) {
  return [PNG, JPEG].some((start) => start.every((byte, i) => bytes[i] === byte));
}

/** A WebP photo, of which the browser sees whole parts only. */
async function webp(outline, file, bytes) {
  const whole = outline.ended(bytes);
  const photo = await foreign(whole ? new Blob([whole], { type: 'image/webp' }) : file);
  if (!photo) {
    throw new SafelightError('damaged_image', 'the photo is damaged: its pixels cannot be read; copy it again or choose another');
  }
  photo.notices.push(...outline.notices);
  return photo;
}

/** The samples of a JPEG file as the browser decodes it, or null if it does not, or not as it should. */
async function drawnJpeg(parts, { width, height, count }) {
  if (!(await drawsExactly())) return null;
  const whole = await new Blob(parts).arrayBuffer(); // Firefox looks at a Blob's first part alone to tell what it is
  const image = await drawn(new Blob([whole], { type: 'image/jpeg' }));
  if (image?.width !== width || image.height !== height || !isOpaque(image.data)) return null;
  return picked(image.data, count);
}

/** Whether the pixels of a file arrive here as they are. */
async function drawsExactly() {
  if (typeof createImageBitmap !== 'function') return false; // in Node
  const samples = Uint8Array.from({ length: KNOWN.width * KNOWN.height * KNOWN.count }, (_, i) => (i * i * 37) >> 4);
  const image = await drawn(new Blob([await writePng(samples, KNOWN)]));
  return image !== null && picked(image.data, KNOWN.count).every((sample, i) => sample === samples[i]);
}

/** A photo of a format that only the browser reads, or null if it does not either. */
async function foreign(file) {
  const image = await drawn(file, 'default');
  if (!image) return null;
  const { width, height, data } = image;
  const count = isOpaque(data) ? 3 : 4;
  const photo = samplesOf(Photo.fromPixels(width, height, count, picked(data, count)));
  photo.notices.unshift('decoded_by_browser');
  // Only that they were other colours can be seen, not whether sRGB has all of them.
  if ((await drawsExactly()) && differs(data, (await drawn(file))?.data)) photo.notices.push('converted_to_srgb');
  return photo;
}

/** What the browser makes of a file, as an ImageData, or null if it cannot read it. */
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

/** A canvas that is too large for a browser stays transparent. */
function isOpaque(rgba) {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}
