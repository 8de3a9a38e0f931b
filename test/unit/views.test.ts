import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editApplication } from '../../functions/api/edit-application.ts';
import { editChat } from '../../functions/api/edit-chat.ts';
import { matchView } from '../../functions/api/shared/matches.ts';
import { applicationView, chatView, messageView, timestamp } from '../../functions/api/shared/views.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { limits } from '../../lib/limits.ts';
import { blankContent } from '../../lib/model/content.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';

// The clock of the machine that accepted the edit is an hour behind, or was set back.
const createdAt = Date.UTC(2026, 10, 21, 9);
const updatedAt = Date.UTC(2026, 10, 21, 8);
const both = { created_at: timestamp(createdAt), updated_at: timestamp(createdAt) };

test('no view has an updated_at before its created_at, whatever the clocks say', async () => {
  const times = { createdAt, updatedAt };
  expect(applicationView({ token: 't', name: 'a', chatsCount: 0, ...times })).toMatchObject(both);
  expect(chatView({ number: 1, name: null, metadata: null, messagesCount: 0, ...times })).toMatchObject(both);
  expect(messageView({ number: 1, content: { ...blankContent, body: 'b' }, ...times })).toMatchObject(both);
  expect(matchView({ chat: 1, number: 1, content: { ...blankContent, body: 'b' }, ...times }, 'b')).toMatchObject(both);

  const ledger = {
    editApplication: async () => ({ createdAt, at: updatedAt }),
    editChat: async () => ({ createdAt, at: updatedAt }),
  } as unknown as Ledger;
  const body = { name: 'new' };
  const answers = [
    await answer(editApplication({ ledger, access: noAccess }), apiEvent('editApplication', { body })),
    await answer(editChat({ ledger, access: noAccess }), apiEvent('editChat', { body })),
  ];
  for (const { json } of answers) expect(json).toMatchObject(both);
});

test('every time is formatted as a Date formats it, whichever was formatted before', () => {
  const day = 24 * 60 * 60 * 1_000;
  const time = fc.oneof(
    fc.integer({ min: 0, max: limits.latestTime }),
    fc.integer({ min: 0, max: 3 * day }),
    fc.constantFrom(0, day - 1, day, 2 * day - 1, limits.latestTime),
  );
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      expect(times.map(timestamp)).toEqual(times.map((milliseconds) => new Date(milliseconds).toISOString()));
    }),
  );
});
