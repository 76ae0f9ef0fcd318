// What an app in a browser writes, with the types that it gets and the mistakes that are found.

import { Photo, Safelight, SafelightError } from 'safelight';
import type { Ckks, EvaluationKeys, Filtered, KeyFacts, Network, Picture, Progress } from 'safelight';
import { Server } from 'safelight/server';
import { SafeLightElement } from 'safelight/element';

export async function wholeWay(file: File, canvas: CanvasRenderingContext2D, signal: AbortSignal): Promise<Blob> {
  using safelight = await Safelight.open({ remember: true, site: location.origin, signal });
  safelight.addEventListener('keys', () => console.log(safelight.keys.length));
  const key: KeyFacts = safelight.key ?? (await safelight.newKey(3072, { name: 'mine', signal }));
  const onProgress = ({ phase, done, total }: Progress) => console.log(phase, total > 0 ? done / total : '?');
  const server = new Server('https://filters.example');
  const result: Filtered = await safelight.filter(file, {
    server,
    filter: 'gaussian',
    params: { sigma: 1.5 },
    border: 'reflect',
    view: 'clamp',
    signal,
    onProgress,
  });
  canvas.putImageData(new ImageData(result.rgba, result.width, result.height), 0, 0);
  console.log(key.fingerprint, result.reply.size, result.checked);
  return result.png;
}

export async function kept(passphrase: string): Promise<KeyFacts> {
  const safelight = await Safelight.open({ remember: 'protected' });
  if (safelight.locked) await safelight.unlockKeys({ passphrase });
  else if (!safelight.protection) await safelight.protectKeys((await Safelight.hasPasskeys()) ? { passkey: true } : { passphrase });
  // @ts-expect-error: one way at a time
  await safelight.protectKeys({ passphrase, unprotected: true }).catch(() => safelight.lockKeys());
  if (safelight.keys.some(({ exposed, protected: sealed }) => exposed && !sealed)) await safelight.clearKeys();
  return safelight.key ?? safelight.newKey();
}

export async function stepByStep(safelight: Safelight, files: [File, File], server: Server): Promise<Picture> {
  using first = await safelight.read(files[0]);
  const second: Photo = await safelight.read(files[1]);
  await safelight.match(first, second);
  const params = { share: 30 };
  const upload = await safelight.encrypt([first, second], { filter: 'blend', params });
  second.free();
  const limits = (await server.look())?.limits;
  if (limits?.max_bytes !== undefined && upload.size > 2 * limits.max_bytes) throw new SafelightError('too_large', '');
  const reply = await server.filter(upload, { filter: 'blend', params, onProgress: ({ phase }) => console.log(phase) });
  return safelight.decrypt(reply, { view: 'absolute' });
}

export async function vectors(safelight: Safelight, server: Server, signal: AbortSignal): Promise<number> {
  const ckks: Ckks = await safelight.ckks();
  const { publicKey, set } = await ckks.newKey('leveled-14', { name: 'numbers', signal });
  const wanted = [{ purpose: 'products' }, { purpose: 'rotation', steps: -1, level: 3 }] as const;
  const keys: EvaluationKeys = await ckks.evaluationKeys(wanted, { signal });
  const id = await server.uploadKeys(keys, { signal, onProgress: ({ phase, done }) => console.log(phase, done) });
  await server.deleteKeys(id);
  const numbers: Float64Array = await ckks.decrypt(await ckks.encrypt([1, 2.5], { slots: 8 }));
  console.log(safelight.ckksKey?.set === set, publicKey.size, keys.bytes);
  return numbers[0] ?? 0;
}

export async function shows(ckks: Ckks, front: Blob, photo: Photo, ask: (file: Blob) => Promise<Blob>): Promise<string> {
  const network: Network = await ckks.network(front);
  await ckks.newKey(network.set);
  const answer = await ask(await network.encrypt(photo));
  const only: { readonly label: string } = await network.open(answer);
  const { label, found } = await network.open(answer, { scores: true });
  if (label !== only.label) return '';
  return found[0] ? `${label}, ${found[0].probability}` : network.labels.join();
}

export function explain(error: unknown): string {
  if (!(error instanceof SafelightError)) throw error;
  switch (error.code) {
    case 'cancelled':
      return '';
    case 'wrong_result':
      return 'use another server';
    default:
      return `${error.message} [${error.code}]`;
  }
}

export function site(): SafeLightElement {
  const element = document.createElement('safe-light');
  element.setAttribute('server', 'https://filters.example');
  element.addEventListener('done', ({ detail }) => console.log(detail.upload.size, detail.reply?.size));
  element.addEventListener('error', ({ detail }) => console.log(detail.code));
  element.addEventListener('progress', ({ detail }) => console.log(detail.fraction));
  element.addEventListener('click', ({ clientX }) => console.log(clientX));
  document.querySelector('safe-light')?.open(new Blob());
  return element;
}

export async function mistakes(safelight: Safelight, file: File): Promise<void> {
  // @ts-expect-error: it is opened, not constructed
  new Safelight();
  // @ts-expect-error: for which filter?
  await safelight.encrypt(file, {});
  // @ts-expect-error: by which server?
  await safelight.filter(file, { filter: 'mean' });
  // @ts-expect-error: a file's name is no file
  await safelight.read('photo.png');
  // @ts-expect-error: there is no such size of keys
  await safelight.newKey(1024);
  // @ts-expect-error: there is no such border
  await safelight.encrypt(file, { filter: 'mean', border: 'wrap' });
  const ckks = await safelight.ckks();
  // @ts-expect-error: there is no such set
  await ckks.newKey('large');
  // @ts-expect-error: by how many steps?
  await ckks.evaluationKeys([{ purpose: 'rotation' }]);
  // @ts-expect-error: facts are to be read
  safelight.version = '2';
}
