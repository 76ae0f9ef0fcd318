// Tools of the lockdown. An injected script may have changed everything within its reach. So everything that matters is held
// in constants of modules, and no object's methods are called.

const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

/** Returns a function that reads a property of any object, even if a script has since redefined the property. */
export function getter(owner, name) {
  const { get } = getOwnPropertyDescriptor(owner, name);
  return (of) => apply(get, of, []);
}

/** The same for setting a property. */
export function setter(owner, name) {
  const { set } = getOwnPropertyDescriptor(owner, name);
  return (of, value) => apply(set, of, [value]);
}

/** The same for calling a method. */
export function method(owner, name) {
  const act = owner[name];
  return (of, ...args) => apply(act, of, args);
}

/** Permanently replaces a method with `made(method)`. */
export function replace(owner, name, made) {
  defineProperty(owner, name, { value: made(owner[name]), writable: false, configurable: false });
}

export function remove(owner, name) {
  const there = getOwnPropertyDescriptor(owner, name);
  if (there?.configurable && !delete owner[name]) defineProperty(owner, name, { value: undefined });
}

/** Removes all properties whose names fit from an object; those named by symbols stay. */
export function removeAll(owner, fits) {
  for (const name of ownKeys(owner)) if (typeof name === 'string' && fits(name)) remove(owner, name);
}

export { apply };
