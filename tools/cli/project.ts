import path from 'node:path';

/** The folder of this checkout. */
export const project = path.resolve(import.meta.dirname, '../..');
