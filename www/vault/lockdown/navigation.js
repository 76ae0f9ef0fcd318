// The vault does not navigate: an injected script could navigate to an address that contains a secret. Every navigation that
// starts here is cancelled, whatever started it, except saving a file. Only `download` saves files, and only it has a link. (In
// browsers without the Navigation API, or if a script leaves the listener no room on the stack, the site's `frame-src` still
// prevents navigation.)

import { getter, method, setter } from './held.js';

const create = method(Document.prototype, 'createElement');
const setAddress = setter(HTMLAnchorElement.prototype, 'href');
const setName = setter(HTMLAnchorElement.prototype, 'download');
const click = method(HTMLElement.prototype, 'click');
const [addressOf, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
const later = setTimeout;
const page = document;
const saved = { __proto__: null }; // the addresses of files that are being saved; no other code knows them

/** Saves a Blob under a name, as the browser does with downloads. */
export function download(blob, name) {
  const link = create(page, 'a'); // in no tree, so that other code cannot find it
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
