// What the element and the vault have agreed on.

/** The vault's colours that a site may set. */
export const COLOURS = ['accent', 'ground', 'panel', 'text'];
