// Allows only the elements that the vault creates, by name. A frame, even an empty one, would have everything again that was
// removed here. Links make browsers look up names and open connections. Future browsers may have new elements. So there is one
// gate: no element with another name can be created, and none that came into being in another way can be inserted into a tree.

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

/** Throws if this tree contains anything that the vault does not create. */
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

// No elements are created by parsing text, and there are no custom elements.
const OTHER_WAYS =
  /HTML|^(open|write|writeln|execCommand|designMode|createContextualFragment|createProcessingInstruction|customElementRegistry)$/;
for (const owner of [Element, ShadowRoot, DocumentFragment, Range, Document, HTMLDocument]) {
  removeAll(owner.prototype, (name) => OTHER_WAYS.test(name));
}
removeAll(Document, (name) => /HTML/.test(name));
removeAll(DOMImplementation.prototype, (name) => name !== 'constructor');
const { get } = Object.getOwnPropertyDescriptor(Document.prototype, 'body');
Object.defineProperty(Document.prototype, 'body', { get, set: undefined, configurable: false });

// A script could make an element editable and put something on the clipboard for the visitor to paste there.
const transfer = getter(InputEvent.prototype, 'dataTransfer');
const { preventDefault } = Event.prototype;
addEventListener('beforeinput', (event) => transfer(event) && apply(preventDefault, event, []), true);

for (const owner of [HTMLIFrameElement, HTMLFrameElement, HTMLObjectElement, HTMLEmbedElement]) {
  for (const name of ['contentWindow', 'contentDocument', 'getSVGDocument']) remove(owner.prototype, name);
}
