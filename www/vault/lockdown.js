// Runs before anything else in the vault and closes ways out that its content security policy leaves open or cannot express:
// an obstacle for an injected script, not a wall. (A script here that cooperates with the site already has a way out: it can
// message the site.)
//
// - Peer connections reach other machines despite `connect-src`, so their constructors are removed. A frame, even an empty one,
//   would bring them back, so frames cannot be created in any way.
// - Links make browsers resolve names and open connections in advance, so links cannot be created either. The page's own links
//   to its style sheets are replaced by the sheets.
// - With Trusted Types, worker scripts pass through a policy: this one allows only the vault's own origin.

const { apply, defineProperty } = Reflect;

// What opens connections or windows, or turns text into elements. The vault needs none of it.
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

// The elements that cannot be created here. An injected script may have changed everything it can reach, so everything that
// decides is held in this module, and no methods are called.
const REFUSED = Object.freeze({
  __proto__: null,
  iframe: true, frame: true, fencedframe: true, portal: true, object: true, embed: true, applet: true, link: true,
}); // prettier-ignore
const localName = Object.getOwnPropertyDescriptor(Element.prototype, 'localName').get;

for (const name of ['createElement', 'createElementNS']) {
  const make = Document.prototype[name];
  const value = function (...args) {
    const made = apply(make, this, args);
    if (REFUSED[apply(localName, made, [])]) throw new TypeError('frames and links cannot be created in the vault');
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
    if (url.origin !== location.origin) throw new TypeError('a script from another origin');
    return url.href;
  },
});
