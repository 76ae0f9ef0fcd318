// Runs before anything else in the vault, and closes ways out that its content security policy leaves open or cannot
// express: an obstacle for a script that should not be here, and no wall. (A script here that works together with the site
// has a way out already: it can tell the site.)
//
// - Peer connections reach other machines past `connect-src`, so their constructors are removed. A frame, even an empty one,
//   would have them again: no frames can be made, in none of the ways in which elements come into being.
// - Links make browsers look names up and open connections ahead: no links can be made, either. Those of the page itself,
//   to its style sheets, are exchanged for the sheets.
// - With Trusted Types, scripts for workers come through a policy: this one lets the vault's own origin pass and nothing else.

const { apply, defineProperty } = Reflect;

// What reaches out, opens windows, or makes elements of texts. The vault needs none of them.
const REMOVED = [
  'RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'RTCIceTransport', 'RTCDtlsTransport',
  'WebSocket', 'WebSocketStream', 'WebTransport', 'TCPSocket', 'TCPServerSocket', 'UDPSocket',
  'EventSource', 'XMLHttpRequest', 'PaymentRequest', 'PresentationRequest', 'fetchLater',
  'open', 'documentPictureInPicture', 'DOMParser', 'XSLTProcessor', 'customElements', 'CustomElementRegistry',
]; // prettier-ignore
for (const name of REMOVED) remove(globalThis, name);

const TEXTS = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'createContextualFragment'];
const WRITERS = ['write', 'writeln', 'open', 'execCommand', 'parseHTML', 'parseHTMLUnsafe'];
const WINDOWS = ['contentWindow', 'contentDocument', 'getSVGDocument'];
for (const owner of [Element, ShadowRoot, Range]) for (const name of TEXTS) remove(owner.prototype, name);
for (const owner of [Document.prototype, HTMLDocument.prototype, Document]) for (const name of WRITERS) remove(owner, name);
for (const owner of [HTMLIFrameElement, HTMLFrameElement, HTMLObjectElement, HTMLEmbedElement]) {
  for (const name of WINDOWS) remove(owner.prototype, name);
}

function remove(owner, name) {
  if (Object.hasOwn(owner, name) && !delete owner[name]) defineProperty(owner, name, { value: undefined });
}

// The elements that nobody makes here. A script that is here may have changed all that it can reach, so what decides is held
// in this module, and no method of anything is called.
const REFUSED = Object.freeze({
  __proto__: null,
  iframe: true, frame: true, fencedframe: true, portal: true, object: true, embed: true, applet: true, link: true,
}); // prettier-ignore
const localName = Object.getOwnPropertyDescriptor(Element.prototype, 'localName').get;

for (const name of ['createElement', 'createElementNS']) {
  const make = Document.prototype[name];
  const value = function (...args) {
    const made = apply(make, this, args);
    if (REFUSED[apply(localName, made, [])]) throw new TypeError('no frames and no links are made in the vault');
    return made;
  };
  defineProperty(Document.prototype, name, { value, writable: false, configurable: false });
}

for (const link of document.querySelectorAll('link')) {
  if (link.relList.contains('stylesheet')) document.adoptedStyleSheets.push(copied(link.sheet));
  link.remove();
}

function copied({ cssRules }) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync([...cssRules].map(({ cssText }) => cssText).join('\n'));
  return sheet;
}

globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new URL(text, location.href);
    if (url.origin !== location.origin) throw new TypeError('a script from elsewhere');
    return url.href;
  },
});
