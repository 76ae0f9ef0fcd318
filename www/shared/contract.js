// What the element and the vault both know of each other.

/** The parts of carrying an encrypted photo to the server and back, told by number. */
export const CARRIED = ['upload', 'filter', 'download'];

/** The parts of having the server learn from scrambled pictures. */
export const LEARNING = ['upload', 'learn'];

/** The parts of having a network classify an encrypted photo. */
export const ASKED = ['upload', 'classify'];

/** The colours that a site may choose for the vault. */
export const COLOURS = ['accent', 'ground', 'panel', 'text'];
