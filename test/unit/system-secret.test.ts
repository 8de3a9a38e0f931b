import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CachedSecret } from '../../functions/aws/cached-secret.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import { rotateSystemSecret } from '../../functions/schedule/rotate-system-secret.ts';
import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import { systemKeysIn, withNewKey } from '../../lib/system-secret-text.ts';
import { lambdaContext } from '../../local/lambda-events.ts';
import { systemSecretOf, UnusableSystemSecret } from '../../local/system-secret.ts';
import { dataFolder } from '../support/servers/for-this-test.ts';

setLogLevel('silent');

const { refreshMs, cachedMs, signsAfterMs, verifiesMs } = limits.systemSecret;

describe('the system secret of a data folder', () => {
  const fileIn = (folder: string) => path.join(folder, 'system-secret');
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

  test('the system secret is created once, with 256 bits, readable by its owner only, and leaves no other file', () => {
    const folder = dataFolder();
    const secret = systemSecretOf(folder);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect([systemSecretOf(folder), readFileSync(fileIn(folder), 'utf8')]).toEqual([secret, secret]);
    expect(modeOf(fileIn(folder))).toBe('600');
    expect(readdirSync(folder)).toEqual(['system-secret']);
    expect(systemSecretOf(dataFolder())).not.toBe(secret);
  });

  test('the system secret is created although a crash left an unfinished one', () => {
    const folder = dataFolder();
    writeFileSync(`${fileIn(folder)}.new`, 'half');
    expect(systemSecretOf(folder)).toHaveLength(43);
    expect(readdirSync(folder)).toEqual(['system-secret']);
  });

  test.each(['644', '640', '666', '604'])(
    'a system secret of mode %s is made private to its owner, and used',
    (mode) => {
      const folder = dataFolder();
      const secret = systemSecretOf(folder);
      chmodSync(fileIn(folder), mode);
      expect(systemSecretOf(folder)).toBe(secret);
      expect(modeOf(fileIn(folder))).toBe('600');
    },
  );

  test.each([
    ['is empty', ''],
    ['is truncated', 'A'.repeat(42)],
    ['has a line break', `${'A'.repeat(43)}\n`],
    ['is too long', 'A'.repeat(44)],
    ['has invalid characters', `${'A'.repeat(42)}+`],
    ['encodes more than 256 bits', `${'A'.repeat(42)}B`],
    ['is huge', 'A'.repeat(1_000_000)],
  ])('a system secret is refused as damaged when it %s, and stays unchanged', (_what, text) => {
    const folder = dataFolder();
    writeFileSync(fileIn(folder), text, { mode: 0o600 });
    expect(() => systemSecretOf(folder)).toThrow(UnusableSystemSecret);
    expect(() => systemSecretOf(folder)).toThrow(
      /^The system secret \S+ is damaged; restore it, or delete it [^\n]+\.$/,
    );
    expect(readFileSync(fileIn(folder), 'utf8')).toBe(text);
  });

  test('a system secret that is a folder is refused', () => {
    const folder = dataFolder();
    mkdirSync(fileIn(folder));
    expect(() => systemSecretOf(folder)).toThrow(/^The system secret \S+ is not a file; /);
  });
});

describe('the rotation of the system secret', () => {
  const [first, second, third] = ['1'.repeat(43), '2'.repeat(43), '3'.repeat(43)];
  const made = JSON.stringify({ key: first });
  const now = Date.now();

  test('the rotation adds a key at the front that signs later, and keeps the previous one', () => {
    expect(systemKeysIn(withNewKey(made, second, now))).toEqual([
      { key: second, signsFrom: now + signsAfterMs },
      { key: first, signsFrom: 0 },
    ]);
  });

  test('the rotation removes a key only after it has signed nothing for more than a day', () => {
    const rotated = withNewKey(made, second, now);
    const keysAt = (at: number) => systemKeysIn(withNewKey(rotated, third, at)).map(({ key }) => key);
    const lastSigned = now + signsAfterMs;
    expect(verifiesMs).toBeGreaterThan(24 * 3_600_000);
    expect(keysAt(now)).toEqual([third, second, first]);
    expect(keysAt(lastSigned + verifiesMs - 1)).toEqual([third, second, first]);
    expect(keysAt(lastSigned + verifiesMs)).toEqual([third, second]);
  });

  test.each(['', '{}', 'null', '{"key":"short"}', first])(
    'the rotation refuses an invalid current secret: %j',
    (text) => {
      expect(() => withNewKey(text, second, now)).toThrow();
    },
  );

  test('the rotation creates one version, in the first of Secrets Manager’s steps', async () => {
    const versions: [string, string][] = [];
    const rotate = rotateSystemSecret({
      systemSecretVersions: {
        current: async () => made,
        replace: async (version, text) => void versions.push([version, text]),
      },
    });
    for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const)
      await rotate({ Step, SecretId: 'secret', ClientRequestToken: 'one' }, lambdaContext('rotation'));
    const [[version, text] = ['', ''], ...others] = versions;
    expect([version, others]).toEqual(['one', []]);
    const [newest, before] = systemKeysIn(text);
    expect(newest?.key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(newest?.signsFrom).toBeGreaterThanOrEqual(now + signsAfterMs);
    expect(before?.key).toBe(first);
  });
});

describe('the system secret in a running function', () => {
  const text = (key: string) => JSON.stringify({ key: key.repeat(43) });
  /** A secret that can be changed, removed and delayed, and a clock. */
  const world = () => {
    const state = { now: 1_000_000, reads: 0, text: text('a') as string | undefined, hangs: false };
    const read = async () => {
      state.reads++;
      if (state.hangs) return new Promise<string>(() => undefined);
      if (state.text === undefined) throw new Error('out');
      return state.text;
    };
    const cached = new CachedSecret(read, () => state.now);
    const newest = async () => (await cached.keys())[0]?.key[0];
    return { state, newest };
  };
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  test('the system secret is read while the function starts, once for all requests that wait', async () => {
    const { state, newest } = world();
    expect(state.reads).toBe(1);
    expect(await Promise.all([newest(), newest(), newest()])).toEqual(['a', 'a', 'a']);
    expect(state.reads).toBe(1);
  });

  test('the system secret is refreshed in the background of a request', async () => {
    const { state, newest } = world();
    await newest();
    state.text = text('b');
    state.now += refreshMs;
    expect([await newest(), state.reads]).toEqual(['a', 1]);
    state.now += 1;
    expect([await newest(), state.reads]).toEqual(['a', 2]);
    await nextTurn();
    expect([await newest(), state.reads]).toEqual(['b', 2]);
  });

  test('a request waits for the system secret when it was read too long ago, so that every function knows a key before it signs', async () => {
    const { state, newest } = world();
    await newest();
    state.text = text('b');
    state.now += cachedMs + 1;
    expect(await newest()).toBe('b');
    expect(cachedMs).toBeLessThan(signsAfterMs);
  });

  test('the system secret is read again when the system clock is set back', async () => {
    const { state, newest } = world();
    await newest();
    state.text = text('b');
    state.now -= 40 * 24 * 3_600_000;
    expect([await newest(), state.reads]).toEqual(['b', 2]);
    state.text = text('c');
    state.now += refreshMs + 1;
    await newest();
    await nextTurn();
    expect(await newest()).toBe('c');
  });

  test('the cached system secret is used while Secrets Manager is unavailable or hangs for a while', async () => {
    for (const outage of [{ text: undefined }, { hangs: true }]) {
      const { state, newest } = world();
      await newest();
      Object.assign(state, outage);
      state.now += cachedMs;
      expect([await newest(), await newest()]).toEqual(['a', 'a']);
    }
  });

  test('a request is unavailable while the system secret cannot be read, and works when it can', async () => {
    const { state, newest } = world();
    state.text = undefined;
    await newest();
    state.now += cachedMs + 1;
    await expect(newest()).rejects.toBeInstanceOf(Unavailable);
    state.text = text('c');
    expect(await newest()).toBe('c');
  });
});
