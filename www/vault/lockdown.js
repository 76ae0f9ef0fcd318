// Runs before anything else in the vault. Closes ways for data to leave that its content security policy leaves open or cannot
// express. This is an obstacle for an injected script, not a wall. (An injected script that works together with the site has a
// way out already: it can send messages to the site and to anything else embedded in it.)
//
// - Only the kinds of elements that the vault creates can exist: no frames, no links, no scripts. See `lockdown/elements.js`.
// - Interfaces that bypass `connect-src`, or might, are removed: the window keeps those that the vault uses. See
//   `lockdown/names.js`.
// - Passkeys are requested only under the vault's own name, and the vault does not navigate.
// - <link> elements make browsers look up names and open connections in advance. The page's own links to its style sheets are
//   replaced by the sheets.
// - With Trusted Types, scripts for workers come through a policy: this one allows only the vault's own origin.

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
    // A Blob created here has this origin, too.
    if (originOf(url) !== home || protocolOf(url) !== protocol) throw new TypeError('a script from elsewhere');
    return hrefOf(url);
  },
});

removeAll(Document.prototype, (name) => !keptOfDocument(name));
removeAll(Navigator.prototype, (name) => !keptOfNavigator(name));
if (globalThis.ServiceWorkerRegistration) removeAll(ServiceWorkerRegistration.prototype, (name) => !keptOfRegistration(name));
removeAll(globalThis, (name) => !keptOfWindow(name));
