// The WebAssembly modules and their builds: the same program, compiled for different instruction sets (wasm-pack.toml). One
// unknown instruction makes a browser reject the whole file, so support is tested before the file is fetched.

import { SafelightError } from '../shared/errors.js';

// A minimal module with the instruction f64x2.relaxed_madd: one function that does nothing else.
const RELAXED_MADD = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
  ...[0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b], // types: (v128, v128, v128) -> v128
  ...[0x03, 0x02, 0x01, 0x00], // functions: one, of that type
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00], // code: one body of 11 bytes without locals
  ...[0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x87, 0x02, 0x0b], // local.get 0, 1, 2; f64x2.relaxed_madd; end
);

// The builds of each module, best first. Bundlers find the files by these exact expressions.
const modules = {
  safelight: [
    { variant: 'relaxed', url: new URL('pkg/safelight_relaxed.wasm', import.meta.url), probe: RELAXED_MADD },
    { variant: 'baseline', url: new URL('pkg/safelight_bg.wasm', import.meta.url) },
  ],
  remote: [{ variant: 'baseline', url: new URL('remote/pkg/safelight_remote_bg.wasm', import.meta.url) }],
  codec: [{ variant: 'baseline', url: new URL('codec/pkg/safelight_codec_bg.wasm', import.meta.url) }],
  etc: [{ variant: 'baseline', url: new URL('schemes/etc/pkg/safelight_etc_bg.wasm', import.meta.url) }],
  ckks: [
    { variant: 'relaxed', url: new URL('schemes/ckks/pkg/safelight_ckks_relaxed.wasm', import.meta.url), probe: RELAXED_MADD },
    { variant: 'baseline', url: new URL('schemes/ckks/pkg/safelight_ckks_bg.wasm', import.meta.url) },
  ],
};

/** The builds of a module that this browser supports, best first. */
export function usable(module = 'safelight') {
  return modules[module].filter(({ probe }) => !probe || WebAssembly.validate(probe));
}

/** Fetches and compiles a build's file. */
export async function compile(url) {
  const missing = () => new SafelightError('unreachable', 'part of this page could not be loaded from its server');
  const answer = await fetch(url).catch(() => {
    throw missing();
  });
  if (!answer.ok) throw missing();
  if (answer.headers.get('content-type') === 'application/wasm') return WebAssembly.compileStreaming(answer);
  return WebAssembly.compile(await answer.arrayBuffer()); // the server does not know the wasm media type
}

/** Compiles a module's best build whose file can be loaded and compiled here. */
export async function compileBest(module) {
  let failure;
  for (const { url } of usable(module)) {
    try {
      return await compile(url);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
