// The types: samples compile under the strictest settings, everything public has a type, and everything with a type is public.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { openBrowser, root } from '../browser/lib/harness.mjs';
import { makePhoto } from '../browser/lib/photos.mjs';
import { encodePng } from '../browser/lib/png.mjs';
import { here, project, serveFiles } from './lib/project.mjs';

const STRICTEST = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  skipLibCheck: false,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  typeRoots: [join(here, 'node_modules/@types')],
};
const BUNDLER = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const NODE = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const BROWSER_LIB = { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'], types: [] };
const NODE_LIB = { lib: ['lib.es2022.d.ts'], types: ['node'] };

function complaints(file, options) {
  const program = ts.createProgram([file], { ...STRICTEST, ...options });
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => here, getNewLine: () => '\n' };
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
}

describe('the types', () => {
  const { place } = project('types');

  it('fit an app of a bundler', () => {
    assert.equal(complaints(join(place, 'browser.ts'), { ...BUNDLER, ...BROWSER_LIB }), '');
  });

  it('fit modules in a browser, resolved as Node does', () => {
    assert.equal(complaints(join(place, 'browser.ts'), { ...NODE, ...BROWSER_LIB }), '');
  });

  it('fit a program in Node, without the types of browsers', () => {
    assert.equal(complaints(join(place, 'node.ts'), { ...NODE, ...NODE_LIB }), '');
  });
});

describe('everything public has a type, and the other way round:', () => {
  const { place, installed } = project('app');
  const types = (name) => declared(join(installed, 'types', name));
  const load = (name) => import(pathToFileURL(join(installed, name)));
  let safelight, browser, site;
  before(async () => {
    const { Safelight } = await load('node/safelight.js');
    safelight = await Safelight.open();
    site = await serveFiles(place);
    browser = await openBrowser('chromium');
  });
  after(async () => {
    safelight?.close();
    await browser?.close();
    await site?.stop();
  });

  it('the class API', async () => {
    const module = await load('node/safelight.js');
    const { values, classes } = types('safelight.d.ts');
    assert.deepEqual(Object.keys(module).sort(), values);
    const photo = await safelight.read(encodePng(makePhoto(3, 2, 1)));
    compare(classes.Safelight, members(safelight));
    compare(classes.Photo, members(photo));
    const ofErrors = [...Object.getOwnPropertyNames(new Error('')), 'name'];
    const { own, ...rest } = members(new module.SafelightError('io', ''));
    compare(classes.SafelightError, { ...rest, own: own.filter((name) => !ofErrors.includes(name)) });
  });

  it('the codes that the other programs have', () => {
    const codes = (file, pattern) => [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, code]) => code);
    const named = codes(join(installed, 'types/safelight.d.ts'), /\| '([a-z_0-9]+)'/g);
    const others = codes(join(root, 'src/error.rs'), /^ +\w+ = "([a-z_0-9]+)",$/gm);
    assert.ok(others.length > 30);
    const missing = others.filter((code) => !named.includes(code) && code !== 'file_exists'); // nothing here writes files
    assert.deepEqual(missing, []);
  });

  it('the server', async () => {
    const module = await load('client/remote/server.js');
    const { values, classes } = types('server.d.ts');
    assert.deepEqual(Object.keys(module).sort(), values);
    const found = members(new module.Server('http://127.0.0.1/'));
    const inherited = members(Object.create(Object.getPrototypeOf(module.Server.prototype)));
    compare(classes.Server, { ...found, methods: [...new Set([...found.methods, ...inherited.methods])] });
  });

  it('the element', async () => {
    const { values, classes } = types('element.d.ts');
    const page = await browser.open(`${site.url}plain.html`, { ready: false });
    await page.until(() => globalThis.element, 'the element');
    await page.page.evaluate(`globalThis.members = ${members}`);
    const address = `${site.url}node_modules/safelight/element/safe-light.js`;
    assert.deepEqual(await page.page.evaluate((url) => import(url).then(Object.keys), address), values);
    const found = await page.page.evaluate(() => globalThis.members(globalThis.element));
    const listened = (name) => !name.endsWith('Callback'); // those are for the browser
    compare(classes.SafeLightElement, { ...found, methods: found.methods.filter(listened) });
  });
});

/** The names of an object's own fields, its class's methods and getters, and its statics. Also runs in a page. */
function members(object) {
  const text = (key) => (key === Symbol.dispose ? ['[Symbol.dispose]'] : typeof key === 'string' ? [key] : []);
  const named = (of) => Reflect.ownKeys(of).flatMap(text);
  const unlike = (...names) => (name) => !names.includes(name);
  return {
    own: named(object),
    methods: named(object.constructor.prototype).filter(unlike('constructor')),
    statics: named(object.constructor).filter(unlike('length', 'name', 'prototype')),
  };
}

function compare({ instance, statics }, found) {
  assert.deepEqual(instance, [...found.own, ...found.methods].sort());
  assert.deepEqual(statics, found.statics.sort());
}

/** The names that a declaration file exports as values, and the members of its classes. */
function declared(file) {
  const program = ts.createProgram([file], { ...STRICTEST, ...NODE, ...BROWSER_LIB });
  const checker = program.getTypeChecker();
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
  const values = exported.filter(({ flags }) => flags & ts.SymbolFlags.Value);
  const classes = {};
  for (const symbol of values) {
    const all = symbol.declarations.find(ts.isClassDeclaration).members;
    // addEventListener is declared only for the events' types.
    const named = all.filter(({ name }) => name && name.getText() !== 'addEventListener');
    const isStatic = (member) => Boolean(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static);
    const names = (list) => [...new Set(list.map(({ name }) => name.getText()))].sort();
    classes[symbol.name] = {
      instance: names(named.filter((member) => !isStatic(member))),
      statics: names(named.filter(isStatic)),
    };
  }
  return { values: values.map(({ name }) => name).sort(), classes };
}
