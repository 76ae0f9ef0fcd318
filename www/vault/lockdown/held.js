// Tools of the lockdown. A script that is here may have changed all that it can reach: so what decides is held in constants of
// modules, and no method of anything is called.

const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

/** Reads a property of whatever it is given, however the property may be changed later. */
export function getter(owner, name) {
  const { get } = getOwnPropertyDescriptor(owner, name);
  return (of) => apply(get, of, []);
}

/** Sets a property likewise. */
export function setter(owner, name) {
  const { set } = getOwnPropertyDescriptor(owner, name);
  return (of, value) => apply(set, of, [value]);
}

/** Calls a method likewise. */
export function method(owner, name) {
  const act = owner[name];
  return (of, ...args) => apply(act, of, args);
}

/** Puts a function in a method's place for good. It is made of the method. */
export function replace(owner, name, made) {
  defineProperty(owner, name, { value: made(owner[name]), writable: false, configurable: false });
}

export function remove(owner, name) {
  const there = getOwnPropertyDescriptor(owner, name);
  if (there?.configurable && !delete owner[name]) defineProperty(owner, name, { value: undefined });
}

/** Removes whatever fits from an object; names that are symbols stay. */
export function removeAll(owner, fits) {
  for (const name of ownKeys(owner)) if (typeof name === 'string' && fits(name)) remove(owner, name);
}

export { apply };
