export { Safelight, SafelightError } from 'safelight';
export { Server } from 'safelight/server';
