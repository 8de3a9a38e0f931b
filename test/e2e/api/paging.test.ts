import { beforeAll, describe, expect, test, vi } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Message, MessagePage } from '../../support/client/client.ts';
import { atOnce, deployment, onStack, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

const api = await deployment();

const numbers = async (path: string) => (await api.all<Message>(path)).map(({ number }) => number);
const range = (first: number, last: number) =>
  Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => (first < last ? first + i : first - i));

let application: string;
/** A chat with the messages 1 to 120. */
let chat: string;
let list: string;
beforeAll(async () => {
  application = await api.newApplication();
  chat = await api.newChat(application);
  list = `${chat}/messages`;
  await api.send(chat, ...range(1, 120).map((i) => `Message ${i}`));
  await vi.waitFor(async () => expect(await numbers(`${list}?after=119`)).toEqual([120]), settled);
});

describe('a page of messages', () => {
  test('a page holds 50 messages by default, oldest first', async () => {
    const { body } = await api.get<MessagePage>(list);
    expect(body.data.map(({ number }) => number)).toEqual(range(1, 50));
    expect(body.pending).toEqual([]);
    expect(body.next).toEqual(expect.any(String));
  });

  test.each([1, 7, 50, 119, 120, 121, 1_000])('pages of %i messages show every message once', async (limit) => {
    expect(await numbers(`${list}?limit=${limit}`)).toEqual(range(1, 120));
    expect(await numbers(`${list}?limit=${limit}&order=desc`)).toEqual(range(120, 1));
  });

  test('the last page has next: null', async () => {
    expect((await api.get<MessagePage>(`${list}?limit=120`)).body.next).toBeNull();
    expect((await api.get<MessagePage>(`${list}?limit=119`)).body.next).not.toBeNull();
  });

  test('a list may begin after and end before a number, both exclusive', async () => {
    expect(await numbers(`${list}?after=117`)).toEqual([118, 119, 120]);
    expect(await numbers(`${list}?before=4`)).toEqual([1, 2, 3]);
    expect(await numbers(`${list}?after=10&before=15`)).toEqual([11, 12, 13, 14]);
    expect(await numbers(`${list}?after=10&before=15&order=desc&limit=3`)).toEqual([14, 13, 12, 11]);
    expect(await numbers(`${list}?after=10&before=11`)).toEqual([]);
    expect(await numbers(`${list}?after=15&before=10`)).toEqual([]);
    expect(await numbers(`${list}?after=0&limit=1000`)).toEqual(range(1, 120));
    expect(await numbers(`${list}?before=0`)).toEqual([]);
    expect(await numbers(`${list}?after=120`)).toEqual([]);
    expect(await numbers(`${list}?after=9007199254740993`)).toEqual([]);
    expect(await numbers(`${list}?before=${'9'.repeat(30)}&limit=1000`)).toEqual(range(1, 120));
  });

  test('a page of an empty chat is empty', async () => {
    const empty = await api.newChat();
    expect((await api.get(`${empty}/messages`)).body).toEqual({ data: [], next: null, pending: [] });
  });

  test('a list continues where the page ended, whatever was created or deleted meanwhile', async () => {
    const busy = await api.newChat();
    await api.send(busy, 'one', 'two', 'three', 'four');
    await expect.poll(() => numbers(`${busy}/messages`), settled).toHaveLength(4);
    const { body: first } = await api.get<MessagePage>(`${busy}/messages?limit=2`);
    await api.send(busy, 'five');
    await api.delete(`${busy}/messages/2`);
    await expect.poll(() => numbers(`${busy}/messages`), settled).toEqual([1, 3, 4, 5]);
    expect(await numbers(`${busy}/messages?limit=2&cursor=${first.next}`)).toEqual([3, 4, 5]);
  });

  test('a page may have another limit than the previous page', async () => {
    const { body } = await api.get<MessagePage>(`${list}?limit=2`);
    const next = await api.get<MessagePage>(`${list}?limit=3&cursor=${body.next}`);
    expect(next.body.data.map(({ number }) => number)).toEqual([3, 4, 5]);
  });

  test('a page ends early at 4 MB, and the list continues', async () => {
    const large = await api.newChat();
    // JSON escapes each character as six bytes: 100 × 10,000 × 6.
    for (let i = 0; i < 10; i++) await api.send(large, ...range(1, 17).map(() => '\u0001'.repeat(10_000)));
    await expect.poll(() => numbers(`${large}/messages?after=169`), settled).toEqual([170]);
    const seen: number[] = [];
    let pages = 0;
    for await (const page of api.pages<MessagePage>(`${large}/messages?limit=1000`)) {
      pages++;
      seen.push(...page.data.map(({ number }) => number));
      expect(page.data.length).toBeGreaterThan(0);
      expect(JSON.stringify(page).length).toBeLessThan(4_100_000);
    }
    expect(seen).toEqual(range(1, 170));
    expect(pages).toBeGreaterThan(2);
  });
});

describe('pending', () => {
  test('pending names accepted numbers that are not stored yet, and never deleted ones', async () => {
    const busy = await api.newChat();
    await api.send(busy, ...range(1, 10).map(String));
    for (const number of [3, 4, 8]) await api.delete(`${busy}/messages/${number}`);
    await expect
      .poll(async () => (await api.get(`${busy}/messages`)).body, settled)
      .toMatchObject({ data: [1, 2, 5, 6, 7, 9, 10].map((number) => ({ number })), pending: [], next: null });
  });

  test('pending numbers and messages together leave no number out during concurrent writes', async () => {
    const busy = await api.newChat();
    const answered = new Set<number>();
    const writing = concurrently(600, atOnce(40), async () => {
      const { status, body } = await api.post<Message>(`${busy}/messages`, { body: 'x' });
      if (status === 201) answered.add(body.number);
      // A remote counter whose response is lost leaves its number void. On other engines no create may fail.
      else expect([status, onStack]).toEqual([503, true]);
    });
    let written = false;
    const all = writing.then(() => {
      written = true;
    });
    const pendingOnce = new Set<number>();
    let after = 0;
    while (!written || after < 600) {
      const { body } = await api.get<MessagePage>(`${busy}/messages?after=${after}&limit=100`);
      const stored = body.data.map(({ number }) => number);
      for (const number of body.pending) pendingOnce.add(number);
      const known = [...stored, ...body.pending].sort((a, b) => a - b);
      expect(known).toEqual(known.length > 0 ? range(after + 1, after + known.length) : []);
      after += known.length;
    }
    await all;
    for (const number of [...pendingOnce].filter((one) => answered.has(one)))
      await expect.poll(async () => (await api.get(`${busy}/messages/${number}`)).status, settled).toBe(200);
  });
});

describe('an invalid page', () => {
  test.each(['0', '1001', '-1', '1.5', 'ten', '', '1e2', '9'.repeat(40)])(
    'a page is refused with limit=%s',
    async (limit) => {
      for (const path of [list, `${application}/chats`, '/applications'])
        expect(await api.get(`${path}?limit=${limit}`)).toBeProblem(422, 'validation_failed', 'limit');
    },
  );

  test.each(['-1', '1.5', 'x', '', '1e3', '01'])(
    'a page is refused with after=%s, and with the same before',
    async (number) => {
      for (const path of [list, `${application}/chats`]) {
        expect(await api.get(`${path}?after=${number}`)).toBeProblem(422, 'validation_failed', 'after');
        expect(await api.get(`${path}?before=${number}`)).toBeProblem(422, 'validation_failed', 'before');
      }
    },
  );

  test.each(['up', '', 'ASC', 'asc,desc'])('a page is refused with order=%s', async (order) => {
    for (const path of [list, `${application}/chats`, '/applications'])
      expect(await api.get(`${path}?order=${order}`)).toBeProblem(422, 'validation_failed', 'order');
  });

  test('a refused page names all faults at once', async () => {
    expect(await api.get(`${list}?limit=0&order=up&after=x&before=y`)).toBeProblem(
      422,
      'validation_failed',
      'limit',
      'order',
      'after',
      'before',
    );
  });

  test.each(['', 'nonsense', 'e30', 'bnVsbA', '%00', '../..', 'A'.repeat(100)])(
    'a page is refused with cursor=%s',
    async (cursor) => {
      for (const path of [
        list,
        `${application}/chats`,
        '/applications',
        `${list}/search?q=x`,
        `${application}/search?q=x`,
      ])
        expect(await api.get(`${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}`)).toBeProblem(
          422,
          'validation_failed',
          'cursor',
        );
    },
  );

  test('a page is refused with a changed cursor', async () => {
    const { body } = await api.get<MessagePage>(`${list}?limit=5`);
    const cursor = body.next ?? '';
    for (const at of [0, Math.floor(cursor.length / 2), cursor.length - 1]) {
      const changed = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
      expect(await api.get(`${list}?limit=5&cursor=${changed}`)).toBeProblem(422, 'validation_failed', 'cursor');
    }
    for (const changed of [`${cursor}A`, cursor.slice(0, -1), `${cursor}=`, ` ${cursor}`])
      expect(await api.get(`${list}?cursor=${encodeURIComponent(changed)}`)).toBeProblem(
        422,
        'validation_failed',
        'cursor',
      );
  });

  test('a page is refused with the cursor of another list, order or filter', async () => {
    const other = await api.newChat(application);
    await api.newChat(application);
    await api.send(other, ...range(1, 10).map(String));
    await expect.poll(() => numbers(`${other}/messages`), settled).toHaveLength(10);
    await expect.poll(() => numbers(`${application}/chats`), settled).toHaveLength(3);
    const cursorOf = async (path: string) => {
      const { body } = await api.get<MessagePage>(`${path}limit=1`);
      expect(body.next, path).toEqual(expect.any(String));
      return body.next;
    };
    const lists = [
      `${list}?`,
      `${list}?order=desc&`,
      `${list}?after=3&`,
      `${list}?after=4&`,
      `${list}?before=100&`,
      `${other}/messages?`,
      `${application}/chats?`,
      `${application}/chats?order=desc&`,
      `${application}/chats?before=3&`,
      '/applications?',
      '/applications?order=desc&',
      `${list}/search?q=message&`,
      `${list}/search?q=messag&`,
      `${application}/search?q=message&`,
    ];
    // Creates two applications, so that their list has a second page.
    await api.newApplication();
    await expect.poll(() => cursorOf('/applications?'), settled).toEqual(expect.any(String));
    await expect
      .poll(async () => (await api.get<MessagePage>(`${list}/search?q=message&limit=1`)).body.next, settled)
      .toBeTruthy();
    for (const from of lists) {
      const cursor = await cursorOf(from);
      for (const to of lists) {
        const answer = await api.get(`${to}limit=1&cursor=${cursor}`);
        if (to === from) expect(answer.status, to).toBe(200);
        else expect(answer, `${from} → ${to}`).toBeProblem(422, 'validation_failed', 'cursor');
      }
    }
  });
});
