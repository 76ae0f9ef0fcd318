// How workers are started: the one thing that a page and a program in Node do differently. The npm package's entry for
// Node puts its own functions here.

export const workers = {
  // Bundlers find the scripts by these very expressions.
  keeper: () => new Worker(new URL('keeper.js', import.meta.url), { type: 'module', name: 'safelight-keeper' }),
  compute: () => new Worker(new URL('compute.js', import.meta.url), { type: 'module', name: 'safelight-compute' }),
  codec: () => new Worker(new URL('codec/compute.js', import.meta.url), { type: 'module', name: 'safelight-codec' }),
  etc: () => new Worker(new URL('etc/compute.js', import.meta.url), { type: 'module', name: 'safelight-etc' }),
  ckks: () => new Worker(new URL('ckks/compute.js', import.meta.url), { type: 'module', name: 'safelight-ckks' }),
};
