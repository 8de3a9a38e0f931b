import { describe, expect, test } from 'vitest';
import { messageChangeView, stepJson } from '../../functions/api/shared/changes.ts';
import { changesPage } from '../../functions/api/shared/changes-page.ts';
import { limits } from '../../lib/limits.ts';
import { blankContent } from '../../lib/model/content.ts';
import type { Change } from '../../lib/store/changes.ts';
import type { StoredMessage } from '../../lib/store/reads.ts';
import { numbers } from '../support/histories/writes.ts';

const stored = (number: number, body = 'hello'): StoredMessage => ({
  number,
  content: { ...blankContent, body },
  createdAt: 1_000,
  updatedAt: 1_000,
});
const created = (version: number, number: number, body?: string): Change<StoredMessage> => ({
  version,
  number,
  type: 'created',
  stored: stored(number, body),
});

describe('a page of changes', () => {
  // Versions 1 to 3 have 2, 1 and 3 changes.
  const all = [created(1, 1), created(1, 2), created(2, 3), created(3, 4), created(3, 5), created(3, 6)];
  const page = (limit: number) =>
    changesPage(
      { changes: all.slice(0, limit), next: all[limit]?.version },
      ({ version: change, number }) => ({ change, number }),
      7,
    );

  test('the last page ends at the present version, and every other one before the first version that does not fit', () => {
    const pages = [6, 5, 3, 2].map((limit) => page(limit));
    expect(pages.map(({ data, change, more, end }) => [data.map(({ number }) => number), change, more, end])).toEqual([
      [[1, 2, 3, 4, 5, 6], 7, false, undefined],
      [[1, 2, 3], 2, true, undefined],
      [[1, 2, 3], 2, true, undefined],
      [[1, 2], 1, true, undefined],
    ]);
  });

  test('a version that does not fit alone is cut, and the page names the version before it', () => {
    expect(page(1)).toMatchObject({ data: [{ number: 1 }], change: 0, more: true, end: [1, 1] });
  });

  test('changes that are too large for one response are cut in the same way as by the limit', () => {
    const long = (version: number, number: number) => created(version, number, '\u{1F469}'.repeat(10_000));
    const changes = [
      ...numbers(1, 30).map((number) => long(1, number)),
      ...numbers(31, 230).map((number) => long(2, number)),
    ];
    const whole = changesPage({ changes, next: undefined }, messageChangeView, 2);
    expect([whole.data.length, whole.change, whole.more, whole.end]).toEqual([30, 1, true, undefined]);
    const cut = changesPage({ changes: changes.slice(30), next: undefined }, messageChangeView, 2);
    expect([cut.data.length, cut.change, cut.more]).toEqual([(cut.end as [number, number])[1] - 30, 1, true]);
    expect(Buffer.byteLength(JSON.stringify(JSON.stringify(cut.data)))).toBeLessThan(limits.pageBytes + 1_000);
  });

  test('without changes, the page ends at the present version', () => {
    expect(changesPage({ changes: [], next: undefined }, messageChangeView, 7)).toEqual({
      data: [],
      change: 7,
      more: false,
    });
  });
});

describe('a step', () => {
  const message = {
    number: 1,
    sender: null,
    body: 'hello',
    metadata: {},
    created_at: '1970-01-01T00:00:01.000Z',
    updated_at: '1970-01-01T00:00:01.000Z',
  };

  test('a step of a chat has its number, its version and its changes, in which a deleted message has only its number', () => {
    const changes = [
      created(3, 1),
      { version: 3, number: 2, type: 'edited' as const, stored: stored(2) },
      { version: 3, number: 4, type: 'deleted' as const },
    ];
    expect(JSON.parse(stepJson({ token: 't', chat: 2, version: 3, changes }))).toEqual({
      chat_number: 2,
      change: 3,
      data: [
        { change: 3, type: 'message.created', message },
        { change: 3, type: 'message.edited', message: { ...message, number: 2 } },
        { change: 3, type: 'message.deleted', message: { number: 4 } },
      ],
    });
  });

  test('a step of an application has its chats without their counts', () => {
    const chat = { number: 1, name: 'one', metadata: null, createdAt: 1_000, updatedAt: 1_000 };
    const changes = [
      { version: 3, number: 1, type: 'created' as const, stored: chat },
      { version: 3, number: 4, type: 'deleted' as const },
    ];
    const { sender: _sender, body: _body, ...times } = message;
    expect(JSON.parse(stepJson({ token: 't', version: 3, changes }))).toEqual({
      change: 3,
      data: [
        { change: 3, type: 'chat.created', chat: { ...times, name: 'one' } },
        { change: 3, type: 'chat.deleted', chat: { number: 4 } },
      ],
    });
  });

  test('a step of more than 200 kB says only that there is one', () => {
    const step = (count: number) =>
      stepJson({
        token: 't',
        chat: 2,
        version: 3,
        changes: numbers(1, count).map((number) => created(3, number, 'x'.repeat(10_000))),
      });
    expect(JSON.parse(step(20))).toEqual({ chat_number: 2, change: 3, truncated: true });
    const whole = step(19);
    expect(JSON.parse(whole).data).toHaveLength(19);
    expect(Buffer.byteLength(whole)).toBeLessThanOrEqual(limits.stepBytes);
  });
});
