import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-cache-'));
let cache: typeof import('../../tools/stack/cache.ts');

beforeAll(async () => {
  vi.stubEnv('STACK_CACHE', folder);
  // The folder is read when the module is loaded, which another test file of this worker may have done.
  vi.resetModules();
  cache = await import('../../tools/stack/cache.ts');
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const say = () => undefined;

test('an entry of the cache is made once, however many callers want it at the same time', async () => {
  let made = 0;
  const make = async (target: string) => writeFileSync(target, String(++made));
  const places = await Promise.all([1, 2, 3].map(() => cache.cached('thing', say, make)));
  expect(places.map((place) => readFileSync(place, 'utf8'))).toEqual(['1', '1', '1']);
});

test('an entry that cannot be made leaves nothing in the cache and is made the next time', async () => {
  const broken = cache.cached('half', say, async (target) => {
    writeFileSync(target, 'half');
    throw new Error('no network');
  });
  await expect(broken).rejects.toThrow('no network');
  expect(existsSync(path.join(folder, 'half'))).toBe(false);
  expect(readdirSync(folder).filter((name) => name.startsWith('making'))).toEqual([]);
  const place = await cache.cached('half', say, async (target) => writeFileSync(target, 'whole'));
  expect(readFileSync(place, 'utf8')).toBe('whole');
});

test('a download with another checksum is refused', async () => {
  const file = path.join(folder, 'download');
  writeFileSync(file, 'text');
  await expect(cache.verify(file, '0'.repeat(64))).rejects.toThrow('has the SHA-256');
  await cache.verify(file, '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1');
});
