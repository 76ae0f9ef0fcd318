// Runs before anything else in the vault, and closes ways out that its content security policy leaves open or cannot
// express: an obstacle for a script that should not be here, and no wall. (A script here that works together with the site
// has a way out already: it can tell the site, and whatever else is shown on it.)
//
// - Elements are those that the vault makes: no frames, no links, no scripts. See `lockdown/elements.js`.
// - What reaches out past `connect-src`, or might, is not there: the window keeps what the vault uses. See `lockdown/names.js`.
// - Passkeys are asked for under the vault's own name only, and the vault does not navigate.
// - Links make browsers look names up and open connections ahead. Those of the page itself, to its style sheets, are exchanged
//   for the sheets.
// - With Trusted Types, scripts for workers come through a policy: this one lets the vault's own origin pass and nothing else.

import './lockdown/navigation.js'; // before elements.js, since it makes a link
import './lockdown/passkeys.js';
import './lockdown/elements.js';
import { getter, removeAll } from './lockdown/held.js';
import { keptOfDocument, keptOfNavigator, keptOfRegistration, keptOfWindow } from './lockdown/names.js';

for (const link of document.querySelectorAll('link')) {
  if (link.relList.contains('stylesheet')) document.adoptedStyleSheets.push(copied(link.sheet));
  link.remove();
}

function copied({ cssRules }) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([...cssRules].map(({ cssText }) => cssText).join('\n'));
  return sheet;
}

const [Address, { href: base, origin: home, protocol }] = [URL, location];
const [originOf, protocolOf, hrefOf] = ['origin', 'protocol', 'href'].map((name) => getter(URL.prototype, name));
globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new Address(text, base);
    // What is made here as a Blob has this origin, too.
    if (originOf(url) !== home || protocolOf(url) !== protocol) throw new TypeError('a script from elsewhere');
    return hrefOf(url);
  },
});

removeAll(Document.prototype, (name) => !keptOfDocument(name));
removeAll(Navigator.prototype, (name) => !keptOfNavigator(name));
if (globalThis.ServiceWorkerRegistration) removeAll(ServiceWorkerRegistration.prototype, (name) => !keptOfRegistration(name));
removeAll(globalThis, (name) => !keptOfWindow(name));
