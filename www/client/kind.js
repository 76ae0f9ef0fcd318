// Recognises the kind of a file by its first bytes.

import { fileKind } from './pkg/safelight.js';

/** The length of the bytes that identify a file's kind. */
export const PROLOGUE = 32;

/** The kind of a file: "image" (encrypted), a key ("secret_key", "etc_key"…), or "photo" for anything else. */
export function kindOf(bytes) {
  if (bytes.length < PROLOGUE) return 'photo';
  try {
    return fileKind(bytes.subarray(0, PROLOGUE));
  } catch (error) {
    return error.code === 'not_safelight' ? 'photo' : 'image'; // decrypting it will show what is wrong
  }
}
