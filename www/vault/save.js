// Saves files from the vault, for the user only, and sets texts.

export { download as saveAs } from './lockdown/navigation.js';

/** Sets an element's text if it differs, so that nothing is announced twice. */
export function filled(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
