// A photo site that uses the element.

import 'safelight/element';

const element = document.createElement('safe-light');
globalThis.element = element;
element.setAttribute('filter', 'mean');
element.setAttribute('radius', '1');
const addresses = new URLSearchParams(location.search);
for (const name of ['server', 'vault']) if (addresses.has(name)) element.setAttribute(name, addresses.get(name));
document.body.append(element);
