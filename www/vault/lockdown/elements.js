// Which elements there can be: those that the vault makes, by name. A frame, even an empty one, would have again what was removed
// here; links make browsers look names up and open connections; and nobody knows what elements browsers will have. So there is
// one gate: no element of another name is made, and none that came into being in another way gets into a tree.

import { apply, getter, remove, removeAll, replace } from './held.js';

const NAMES = Object.freeze({
  __proto__: null,
  b: true, button: true, canvas: true, div: true, figcaption: true, figure: true, h3: true, img: true, input: true,
  label: true, li: true, ol: true, p: true, progress: true, span: true, strong: true, ul: true,
}); // prettier-ignore
const [ELEMENT, TEXT, COMMENT, FRAGMENT] = [1, 3, 8, 11];
const XHTML = 'http://www.w3.org/1999/xhtml';

const nodeType = getter(Node.prototype, 'nodeType');
const firstChild = getter(Node.prototype, 'firstChild');
const nextSibling = getter(Node.prototype, 'nextSibling');
const localName = getter(Element.prototype, 'localName');
const namespace = getter(Element.prototype, 'namespaceURI');

/** Throws if there is something in this tree that the vault does not make. */
function check(node) {
  const type = nodeType(node);
  const known = type === ELEMENT ? namespace(node) === XHTML && NAMES[localName(node)] : type === TEXT || type === COMMENT || type === FRAGMENT;
  if (!known) throw new TypeError('there are no such elements in the vault');
  for (let child = firstChild(node); child; child = nextSibling(child)) check(child);
}

function isNode(value) {
  try {
    return nodeType(value) > 0;
  } catch {
    return false; // a text
  }
}

for (const name of ['createElement', 'createElementNS']) {
  replace(Document.prototype, name, (make) =>
    function (...args) {
      const made = apply(make, this, args);
      check(made);
      return made;
    },
  );
}

const INSERTING = [
  'appendChild', 'insertBefore', 'replaceChild', 'moveBefore', 'append', 'prepend', 'replaceChildren', 'before', 'after',
  'replaceWith', 'insertAdjacentElement', 'insertNode', 'surroundContents', 'importNode', 'adoptNode', 'add',
]; // prettier-ignore
const TREES = [Node, Document, DocumentFragment, Element, CharacterData, DocumentType, Range, HTMLSelectElement, HTMLOptionsCollection];
for (const { prototype } of TREES) {
  for (const name of INSERTING.filter((name) => Object.hasOwn(prototype, name))) {
    replace(prototype, name, (insert) =>
      function (...args) {
        for (let i = 0; i < args.length; i++) if (isNode(args[i])) check(args[i]);
        return apply(insert, this, args);
      },
    );
  }
}

// No elements are made of texts, and none have classes of their own.
const OTHER_WAYS =
  /HTML|^(open|write|writeln|execCommand|designMode|createContextualFragment|createProcessingInstruction|customElementRegistry)$/;
for (const owner of [Element, ShadowRoot, DocumentFragment, Range, Document, HTMLDocument]) {
  removeAll(owner.prototype, (name) => OTHER_WAYS.test(name));
}
removeAll(Document, (name) => /HTML/.test(name));
removeAll(DOMImplementation.prototype, (name) => name !== 'constructor');
const { get } = Object.getOwnPropertyDescriptor(Document.prototype, 'body');
Object.defineProperty(Document.prototype, 'body', { get, set: undefined, configurable: false });

// A script could make something editable, and have the visitor paste what it has put there.
const transfer = getter(InputEvent.prototype, 'dataTransfer');
const { preventDefault } = Event.prototype;
addEventListener('beforeinput', (event) => transfer(event) && apply(preventDefault, event, []), true);

for (const owner of [HTMLIFrameElement, HTMLFrameElement, HTMLObjectElement, HTMLEmbedElement]) {
  for (const name of ['contentWindow', 'contentDocument', 'getSVGDocument']) remove(owner.prototype, name);
}
