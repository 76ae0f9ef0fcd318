// An app that uses the class API.

import { Safelight, SafelightError } from 'safelight';
import { Server } from 'safelight/server';

globalThis.wholeWay = async (address, photo) => {
  const safelight = await Safelight.open();
  await safelight.newKey(2048);
  const server = new Server(address);
  const { png, checked } = await safelight.filter(new Uint8Array(photo), { server, filter: 'mean', params: { radius: 1 } });
  safelight.close();
  const late = await safelight.newKey().catch((error) => error);
  const { variant } = safelight.build;
  return { png: [...new Uint8Array(await png.arrayBuffer())], checked, variant, late: late instanceof SafelightError && late.code };
};
