import { describe, expect, test } from 'vitest';
import { Access } from '../../lib/access/access.ts';
import { AccessTokens } from '../../lib/access/access-tokens.ts';
import { limits } from '../../lib/limits.ts';
import { NotFound } from '../../lib/model/errors.ts';
import type { Holder } from '../../lib/model/holder.ts';
import { newToken } from '../../lib/model/token.ts';
import { keptReads } from '../../lib/recent-reads.ts';
import { fixedSecret } from '../../lib/system-secret.ts';
import { newClock } from '../support/basics/clock.ts';

const { keptMs } = limits.accessToken;
const holder: Holder = { sender: 'ada', chats: null, can: ['read'] };

/**
 * Returns a clock, `newAccess`, which creates an `Access` with an empty cache, as a new function instance has, and
 * functions that create applications and access tokens and count the reads of the ledger.
 */
function open(secret = 's'.repeat(43)) {
  const clock = newClock();
  const generations = new Map<string, number>();
  let reads = 0;
  const ledger = {
    accessGeneration: async (token: string) => {
      reads++;
      return generations.get(token);
    },
  };
  const newAccess = () => new Access({ tokens: new AccessTokens(fixedSecret(secret)), ledger, keptMs, now: clock });
  const application = () => {
    const token = newToken();
    generations.set(token, 0);
    return token;
  };
  const readsOf = async (work: () => Promise<unknown>) => {
    const before = reads;
    await work();
    return reads - before;
  };
  const make = async (by: Access, token: string, seconds = 3_600) =>
    (await by.grant(token, holder, seconds)).accessToken;
  return { clock, generations, newAccess, application, readsOf, make };
}

describe('a function', () => {
  test('on a warm function, an access token costs no read of the ledger for most of a minute', async () => {
    const { clock, newAccess, application, readsOf, make } = open();
    const access = newAccess();
    const token = application();
    const texts = [await make(access, token), await make(access, token)];
    const both = async () => {
      for (const text of texts) expect(await access.callerOf(text)).toMatchObject({ token, holder });
      expect(await access.callerOf(token)).toEqual({ token, holder: undefined });
    };
    expect(await readsOf(both)).toBe(1);
    clock.advance(keptMs - 1);
    expect(await readsOf(both)).toBe(0);
    clock.advance(1);
    expect(await readsOf(both)).toBe(1);
    clock.advance(-3_600_000);
    expect(await readsOf(both)).toBe(1);
  });

  test('an access token is accepted for less than 60 seconds after it was ended', async () => {
    const { clock, generations, newAccess, application, make } = open();
    const access = newAccess();
    const token = application();
    const text = await make(access, token);
    expect(await access.callerOf(text)).toMatchObject({ token });
    generations.set(token, clock());
    clock.advance(keptMs - 1);
    expect(await access.callerOf(text)).toMatchObject({ token });
    clock.advance(1);
    expect(await access.callerOf(text)).toBe('invalid');
    expect(keptMs).toBeLessThan(60_000);
  });

  test('an access token that another function made after the end is accepted at once, whatever the clocks say', async () => {
    const { generations, newAccess, application, make, readsOf } = open();
    const [one, other] = [newAccess(), newAccess()];
    const token = application();
    const before = await make(other, token);
    expect(await one.callerOf(before)).toMatchObject({ token });
    generations.set(token, 1);
    const after = await make(other, token);
    expect(await readsOf(async () => expect(await one.callerOf(after)).toMatchObject({ token }))).toBe(1);
    expect(await one.callerOf(before)).toBe('invalid');
    expect(await readsOf(() => one.callerOf(after))).toBe(0);
  });

  test('a deleted application is noticed within a minute, and an unknown one is not remembered', async () => {
    const { clock, generations, newAccess, application, make } = open();
    const access = newAccess();
    const token = application();
    const text = await make(access, token);
    expect(await access.callerOf(text)).toMatchObject({ token });
    generations.delete(token);
    clock.advance(keptMs);
    for (const gone of [text, token, newToken()]) expect(await access.callerOf(gone)).toBe('invalid');
    generations.set(token, 0);
    expect(await access.callerOf(text)).toMatchObject({ token });
    await expect(access.grant(newToken(), holder, 60)).rejects.toBeInstanceOf(NotFound);
  });

  test('one clock decides when an access token expires and which key of the system secret seals it', async () => {
    const clock = newClock();
    const [older, newer] = ['o'.repeat(43), 'n'.repeat(43)];
    const keys = [
      { key: newer, signsFrom: clock() + 60_000 },
      { key: older, signsFrom: 0 },
    ];
    const access = new Access({
      tokens: new AccessTokens({ keys: async () => keys }),
      ledger: { accessGeneration: async () => 0 },
      keptMs,
      now: clock,
    });
    const sealedBy = async (key: string) => {
      const { accessToken } = await access.grant(newToken(), holder, 60);
      return (await new AccessTokens(fixedSecret(key)).open(accessToken)) !== undefined;
    };
    expect([await sealedBy(older), await sealedBy(newer)]).toEqual([true, false]);
    clock.advance(60_000);
    expect([await sealedBy(older), await sealedBy(newer)]).toEqual([false, true]);
  });

  test('an access token expires at its time, and an expired one causes no query of the ledger', async () => {
    const { clock, newAccess, application, make, readsOf } = open();
    const access = newAccess();
    const text = await make(access, application(), 60);
    clock.advance(59_999);
    expect(await access.callerOf(text)).toMatchObject({ holder });
    clock.advance(1);
    expect(await readsOf(async () => expect(await access.callerOf(text)).toBe('expired'))).toBe(0);
  });

  test('a text that is no token causes no query of the ledger', async () => {
    const { newAccess, readsOf } = open();
    const ofAnother = open('o'.repeat(43));
    const foreign = await ofAnother.make(ofAnother.newAccess(), ofAnother.application());
    const access = newAccess();
    for (const text of ['', 'nonsense', '{}', foreign, 'A'.repeat(3_999)])
      expect(await readsOf(async () => expect(await access.callerOf(text)).toBe('invalid'))).toBe(0);
  });

  test('the generations of a limited number of applications are kept', async () => {
    const { newAccess, application, readsOf } = open();
    const access = newAccess();
    const tokens = Array.from({ length: keptReads + 1 }, application);
    for (const token of tokens) await access.callerOf(token);
    expect(await readsOf(() => access.callerOf(tokens.at(-1) as string))).toBe(0);
    expect(await readsOf(() => access.callerOf(tokens[0] as string))).toBe(1);
  });
});
