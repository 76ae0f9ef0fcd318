// <safe-light> where there are no elements: a server that renders pages may load the module, and nothing happens.

export class SafeLightElement {
  constructor() {
    throw new TypeError('<safe-light> is an element for browsers');
  }
}
