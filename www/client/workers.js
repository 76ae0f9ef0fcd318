// How workers are started: the one thing that a page and a program in Node do differently. The npm package's entry for
// Node puts its own functions here.

import { SafelightError } from '../shared/errors.js';

const POLICY = 'safelight'; // the name of the Trusted Types policy

export const workers = {
  // Bundlers find the scripts by these very expressions.
  keeper: () => start(() => new Worker(new URL('keeper.js', import.meta.url), { type: 'module', name: 'safelight-keeper' })),
  compute: () => start(() => new Worker(new URL('compute.js', import.meta.url), { type: 'module', name: 'safelight-compute' })),
  codec: () => start(() => new Worker(new URL('codec/compute.js', import.meta.url), { type: 'module', name: 'safelight-codec' })),
  etc: () => start(() => new Worker(new URL('etc/compute.js', import.meta.url), { type: 'module', name: 'safelight-etc' })),
  ckks: () => start(() => new Worker(new URL('ckks/compute.js', import.meta.url), { type: 'module', name: 'safelight-ckks' })),
};

let policy; // null where the page's content security policy does not allow it

/** Starts a worker. Where a page requires Trusted Types, its address comes from a policy of ours. */
function start(make) {
  const types = globalThis.trustedTypes;
  if (!types) return make();
  // A policy named "default" is the page's own, and may let the address pass.
  if (types.defaultPolicy) return orElse(make, () => withPolicy(make, types));
  return withPolicy(make, types);
}

function withPolicy(make, types) {
  if (policy === undefined) policy = newPolicy(types);
  if (policy) return withTrusted(make);
  // A page may list policies without requiring Trusted Types: then an address will do.
  return orElse(make, () => {
    throw new SafelightError(
      'trusted_types',
      `this page requires Trusted Types: allow the policy “${POLICY}” in its content security policy, as in “trusted-types ${POLICY}”`,
    );
  });
}

function orElse(make, other) {
  try {
    return make();
  } catch (error) {
    if (error instanceof TypeError) return other();
    throw error;
  }
}

function newPolicy(types) {
  try {
    return types.createPolicy(POLICY, { createScriptURL: ownAddress });
  } catch {
    return null;
  }
}

/** Workers come from the page's own origin, and from nowhere else. */
function ownAddress(text) {
  const url = new URL(text, location.href);
  if (url.origin !== location.origin) throw new TypeError('a worker from another origin');
  return url.href;
}

/** Only after bundling is it known where a script lies. So the address is made a trusted one on its way to `Worker`. */
function withTrusted(make) {
  const Plain = globalThis.Worker;
  globalThis.Worker = function (url, options) {
    return new Plain(policy.createScriptURL(String(url)), options);
  };
  try {
    return make();
  } finally {
    globalThis.Worker = Plain;
  }
}
