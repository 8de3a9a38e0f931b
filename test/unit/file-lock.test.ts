import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { FileLock } from '../../lib/sqlite/file-lock.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

const module = path.resolve(import.meta.dirname, '../../lib/sqlite/file-lock.ts');

test('a lock is held by one process at a time, leaves one empty file, and can be taken again once it is released', () => {
  const folder = dataFolder();
  const file = path.join(folder, 'lock');
  const takenByAnother = () =>
    execFileSync(
      process.execPath,
      [
        '-e',
        `import(process.argv[1]).then(({ FileLock }) => console.log(!!FileLock.take(process.argv[2])))`,
        module,
        file,
      ],
      { encoding: 'utf8' },
    ).trim();
  const lock = FileLock.take(file);
  expect(FileLock.take(file)).toBeUndefined();
  expect(takenByAnother()).toBe('false');
  expect(readdirSync(folder)).toEqual(['lock']);
  lock?.release();
  expect(takenByAnother()).toBe('true');
});
