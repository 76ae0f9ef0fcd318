// Saves files from the vault, for the user alone.

/** Saves a Blob under a name, as the browser does with downloads. */
export function saveAs(blob, name) {
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Sets an element's text if it differs, so that nothing is announced twice. */
export function filled(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
