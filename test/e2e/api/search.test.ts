import fc from 'fast-check';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApplicationMatchPage, ChatMatchPage, Message, Messages } from '../../support/client/client.ts';
import { deployment, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';
import { hardText, queryFor } from '../../support/texts/hard-texts.ts';
import { matcher } from '../../support/texts/scan.ts';

const api = await deployment();

type ChatMatch = ChatMatchPage['data'][0];
type ApplicationMatch = ApplicationMatchPage['data'][0];

const inChat = (chat: string, q: string, more = '') => `${chat}/messages/search?q=${encodeURIComponent(q)}${more}`;
const inApplication = (application: string, q: string, more = '') =>
  `${application}/search?q=${encodeURIComponent(q)}${more}`;
const page = async (path: string) => (await api.get<ChatMatchPage>(path)).body;
const numbers = async (chat: string, q: string) =>
  (await api.all<ChatMatch>(inChat(chat, q, '&limit=100'))).map(({ number }) => number);
const searchable = (chat: string, q: string, count: number) =>
  vi.waitFor(async () => expect((await page(inChat(chat, q))).total).toBe(count), settled);

/** Creates a chat with these messages, and waits until all of them can be found. */
async function chatOf(bodies: string[], application?: string): Promise<string> {
  const chat = await api.newChat(application);
  await api.send(chat, ...bodies);
  // Messages are indexed in any order, so each must be found.
  await vi.waitFor(async () => {
    for (const body of new Set(bodies))
      expect((await page(inChat(chat, [...body].slice(0, 256).join('')))).total).toBeGreaterThan(0);
  }, settled);
  return chat;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
/** The highlight as the contract defines it: every leftmost, non-overlapping match. */
function highlighted(body: string, q: string): string {
  let [result, end] = ['', 0];
  for (const { 0: match, index } of body.matchAll(matcher(q, 'g'))) {
    result += `${html(body.slice(end, index))}<em>${html(match)}</em>`;
    end = index + match.length;
  }
  return result + html(body.slice(end));
}

describe('a message matches', () => {
  const bodies = [
    'The quick brown fox',
    'jumps over the lazy dog',
    'unquickly done',
    'C++ & C# > 100%',
    'a_b a%b a*b a?b a\\b',
    `"double" 'single' \`back\``,
    'Straße STRASSE straẞe',
    'İstanbul Istanbul ıstanbul istanbul',
    'Σίσυφος ΣΊΣΥΦΟΣ σίσυφοσ',
    'naïve nai\u0308ve',
    '\u212A means kelvin, K too',
    '世界 こんにちは 안녕하세요',
    'שלום عالم',
    '🏳️‍🌈 👩‍👩‍👧 😀',
    '  two  spaces  ',
    'NEAR(a b) AND OR NOT body:x',
  ];
  let chat: string;
  beforeAll(async () => {
    chat = await chatOf(bodies);
  });

  test.each([
    ...[
      'quick',
      'QUICK BR',
      'uick',
      'k',
      'az',
      '+',
      '++',
      'c#',
      '100%',
      '%',
      '*',
      '_',
      '?',
      '\\',
      '"',
      "'",
      '`',
      '.',
      '.*',
    ],
    ...[
      'a_b',
      'a%b',
      'strasse',
      'straße',
      'STRAẞE',
      'ss',
      'i',
      'I',
      'İ',
      'ı',
      'istan',
      'ς',
      'Σ',
      'σίσυφος',
      'ï',
      'i\u0308',
    ],
    ...[
      'k',
      '\u212A',
      '世',
      '世界',
      'は',
      '녕하',
      'ולם',
      'لم',
      '😀',
      '\u200d',
      '👩',
      ' ',
      '  ',
      '   ',
      'NEAR',
      'AND OR',
      'body:',
    ],
    ...['nowhere', 'quick fox', 'xyz', '<em>', '&amp;', '\u0000', '\n'],
  ])('a message matches exactly when its body contains %j, ignoring case', async (q) => {
    const expected = bodies.flatMap((body, i) => (matcher(q).test(body) ? [i + 1] : [])).reverse();
    expect(await numbers(chat, q)).toEqual(expected);
    expect((await page(inChat(chat, q))).total).toBe(expected.length);
  });

  test('a message matches exactly when a scan finds it, for any text, and every match is marked', async () => {
    const texts = fc
      .sample(
        hardText.filter((text) => !/^\p{White_Space}*$/u.test(text)),
        { numRuns: 300 },
      )
      .concat('the last one to be indexed');
    const random = await api.newChat();
    await api.send(random, ...texts);
    await searchable(random, 'the last one to be indexed', 1);
    const query = queryFor(texts).filter((q) => !q.includes('\0'));
    await fc.assert(
      fc.asyncProperty(query, async (q) => {
        const matches = await api.all<ChatMatch>(inChat(random, q, '&limit=100'));
        const expected = texts.flatMap((body, i) => (matcher(q).test(body) ? [{ number: i + 1, body }] : [])).reverse();
        expect(matches.map(({ number }) => number)).toEqual(expected.map(({ number }) => number));
        for (const match of matches) expect(match.highlight).toBe(highlighted(match.body, q));
      }),
      { numRuns: 300 },
    );
  });

  test('a message matches by its last accepted text, and never after its deletion', async () => {
    const changing = await chatOf(['first wording', 'stays as it is']);
    await api.patch(`${changing}/messages/1`, { body: 'second wording' });
    await vi.waitFor(async () => expect(await numbers(changing, 'second')).toEqual([1]), settled);
    expect(await numbers(changing, 'first')).toEqual([]);
    await api.delete(`${changing}/messages/1`);
    await vi.waitFor(async () => expect(await numbers(changing, 'wording')).toEqual([]), settled);
    expect(await numbers(changing, 'stays')).toEqual([2]);
  });

  test('a message matches in its own chat and application only', async () => {
    const application = await api.newApplication();
    const here = await chatOf(['common here'], application);
    const there = await chatOf(['common there'], application);
    const elsewhere = await chatOf(['common elsewhere']);
    expect((await page(inChat(here, 'common'))).data).toMatchObject([{ body: 'common here' }]);
    expect((await page(inChat(there, 'common'))).data).toMatchObject([{ body: 'common there' }]);
    expect((await page(inChat(elsewhere, 'common'))).data).toMatchObject([{ body: 'common elsewhere' }]);
    expect((await page(inApplication(application, 'common'))).total).toBe(2);
  });
});

describe('a match', () => {
  test('a match is the message with its highlight, as HTML text', async () => {
    const chat = await chatOf([`<b>bold</b> & "quoted" 'B'`]);
    const { body: message } = await api.get<Message>(`${chat}/messages/1`);
    expect(await page(inChat(chat, '<B>'))).toEqual({
      data: [{ ...message, highlight: '<em>&lt;b&gt;</em>bold&lt;/b&gt; &amp; &quot;quoted&quot; &#39;B&#39;' }],
      next: null,
      total: 1,
    });
    expect((await page(inChat(chat, 'B'))).data[0]?.highlight).toBe(
      '&lt;<em>b</em>&gt;<em>b</em>old&lt;/<em>b</em>&gt; &amp; &quot;quoted&quot; &#39;<em>B</em>&#39;',
    );
    expect(await numbers(chat, 'amp')).toEqual([]);
    expect(await numbers(chat, 'quot;')).toEqual([]);
  });

  test('matches in a text are marked leftmost first, without overlaps', async () => {
    const chat = await chatOf(['aAaaa', 'ababab']);
    expect((await page(inChat(chat, 'aa'))).data.map(({ highlight }) => highlight)).toEqual([
      '<em>aA</em><em>aa</em>a',
    ]);
    expect((await page(inChat(chat, 'aba'))).data.map(({ highlight }) => highlight)).toEqual(['<em>aba</em>bab']);
  });

  test('a match in an application names its chat', async () => {
    const application = await api.newApplication();
    const chat = await chatOf(['findable'], application);
    const { body: message } = await api.get<Message>(`${chat}/messages/1`);
    expect(await page(inApplication(application, 'INDA'))).toEqual({
      data: [{ ...message, chat_number: 1, highlight: 'f<em>inda</em>ble' }],
      next: null,
      total: 1,
    });
  });
});

describe('matches come newest first', () => {
  test('matches in a chat are listed newest first by number, page by page, each once', async () => {
    const chat = await api.newChat();
    await api.send(chat, ...Array.from({ length: 57 }, (_, i) => `needle ${i + 1}`));
    await searchable(chat, 'needle', 57);
    const expected = Array.from({ length: 57 }, (_, i) => 57 - i);
    for (const limit of [1, 10, 57, 100])
      expect((await api.all<ChatMatch>(inChat(chat, 'needle', `&limit=${limit}`))).map(({ number }) => number)).toEqual(
        expected,
      );
    const { data, next, total } = await page(inChat(chat, 'needle'));
    expect([data.length, total, next]).toEqual([20, 57, expect.any(String)]);
    expect((await page(inChat(chat, 'needle', '&limit=57'))).next).toBeNull();
  });

  test('matches are listed newest first, whatever order is requested', async () => {
    const chat = await chatOf(['same 1', 'same 2', 'same 3']);
    for (const order of ['asc', 'desc', 'up'])
      expect((await page(inChat(chat, 'same', `&order=${order}`))).data.map(({ number }) => number)).toEqual([3, 2, 1]);
  });

  test('matches in an application are listed newest first by time, chat and number', async () => {
    const application = await api.newApplication();
    const chats = [await api.newChat(application), await api.newChat(application), await api.newChat(application)];
    for (let round = 0; round < 6; round++)
      await Promise.all(chats.map((chat) => api.send(chat, 'scattered', 'scattered', 'other', 'scattered')));
    await vi.waitFor(async () => expect((await page(inApplication(application, 'scatter'))).total).toBe(54), settled);
    const key = ({ created_at, chat_number, number }: ApplicationMatch) =>
      `${created_at} ${String(chat_number).padStart(5, '0')} ${String(number).padStart(5, '0')}`;
    for (const limit of [1, 7, 100]) {
      const matches = await api.all<ApplicationMatch>(inApplication(application, 'scatter', `&limit=${limit}`));
      expect(matches).toHaveLength(54);
      expect(matches.map(key)).toEqual([...new Set(matches.map(key))].sort().reverse());
    }
  });
});

describe('more than 10,000 matches', () => {
  const count = 10_150;
  let application: string;
  let chat: string;
  beforeAll(async () => {
    application = await api.newApplication();
    chat = await api.newChat(application);
    for (let sent = 0; sent < count; sent += 1_000) {
      const messages = Array.from({ length: Math.min(1_000, count - sent) }, (_, i) => ({
        body: `dense ${sent + i + 1}`,
      }));
      expect((await api.post<Messages>(`${chat}/messages/batch`, { messages })).status).toBe(201);
    }
    await vi.waitFor(async () => {
      let total = 0;
      for (let digit = 1; digit <= 9; digit++) total += (await page(inChat(chat, `dense ${digit}`))).total;
      expect(total).toBe(count);
    }, settled);
  });

  test.each([
    ['a chat', () => inChat(chat, 'dense', '&limit=100')],
    ['an application', () => inApplication(application, 'dense', '&limit=100')],
    ['a chat, by one character', () => inChat(chat, 'E', '&limit=100')],
  ])('more than 10,000 matches of %s are counted as a minimum, and all can be reached', async (_what, path) => {
    expect(await page(path())).toMatchObject({ total: 10_000, total_is_minimum: true });
    const matches = await api.all<ChatMatch>(path());
    expect(matches.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, i) => count - i));
  });

  test('a total of up to 10,000 matches is exact', async () => {
    const { total, ...rest } = await page(inChat(chat, 'dense 1'));
    expect([total, rest]).toEqual([
      1 + 10 + 100 + 1_000 + 151,
      expect.not.objectContaining({ total_is_minimum: true }),
    ]);
  });
});

describe('an invalid search', () => {
  test.each([
    ['without q', ''],
    ['with an empty q', 'q='],
    ['with a q of 257 characters', `q=${'x'.repeat(257)}`],
    ['with a q of 257 characters beyond the BMP', `q=${encodeURIComponent('😀'.repeat(257))}`],
  ])('a search is refused %s', async (_what, query) => {
    const application = await api.newApplication();
    const chat = await api.newChat(application);
    expect(await api.get(`${chat}/messages/search?${query}`)).toBeProblem(422, 'validation_failed', 'q');
    expect(await api.get(`${application}/search?${query}`)).toBeProblem(422, 'validation_failed', 'q');
  });

  test.each(['0', '101', '-1', 'x', ''])('a search is refused with limit=%s', async (limit) => {
    const chat = await api.newChat();
    expect(await api.get(inChat(chat, 'x', `&limit=${limit}`))).toBeProblem(422, 'validation_failed', 'limit');
  });

  test('a search is refused with the cursor of another q, chat or route', async () => {
    const application = await api.newApplication();
    const bodies = ['shared words', 'shared words', 'shared words'];
    const [chat, other] = [await chatOf(bodies, application), await chatOf(bodies, application)];
    const searches = [
      inChat(chat, 'shared'),
      inChat(chat, 'share'),
      inChat(chat, 'SHARED'),
      inChat(other, 'shared'),
      inApplication(application, 'shared'),
      inApplication(application, 'words'),
    ];
    await vi.waitFor(async () => {
      for (const each of searches) expect((await page(each)).total).toBeGreaterThanOrEqual(3);
    }, settled);
    for (const from of searches) {
      const { next } = await page(`${from}&limit=1`);
      for (const to of searches) {
        const answer = await api.get(`${to}&limit=1&cursor=${next}`);
        if (to === from) expect(answer.status).toBe(200);
        else expect(answer, `${from} → ${to}`).toBeProblem(422, 'validation_failed', 'cursor');
      }
    }
  });

  test('a search is accepted with the longest q', async () => {
    const longest = '😀é'.repeat(128);
    const chat = await chatOf([`before ${longest} after`]);
    expect(await numbers(chat, longest)).toEqual([1]);
  });
});

test('a search of a chat without messages finds nothing', async () => {
  const application = await api.newApplication();
  const chat = await api.newChat(application);
  for (const path of [inChat(chat, 'x'), inApplication(application, 'x')])
    expect((await api.get(path)).body).toEqual({ data: [], next: null, total: 0 });
});
