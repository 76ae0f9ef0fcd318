// The vault goes nowhere: a script here could move it to an address that holds a secret. Every navigation that begins here is
// cancelled, whatever began it, except saving a file. For that there is `download`, the only thing in the vault that has a link.
// (What holds the frame in a browser without the Navigation API, or where a script leaves the listener no room on the stack, is the
// site's `frame-src`.)

import { getter, method, setter } from './held.js';

const create = method(Document.prototype, 'createElement');
const setAddress = setter(HTMLAnchorElement.prototype, 'href');
const setName = setter(HTMLAnchorElement.prototype, 'download');
const click = method(HTMLElement.prototype, 'click');
const [addressOf, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
const later = setTimeout;
const page = document;
const saved = { __proto__: null }; // the addresses of files that are being saved; nobody else gets to know them

/** Saves a Blob under a name, as the browser does with downloads. */
export function download(blob, name) {
  const link = create(page, 'a'); // part of no tree, where others could get hold of it
  const address = addressOf(blob);
  saved[address] = true;
  setAddress(link, address);
  setName(link, name);
  click(link);
  later(() => (delete saved[address], revoke(address)), 60_000);
}

if (globalThis.navigation) {
  const destination = getter(NavigateEvent.prototype, 'destination');
  const url = getter(NavigationDestination.prototype, 'url');
  const cancel = method(Event.prototype, 'preventDefault');
  navigation.addEventListener('navigate', (event) => {
    if (!saved[url(destination(event))]) cancel(event); // Firefox asks twice, the second time as if it were no download
  });
}
