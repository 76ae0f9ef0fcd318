// Starts workers: the only thing that differs between pages and Node. The npm package's entry for Node replaces these
// functions with its own.

import { SafelightError } from '../shared/errors.js';

const POLICY = 'safelight'; // the name of the Trusted Types policy

export const workers = {
  // Bundlers find the scripts by these exact expressions.
  keeper: () => start(() => new Worker(new URL('keeper.js', import.meta.url), { type: 'module', name: 'safelight-keeper' })),
  compute: () => start(() => new Worker(new URL('compute.js', import.meta.url), { type: 'module', name: 'safelight-compute' })),
  codec: () =>
    start(() => new Worker(new URL('codec/compute.js', import.meta.url), { type: 'module', name: 'safelight-codec' })),
  paillier: () =>
    start(
      () => new Worker(new URL('schemes/paillier/compute.js', import.meta.url), { type: 'module', name: 'safelight-paillier' }),
    ),
  etc: () =>
    start(() => new Worker(new URL('schemes/etc/compute.js', import.meta.url), { type: 'module', name: 'safelight-etc' })),
  ckks: () =>
    start(() => new Worker(new URL('schemes/ckks/compute.js', import.meta.url), { type: 'module', name: 'safelight-ckks' })),
};

let policy; // null if the page's content security policy does not allow it

/** Starts a worker. If the page requires Trusted Types, the worker's address comes from our policy. */
function start(make) {
  const types = globalThis.trustedTypes;
  if (!types) return make();
  // A policy named "default" is the page's own, and may allow the address.
  if (types.defaultPolicy) return orElse(make, () => withPolicy(make, types));
  return withPolicy(make, types);
}

function withPolicy(make, types) {
  if (policy === undefined) policy = newPolicy(types);
  if (policy) return withTrusted(make);
  // A page may list policies without requiring Trusted Types: then a plain address works.
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

/** Workers may come only from the page's own origin. */
function ownAddress(text) {
  const url = new URL(text, location.href);
  if (url.origin !== location.origin) throw new TypeError('a worker from another origin');
  return url.href;
}

/** Converts the address to a trusted one just before it reaches `Worker`, because it is known only after bundling. */
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
