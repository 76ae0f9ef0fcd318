// <safe-light> outside browsers, where there are no elements: loading it does nothing, so server-side rendering works.

export class SafeLightElement {
  constructor() {
    throw new TypeError('<safe-light> is an element for browsers');
  }
}
