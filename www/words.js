// Every sentence that the scripts show, in one place. The sentences that never change stand in index.html.

export const phases = {
  decode: 'Read',
  key: 'Key',
  encrypt: 'Encrypt',
  upload: 'Send',
  filter: 'Filter',
  download: 'Receive',
  decrypt: 'Open',
};

export const doing = {
  decode: 'Reading the photo',
  key: 'Making your key',
  encrypt: 'Encrypting',
  upload: 'Sending',
  filter: 'The server is filtering what it cannot see',
  download: 'Receiving',
  decrypt: 'Opening with your key',
};

export const notices = {
  reduced_to_8_bit: '16-bit colours reduced to 8 bits',
  alpha_kept_here: 'transparency stays here',
  first_frame_only: 'first frame only',
  decoded_by_browser: 'read by your browser',
};

// What to do about an error that is not the fault of what was dropped. All others explain themselves.
const advice = {
  internal: 'This is a fault in Safelight. The broken worker was replaced; you can go on.',
  unreachable: 'Check that the server runs and that you are online, then run the photo again.',
  foreign_key: 'Open the key file that belongs to it.',
  wrong_result: 'Nothing of your photo got out by that.',
};

/** An error as people read it: what happened, what to do, and the stable code. */
export function explain(error) {
  const text = String(error.message || error).replace(/\.$/, '');
  const code = error.code ?? 'internal';
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return `${first}. ${advice[code] ? `${advice[code]} ` : ''}[${code}]`;
}

export const key = {
  none: 'No key yet. One is made for your first photo.',
  making: (bits) => `Making a ${bits}-bit key…`,
  tried: (count) => `${count} candidates tried`,
  ready: (bits) => `${bits}-bit key, in this tab only`,
  lose: 'You saved encrypted files under the present key, but not the key file. Nobody can open them without it. Give the key up?',
};

/** Which build of the WebAssembly module runs here. */
export const arithmetic = (build) => `Arithmetic: ${build.arithmetic}, ${build.variant} build.`;

/** How a job ended. `checked`: what the server did was compared with what it says. */
export const done = (checked) => (checked ? 'Done. The server did what it says.' : 'Done');

/** A number of bytes for people, in decimal units. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

/** A part of a whole for people; nothing where the whole is not known. */
export function percent(done, total) {
  if (total <= 0) return '';
  const part = (100 * done) / total;
  return part > 0 && part < 10 ? `${part.toFixed(1)} %` : `${Math.floor(part)} %`;
}

/** A time span for people. */
export function span(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 10 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.round(seconds / 60)} min`;
}
