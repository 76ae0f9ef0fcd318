// The schemes of the class API: each has the whole manifest, and the rest of the package knows the same schemes.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../browser/lib/harness.mjs';
import { project } from './lib/project.mjs';

const METHODS = ['newKey', 'openKey', 'restore', 'presetOf', 'neededKey', 'forget', 'died', 'pause', 'resume', 'busy', 'idle'];

/** The kinds of files in the registry of the format. */
function registry() {
  const text = readFileSync(join(root, 'src/wire/kind.rs'), 'utf8').replaceAll(/#\[cfg\(test\)\]\n.*\n/g, '');
  const named = [...text.matchAll(/^ {4}\d+ (\w+) "([a-z]+)" "/gm)];
  const names = Object.fromEntries(named.map(([, variant, name]) => [variant, name]));
  const rows = [...text.matchAll(/^ {4}\d+ \w+ "(\w+)" (\w+) (secret|public) "/gm)];
  return rows.map(([, kind, scheme, secrecy]) => ({ kind, scheme: names[scheme], secrecy }));
}

describe('the schemes of the class API', () => {
  const { installed } = project();
  const read = (name) => readFileSync(join(installed, name), 'utf8');
  let Scheme, schemes;
  before(async () => {
    const load = (name) => import(pathToFileURL(join(installed, name)));
    ({ Scheme } = await load('client/schemes/scheme.js'));
    schemes = (await load('client/schemes.js')).SCHEMES.map((Manifest) => new Manifest({}));
  });

  it('each have the whole manifest', () => {
    const known = Object.getOwnPropertyNames(Scheme.prototype).filter((name) => name !== 'constructor');
    assert.deepEqual([...known, 'newKey', 'openKey'].sort(), [...METHODS].sort());
    for (const scheme of schemes) {
      assert.ok(scheme instanceof Scheme);
      for (const method of METHODS) assert.equal(typeof scheme[method], 'function', `${scheme.name}: ${method}`);
      assert.ok(Object.keys(scheme.ops).length > 0);
      for (const [name, op] of Object.entries(scheme.ops)) assert.equal(typeof op, 'function', `${scheme.name}: ${name}`);
    }
  });

  it('are those whose files the format keeps secret', () => {
    const secret = registry().filter(({ secrecy }) => secrecy === 'secret');
    const wanted = secret.map(({ kind, scheme }) => [scheme, kind]);
    assert.ok(wanted.length > 0);
    assert.deepEqual(schemes.map(({ name, keyFile }) => [name, keyFile]).sort(), wanted.sort());
  });

  it('store their default keys under names of their own', () => {
    const names = schemes.map((scheme) => scheme.presetOf('https://photos.example'));
    assert.equal(new Set(names).size, schemes.length);
  });

  it('are known to the types, and bundlers keep their workers', () => {
    const [, kinds] = /export type KeyKind = (.*);/.exec(read('types/safelight.d.ts'));
    assert.deepEqual(kinds.split(' | ').sort(), schemes.map(({ name }) => `'${name}'`).sort());
    const { sideEffects } = JSON.parse(read('package.json'));
    const files = readdirSync(join(installed, 'client'), { recursive: true });
    const workers = files.filter((file) => /(^|\/)(keeper|compute)\.js$/.test(file)).map((file) => `./client/${file}`);
    assert.deepEqual(workers.filter((file) => !sideEffects.includes(file)), []);
    const threads = [...read('node/safelight.js').matchAll(/Thread\('\.(\.\/client\/[\w/]+\.js)'/g)];
    assert.deepEqual(threads.map(([, file]) => file).sort(), workers.sort());
  });
});
