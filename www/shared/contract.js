// What the element and the vault have agreed on.

/** The phases of carrying an encrypted photo to the server and back, reported by index. */
export const CARRIED = ['upload', 'filter', 'download'];

/** The phases of training the server on scrambled pictures. */
export const LEARNING = ['upload', 'learn'];

/** The phases of having a network classify an encrypted photo. */
export const ASKED = ['upload', 'classify'];

/** The vault's colours that a site may set. */
export const COLOURS = ['accent', 'ground', 'panel', 'text'];
