// The package in Node: all steps for a photo, and other features that a server or a test needs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expected } from '../browser/lib/filters.mjs';
import { cli, folder, root } from '../browser/lib/harness.mjs';
import { makePhoto } from '../browser/lib/photos.mjs';
import { crc32, decodePng, encodePng } from '../browser/lib/png.mjs';
import { project, startServer } from './lib/project.mjs';

const photo = makePhoto(53, 37, 3, 5);
const file = encodePng(photo);
const mean = expected('mean', { radius: 1 }, [photo]);
const code = (wanted) => (error) => {
  assert.equal(error.code, wanted, error.stack);
  assert.equal(error.name, 'SafelightError');
  return true;
};
const pixels = async ({ png }) => decodePng(Buffer.from(await png.arrayBuffer()));

/** An encrypted vector whose header claims another scale: a server can choose how many digits its numbers have. */
async function rescaled(file) {
  const bytes = Buffer.from(await file.arrayBuffer());
  const end = 16 + bytes.readUInt32LE(12);
  bytes.writeDoubleLE(1, end - 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

/** The number of threads besides this one, once ended threads are gone. */
async function threads() {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return process.report.getReport().workers.length;
}

describe('the package in Node', () => {
  const { place } = project('node');
  const files = folder();
  let server, safelight, filters, Safelight, Server, SafelightError;
  before(async () => {
    ({ Safelight, SafelightError, Server } = await import(pathToFileURL(join(place, 'index.js'))));
    server = await startServer('--models', join(root, 'models'));
    filters = new Server(server.url);
    safelight = await Safelight.open();
    await safelight.newKey(2048);
  });
  after(async () => {
    safelight?.close();
    await server?.stop();
  });

  it('takes a photo through all steps, and reports progress', async () => {
    const phases = new Set();
    const onProgress = ({ phase, done, total }) => {
      assert.ok(done >= 0 && total >= 0);
      phases.add(phase);
    };
    const settings = { server: filters, filter: 'mean', params: { radius: 1 }, onProgress };
    const result = await safelight.filter(file, settings);
    assert.deepEqual(await pixels(result), mean);
    assert.deepEqual([result.width, result.height, result.channels, result.checked], [53, 37, 3, true]);
    assert.equal(result.rgba.length, 4 * 53 * 37);
    assert.deepEqual([...phases], ['decode', 'encrypt', 'upload', 'filter', 'download', 'decrypt']);
    assert.equal(await safelight.kind(result.upload), 'image');
    assert.ok(filters.title.startsWith('safelight '), filters.title);
  });

  it('takes it step by step, with a handle that is freed', async () => {
    const handle = await safelight.read(new Blob([file]));
    assert.deepEqual([handle.width, handle.height, handle.notices], [53, 37, []]);
    const params = { radius: '1' };
    const upload = await safelight.encrypt(handle, { filter: 'mean', params, border: 'reflect' });
    const reply = await filters.filter(new Uint8Array(await upload.arrayBuffer()), { filter: 'mean', params });
    const picture = await safelight.decrypt(reply, { photos: [handle], filter: 'mean', params });
    assert.deepEqual(await pixels(picture), expected('mean', params, [photo], { border: 'reflect' }));
    await assert.rejects(safelight.decrypt(reply, { photos: [handle], filter: 'sharpen' }), code('wrong_result'));
    for (const expect of ['mean size=3x3', ['mean']]) {
      assert.equal((await safelight.decrypt(reply, { expect })).checked, true);
    }
    for (const expect of ['sharpen', [], ['mean', 'mean']]) {
      await assert.rejects(safelight.decrypt(reply, { expect }), code('wrong_result'));
    }
    await assert.rejects(safelight.decrypt(reply, { expect: 'blur' }), code('unknown_filter'));
    await assert.rejects(safelight.decrypt(reply, { check: 'perhaps' }), code('bad_argument'));
    handle.free();
    handle.free();
    await assert.rejects(safelight.encrypt(handle, { filter: 'mean' }), code('bad_argument'));
  });

  it('blends two photos', async () => {
    const other = makePhoto(53, 37, 1, 6);
    const settings = { server: filters, filter: 'blend', params: { share: 25 } };
    const result = await safelight.filter([file, encodePng(other)], settings);
    const grey = { ...other, channels: 3, data: Uint8Array.from({ length: 53 * 37 * 3 }, (_, i) => other.data[Math.floor(i / 3)]) };
    assert.deepEqual(await pixels(result), expected('blend', { share: 25 }, [photo, grey]));
  });

  it('reads the keys and photos of the command line, and the other way round', async () => {
    const at = (name) => join(files, name);
    writeFileSync(at('photo.png'), file);
    await cli('keygen', 'paillier', '--bits', '2048', '--out', at('cli.key'));
    await cli('encrypt', '--key', at('cli.key'), at('photo.png'), '--out', at('photo.slt'));
    const mine = safelight.key.fingerprint;
    const theirs = await safelight.openKey(readFileSync(at('cli.key')), { name: 'from the command line' });
    assert.equal(theirs.name, 'from the command line');
    assert.deepEqual(await pixels(await safelight.decrypt(readFileSync(at('photo.slt')))), photo);
    const upload = await safelight.encrypt(file, { filter: 'mean' });
    writeFileSync(at('ours.slt'), Buffer.from(await upload.arrayBuffer()));
    await cli('decrypt', '--key', at('cli.key'), at('ours.slt'), '--out', at('ours.png'));
    assert.deepEqual(decodePng(readFileSync(at('ours.png'))), photo);
    assert.equal((await safelight.useKey(mine)).fingerprint, mine);
    await assert.rejects(safelight.decrypt(readFileSync(at('photo.slt'))), code('foreign_key'));
    await safelight.deleteKey(theirs.fingerprint);
    assert.deepEqual(safelight.keys.map(({ fingerprint }) => fingerprint), [mine]);
  });

  it('opens images that cannot be verified only on request', async () => {
    const at = (name) => join(files, name);
    writeFileSync(at('from-others.png'), file);
    writeFileSync(at('mine.key'), Buffer.from(await (await safelight.exportKey()).arrayBuffer()));
    await cli('pubkey', at('mine.key'), '--out', at('mine.pub'));
    await cli('encrypt', '--key', at('mine.pub'), at('from-others.png'), '--out', at('from-others.slt'));
    const image = readFileSync(at('from-others.slt'));
    await assert.rejects(safelight.decrypt(image), code('not_verifiable'));
    await assert.rejects(safelight.decrypt(image, { check: 'where-possible', expect: [] }), code('not_verifiable'));
    for (const check of ['where-possible', 'none']) {
      const picture = await safelight.decrypt(image, { check });
      assert.deepEqual([await pixels(picture), picture.checked], [photo, false]);
    }
    const own = await safelight.encrypt(file, { filter: 'mean' });
    assert.deepEqual((await safelight.decrypt(own, { check: 'where-possible' })).checked, true);
    assert.deepEqual((await safelight.decrypt(own, { check: 'none' })).checked, false);
  });

  it('scrambles photos as the command line does', async () => {
    const at = (name) => join(files, name);
    writeFileSync(at('photo.png'), file);
    await cli('keygen', 'etc', '--out', at('etc.key'));
    await cli('etc', 'encrypt', '--key', at('etc.key'), '--fixed-key', at('photo.png'), '--out', at('etc.jpg'));
    const { kind, fingerprint } = await safelight.openKey(readFileSync(at('etc.key')));
    assert.deepEqual([kind, fingerprint, safelight.key.kind], ['etc', safelight.etcKey.fingerprint, 'paillier']);
    const scrambled = await safelight.scramble(file, { fixedKey: true });
    assert.deepEqual(Buffer.from(await scrambled.file.arrayBuffer()), readFileSync(at('etc.jpg')));
    const lossless = await safelight.scramble(file, { type: 'image/png' });
    assert.deepEqual(await pixels(await safelight.unscramble(lossless.file)), photo);
    await assert.rejects(safelight.scramble(file, { block: 3 }), code('bad_argument'));
    await assert.rejects(safelight.unscramble(file), code('bad_header'));
    await safelight.deleteKey(fingerprint);
    assert.equal(safelight.etcKey, null);
  });

  it('encrypts vectors, and sends the keys to compute with them', async () => {
    const ckks = await safelight.ckks();
    const { fingerprint, publicKey } = await ckks.newKey('small');
    assert.equal(safelight.ckksKey.fingerprint, fingerprint);
    assert.equal(await safelight.kind(publicKey), 'ckks_public_key');
    const numbers = await ckks.decrypt(await ckks.encrypt([0.5, -1.25, 3]));
    assert.deepEqual(Array.from(numbers, (number) => Math.round(number * 1e4) / 1e4 + 0), [0.5, -1.25, 3, 0]);
    const keys = await ckks.evaluationKeys([{ purpose: 'products' }, { purpose: 'rotation', steps: 1 }]);
    const id = await filters.uploadKeys(keys);
    const { state, key } = await (await fetch(`${server.url}/v1/keys/${id}`)).json();
    assert.deepEqual([state, key], ['ready', fingerprint]);
    await filters.deleteKeys(id);
    await assert.rejects(filters.deleteKeys(id), code('keys_not_found'));
    await assert.rejects(ckks.encrypt([NaN]), code('plaintext_out_of_range'));
    await assert.rejects(ckks.evaluationKeys([{ purpose: 'wishes' }]), code('bad_argument'));
    await safelight.deleteKey(fingerprint);
  });

  it('has a network say what a photo shows, as the command line says it in the clear', async () => {
    const ckks = await safelight.ckks();
    const network = await ckks.network(await (await fetch(`${server.url}/v1/models/cifar10/file`)).blob());
    const { fingerprint } = await ckks.newKey(network.set);
    const id = await filters.uploadKeys(await network.evaluationKeys());
    const read = await safelight.read(file);
    const question = await network.encrypt(read);
    const ask = { method: 'POST', body: question, headers: { 'Content-Type': question.type } };
    const answer = await (await fetch(`${server.url}/v1/classifiers/cifar10?keys=${id}`, ask)).blob();
    const { label, found } = await network.open(answer, { scores: true });
    assert.deepEqual(await network.open(answer), { label });
    const path = join(files, 'asked.png');
    writeFileSync(path, file);
    const { stdout } = await cli('classify', '--model', join(root, 'models/cifar10.model'), '--json', path);
    const clear = JSON.parse(stdout);
    assert.deepEqual([label, found[0].label, found.length], [clear.label, clear.label, 10]);
    for (const { label, probability } of found) {
      assert.equal(probability, Math.round(100 * probability) / 100);
      assert.ok(Math.abs(probability - clear.probabilities[network.labels.indexOf(label)]) < 0.006, label);
    }
    await assert.rejects(network.open(question), code('vectors_differ'));
    await assert.rejects(network.open(await rescaled(answer)), code('vectors_differ'));
    await assert.rejects(ckks.network(file), code('not_safelight'));
    await ckks.newKey('leveled-14');
    await assert.rejects(network.encrypt(read), code('wrong_parameters'));
    await assert.rejects(network.evaluationKeys(), code('wrong_parameters'));
    read.free();
    for (const one of [safelight.ckksKey.fingerprint, fingerprint]) await safelight.deleteKey(one);
    await filters.deleteKeys(id);
  });

  it('exports its key under a passphrase, and opens it again', async () => {
    const { fingerprint } = safelight.key;
    const out = await safelight.exportKey({ passphrase: 'a long passphrase' });
    assert.equal(await safelight.kind(out), 'protected_key');
    await assert.rejects(safelight.openKey(out, { passphrase: 'another one' }), code('wrong_passphrase'));
    const stop = new AbortController();
    const opening = safelight.openKey(out, { passphrase: 'a long passphrase', signal: stop.signal });
    stop.abort();
    await assert.rejects(opening, code('cancelled'));
    assert.equal((await safelight.openKey(out, { passphrase: 'a long passphrase' })).fingerprint, fingerprint);
  });

  it('fails with codes', async () => {
    await assert.rejects(safelight.read(Buffer.from('no photo')), code('unsupported_image'));
    await assert.rejects(safelight.read('photo.png'), code('bad_argument'));
    await assert.rejects(safelight.encrypt(file, { filter: 'blur' }), code('unknown_filter'));
    await assert.rejects(safelight.encrypt(file, { filter: 'mean', params: { radius: 'x' } }), code('bad_filter'));
    await assert.rejects(safelight.encrypt(file), code('bad_argument'));
    await assert.rejects(safelight.encrypt(file, { filter: 'mean', maxBytes: 100 }), code('too_large'));
    await assert.rejects(safelight.filter(file, { filter: 'mean' }), code('bad_argument'));
    await assert.rejects(safelight.decrypt(file), code('not_safelight'));
    await assert.rejects(safelight.newKey(1000), code('bad_argument'));
    await assert.rejects(safelight.useKey('unknown'), code('foreign_key'));
    await assert.rejects(safelight.protectKeys({ passphrase: 'nothing is stored' }), code('bad_argument'));
    await assert.rejects(safelight.lockKeys(), code('bad_argument'));
    assert.deepEqual([safelight.protection, safelight.locked, await Safelight.hasPasskeys()], [null, false, false]);
    assert.throws(() => new Server('no address'), code('bad_argument'));
    const nobody = new Server('http://127.0.0.1:1/');
    assert.equal(await nobody.look(), null);
    await assert.rejects(nobody.filter(new Blob([file]), { filter: 'mean' }), code('unreachable'));
    await assert.rejects(filters.filter(new Blob([file]), { filter: 'mean' }), code('not_safelight'));
    assert.ok(new SafelightError('io', '') instanceof Error);
  });

  it('can be cancelled, and leaves no thread behind', async (t) => {
    const others = await threads();
    const fresh = await Safelight.open();
    t.after(() => fresh.close());
    await fresh.newKey(2048);
    const large = encodePng(makePhoto(400, 400, 3, 7));
    for (const phase of ['decode', 'encrypt', 'upload', 'decrypt']) {
      const stop = new AbortController();
      const begun = phase === 'decode' || phase === 'upload' ? 0 : 1;
      const onProgress = (step) => step.phase === phase && step.done >= begun && stop.abort();
      const settings = { server: filters, filter: 'mean', signal: stop.signal, onProgress };
      await assert.rejects(fresh.filter(large, settings), code('cancelled'), phase);
      const keeper = 1;
      if (phase !== 'upload') assert.equal(await threads(), others + keeper, `threads after a cancel in ${phase}`);
    }
    const stop = AbortSignal.abort();
    await assert.rejects(fresh.newKey(2048, { signal: stop }), code('cancelled'));
    await assert.rejects(Safelight.open({ signal: stop }), code('cancelled'));
    const soon = new AbortController();
    const opening = Safelight.open({ signal: soon.signal });
    soon.abort();
    await assert.rejects(opening, code('cancelled'));
    assert.deepEqual(await pixels(await fresh.decrypt(await fresh.encrypt(file, { filter: 'mean' }))), photo);
    fresh.close();
    assert.equal(await threads(), others, 'threads after the end');
  });

  it('pauses and goes on', async () => {
    safelight.pause();
    let done = false;
    const work = safelight.encrypt(file, { filter: 'mean' }).then(() => (done = true));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(done, false);
    safelight.resume();
    await work;
  });

  it('cancels its work when it is closed, and refuses more', async () => {
    const other = await Safelight.open();
    const work = other.newKey(4096);
    other.close();
    other.close();
    await assert.rejects(work, code('cancelled'));
    for (const late of [() => other.newKey(2048), () => other.encrypt(file, { filter: 'mean' }), () => other.kind(file)]) {
      await assert.rejects(late(), code('closed'));
    }
    other.pause();
    other.resume();
  });

  it('lets the program end', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(place, 'ends.js')], { timeout: 60_000 });
    assert.equal(stdout, 'closed\n');
  });

  it('may be loaded with the element on a server that renders pages', async () => {
    await import(pathToFileURL(join(place, 'element.js')));
  });
});
