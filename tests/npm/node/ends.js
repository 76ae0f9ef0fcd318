import { Safelight } from 'safelight';

const safelight = await Safelight.open();
await safelight.newKey(2048);
safelight.close();
console.log('closed');
