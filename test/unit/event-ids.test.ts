import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idPart, positionsIn } from '../../lib/api/event-ids.ts';
import { limits } from '../../lib/limits.ts';

const positions = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: limits.highestNumber }), fc.maxSafeNat()), {
  minLength: 1,
  maxLength: limits.feed.chats + 1,
  selector: ([chat]) => chat,
});

test('the versions in an id are those that it was made of', () => {
  fc.assert(
    fc.property(positions, (given) => {
      const id = given.map(([chat, version]) => idPart(chat, version)).join('.');
      expect([...(positionsIn(id) ?? [])]).toEqual(given);
    }),
  );
});

test.each(['', 'nonsense', '1', '1-', '-1', '01-2', '1-02', '1-2.', '1-2,3-4', '4294967296-1', '1-9007199254740992'])(
  '%j is no id',
  (text) => {
    expect(positionsIn(text)).toBeUndefined();
  },
);
