import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { perQueueService } from '../../../functions/queues.ts';
import type { HttpHandler } from '../../../functions/runtime/http/operation.ts';
import type { Services } from '../../../functions/runtime/services.ts';
import { searchWorker } from '../../../functions/workers/search.ts';
import { storeWorker } from '../../../functions/workers/store.ts';
import { Access } from '../../../lib/access/access.ts';
import { AccessTokens, type Claims } from '../../../lib/access/access-tokens.ts';
import type { ProblemCode } from '../../../lib/api/problems.ts';
import { methodsOf, type OperationId, type Route, routes, takesKey } from '../../../lib/api/routes.ts';
import { recordsOf } from '../../../lib/ledger/store-records.ts';
import { type Holder, type Permission, permissions } from '../../../lib/model/holder.ts';
import { newToken } from '../../../lib/model/token.ts';
import type { Write } from '../../../lib/model/write.ts';
import { once } from '../../../lib/once.ts';
import { fixedSecret } from '../../../lib/system-secret.ts';
import { loadOperations } from '../../../local/operations.ts';
import { concurrently } from '../../support/basics/concurrently.ts';
import { type Answered, answer, apiEvent, type RequestParts } from '../../support/client/api-event.ts';
import { testCursors, testSecret } from '../../support/client/cursors.ts';
import { deliver } from '../../support/servers/batch.ts';

export interface AccessUnderTest {
  services: Pick<Services, 'ledger' | 'store' | 'searchIndex'>;
  /** Returns the writes that were accepted since the last call. */
  accepted: () => Promise<Write[]>;
  /** Makes what was indexed visible to searches. */
  refreshed: () => Promise<void>;
  /** Whether each call takes milliseconds. Then a seventh of the requests is tried. */
  isRemote: boolean;
  close: () => Promise<void>;
}

/**
 * The permission that an access token needs on each route, according to the contract. `read all` is the permission to
 * read, and an access token without `chats`. `never`: no access token may use the route. The tests are derived from the
 * route table and compare it with this table. A route that is missing here is a compile error.
 */
const contract = {
  createApplication: 'no token',
  listApplications: 'no token',
  getApplication: 'read',
  editApplication: 'never',
  deleteApplication: 'never',
  createAccessToken: 'never',
  endAccessTokens: 'never',
  createChat: 'never',
  listChats: 'read',
  getChat: 'read',
  editChat: 'never',
  deleteChat: 'never',
  createMessage: 'create',
  createMessages: 'create',
  listMessages: 'read',
  listChatChanges: 'read',
  listApplicationChanges: 'read all',
  searchChat: 'read',
  getMessage: 'read',
  editMessage: 'edit',
  deleteMessage: 'edit',
  searchApplication: 'read all',
  getFeed: 'read',
  getHealth: 'no token',
  getOpenapi: 'no token',
  getDocs: 'no token',
  getConsole: 'no token',
} satisfies Record<OperationId, Permission | 'read all' | 'never' | 'no token'>;

const operations = (Object.keys(routes) as OperationId[]).filter((id) => contract[id] !== 'no token');
const routeOf = (id: OperationId): Route => routes[id];

/** The bodies of the routes that take one. Each claims a sender, which an access token must not be able to choose. */
const bodies: Partial<Record<OperationId, object>> = {
  editApplication: { name: 'changed' },
  createAccessToken: {},
  createChat: { name: 'new' },
  editChat: { name: 'changed' },
  createMessage: { body: 'new', sender: 'eve' },
  createMessages: { messages: [{ body: 'new', sender: 'eve' }, { body: 'new' }] },
  editMessage: { body: 'changed' },
};

// Every application of the tests has the chats 1 and 2 with a message of each of these senders. Chat 7 does not exist.
const senders = ['ada', 'bob', null];
const chats = [1, 2];
const missing = 7;
/** The chats of access tokens that are limited. Chat 5 does not exist. */
const some = [1, 5];
/** In the name and the messages of chat 2 only. */
const marker = 'hidden';

type Outcome = [status: number, code: ProblemCode | undefined];

/** Where a request goes. */
interface Place {
  chat?: number;
  message?: number;
}

/** What a credential allows: everything, what the holder of an access token may do, or nothing but this refusal. */
type Standing = 'everything' | Holder | Extract<ProblemCode, `access_token_${string}`>;

/** How a request is made: its path parameter and its headers. */
interface To {
  token: string;
  headers: Record<string, string>;
}

interface Credential {
  name: string;
  standing: Standing;
  of: (token: string) => Promise<To>;
}

/** The existing messages of a chat: their senders by number. */
type Chats = Map<number, Map<number, string | null>>;

/** Returns what the contract says about a request, checked in its order. */
function outcome(id: OperationId, standing: Standing, { chat, message }: Place, existing: Chats): Outcome {
  const needs = contract[id];
  const limited = typeof standing === 'object' ? standing.chats : null;
  if (typeof standing === 'object') {
    const permission = needs === 'read all' ? 'read' : needs;
    if (!standing.can.some((can) => can === permission)) return [403, 'not_allowed'];
    if (needs === 'read all' && limited) return [403, 'not_allowed'];
  } else if (standing !== 'everything') return [401, standing];
  const messages = chat === undefined ? undefined : existing.get(chat);
  if (chat !== undefined && (!messages || (limited && !limited.includes(chat)))) return [404, 'chat_not_found'];
  if (message !== undefined) {
    const sender = messages?.get(message);
    if (sender === undefined) return [404, 'message_not_found'];
    if (typeof standing === 'object' && needs === 'edit' && (sender === null || sender !== standing.sender))
      return [403, 'not_allowed'];
  }
  return [routeOf(id).response.status, undefined];
}

const asOutcome = ({ status, json }: Answered): Outcome => [status, json.code as ProblemCode | undefined];

/** Returns a response without the parts that differ in every response, and with N in place of the chat number. */
const comparable = ({ status, headers, text }: Answered, chat: number) => ({
  status,
  headers: { ...headers, 'x-request-id': '' },
  text: text.replace(/"request_id":"[^"]*"/, '').replaceAll(`chat ${chat};`, 'chat N;'),
});

/** The contract of access tokens, on the services of every engine. */
export function accessContract(name: string, open: () => Promise<AccessUnderTest>): void {
  describe(`access, ${name}`, () => {
    let opened: AccessUnderTest;
    let handlers: Map<OperationId, HttpHandler>;
    let calls: string[] = [];
    const tokens = new AccessTokens(fixedSecret(testSecret));

    /** Returns the service, with a record of each call. */
    const recorded = <Service extends object>(service: Service): Service =>
      new Proxy(service, {
        get: (target, method) => {
          const member = Reflect.get(target, method, target) as unknown;
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            calls.push(String(method));
            return member.apply(target, args) as unknown;
          };
        },
      });

    beforeAll(async () => {
      opened = await open();
      const services = {
        ledger: recorded(opened.services.ledger),
        store: recorded(opened.services.store),
        searchIndex: recorded(opened.services.searchIndex),
      };
      handlers = await loadOperations({
        ...services,
        cursors: testCursors(),
        feed: { origins: [], transports: async () => [] },
        access: new Access({ tokens, ledger: services.ledger, keptMs: 0 }),
        adminKey: undefined,
      });
    });
    afterAll(() => opened.close());

    /** Stores and indexes everything that was accepted. */
    const settle = async () => {
      const { store, searchIndex, ledger } = opened.services;
      const toSearch: string[] = [];
      const services = {
        ...perQueueService(() => ({
          send: async (records: string[]) => void toSearch.push(...records),
          addDeadLetters: async () => expect.fail('a record is poison'),
        })),
        ...{ store, searchIndex, ledger },
      };
      const writes = await opened.accepted();
      const records = recordsOf(writes, []);
      if (writes.length > 0) expect(await deliver(storeWorker(services), ...records)).toEqual([]);
      if (toSearch.length > 0) expect(await deliver(searchWorker(services), ...toSearch)).toEqual([]);
      await opened.refreshed();
    };

    const newApplication = async () => {
      const { ledger } = opened.services;
      const { token } = await ledger.createApplication('an application');
      for (const chat of chats) {
        const text = chat === 1 ? 'seen' : marker;
        await ledger.createChat(token, { name: text, metadata: null });
        const contents = senders.map((sender) => ({ sender, body: `words, ${text}`, metadata: null }));
        await ledger.createMessages({ token, chat }, contents);
      }
      return token;
    };
    const existing = (): Chats =>
      new Map(chats.map((chat) => [chat, new Map(senders.map((sender, i) => [i + 1, sender]))]));

    const seal = async (token: string, holder: Holder, change: Partial<Claims> = {}) => {
      const generation = (await opened.services.ledger.accessGeneration(token)) ?? 0;
      return tokens.seal({ token, generation, expiresAt: Date.now() + 86_400_000, ...holder, ...change }, Date.now());
    };
    const bearer = (text: string): To => ({ token: 'self', headers: { Authorization: `Bearer ${text}` } });

    const everything: Holder = { sender: 'ada', chats: null, can: [...permissions] };
    /** Each kind of holder: every set of permissions, with and without `chats`, with and without `sender`. */
    const holders: Holder[] = [1, 2, 3, 4, 5, 6, 7].flatMap((set) =>
      [null, some].flatMap((ofChats) =>
        [null, 'ada'].map((sender) => ({
          sender,
          chats: ofChats,
          can: permissions.filter((_, bit) => set & (1 << bit)),
        })),
      ),
    );
    const credentials: Credential[] = [
      {
        name: "the application's token in the path",
        standing: 'everything',
        of: async (token) => ({ token, headers: {} }),
      },
      {
        name: "the application's token in the path, and an access token, which is ignored",
        standing: 'everything',
        of: async (token) => ({ ...bearer(await seal(token, { sender: null, chats: [1], can: ['read'] })), token }),
      },
      { name: "the application's token as a bearer", standing: 'everything', of: async (token) => bearer(token) },
      ...holders.map((holder) => ({
        name: `an access token that can ${holder.can.join(' and ')}, ${holder.chats ? 'in some chats' : 'in all chats'}, with the sender ${holder.sender}`,
        standing: holder,
        of: async (token: string) => bearer(await seal(token, holder)),
      })),
      { name: 'no bearer', standing: 'access_token_required', of: async () => ({ token: 'self', headers: {} }) },
      {
        name: 'an expired access token',
        standing: 'access_token_expired',
        of: async (token) => bearer(await seal(token, everything, { expiresAt: Date.now() })),
      },
      {
        name: 'an access token that was ended',
        standing: 'access_token_invalid',
        of: async (token) => bearer(await seal(token, everything, { generation: await ended(token) })),
      },
      {
        name: 'an access token of a later generation than that of the ledger, which was restored',
        standing: 'access_token_invalid',
        of: async (token) => bearer(await seal(token, everything, { generation: 9e12 })),
      },
      {
        name: 'a tampered access token',
        standing: 'access_token_invalid',
        of: async (token) => {
          const text = await seal(token, everything);
          return bearer(text.slice(0, 60) + (text[60] === 'A' ? 'B' : 'A') + text.slice(61));
        },
      },
      {
        name: 'an access token of a deleted application',
        standing: 'access_token_invalid',
        of: async () => bearer(await ofDeleted()),
      },
      {
        name: 'an access token of an application that never existed',
        standing: 'access_token_invalid',
        of: async () => bearer(await seal(newToken(), everything)),
      },
      { name: "an unknown application's token", standing: 'access_token_invalid', of: async () => bearer(newToken()) },
    ];
    /** Returns a generation of the application that is not current any more. */
    const ended = async (token: string) => {
      const { ledger } = opened.services;
      if ((await ledger.accessGeneration(token)) === 0) await ledger.raiseAccessGeneration(token);
      return ((await ledger.accessGeneration(token)) as number) - 1;
    };
    const ofDeleted = once(async () => {
      const gone = (await opened.services.ledger.createApplication('gone')).token;
      const text = await seal(gone, everything);
      await opened.services.ledger.deleteApplication(gone);
      return text;
    });

    const placesOf = (id: OperationId): Place[] => {
      const params = Object.keys(routeOf(id).params?.().shape ?? {});
      if (!params.includes('chat_number')) return [{}];
      const all = [...chats, 5, missing];
      if (!params.includes('message_number')) return all.map((chat) => ({ chat }));
      return all.flatMap((chat) => [1, 2, 3, 9].map((message) => ({ chat, message })));
    };
    const call = async (id: OperationId, to: To, place: Place, parts: RequestParts = {}) => {
      const handler = handlers.get(id);
      if (!handler) throw new Error(`There is no handler of ${id}`);
      const { chat = 1, message = 1 } = place;
      const params = { token: to.token, chat_number: `${chat}`, message_number: `${message}` };
      const query = id.startsWith('search') ? { q: 'words' } : undefined;
      const headers = { ...to.headers, ...parts.headers };
      return answer(handler, apiEvent(id, { body: bodies[id], ...(query && { query }), ...parts, params, headers }));
    };

    /** Checks that a response to the holder of an access token reveals nothing that it may not see. */
    const expectNothingHidden = ({ text, headers }: Answered, holder: Holder, token: string) => {
      const all = `${text} ${Object.values(headers).join(' ')}`;
      expect(all).not.toContain(token);
      if (holder.chats) expect(all).not.toContain(marker);
      for (const cursor of all.matchAll(/"next":"([\w-]+)"/g))
        expect(Buffer.from(cursor[1] as string, 'base64url').toString()).not.toContain(token);
    };

    const stateOf = async (token: string) => {
      const { ledger, store } = opened.services;
      const lists = chats.map((chat) => store.messages(token, chat, { order: 'asc', limit: 100 }));
      return [await ledger.entries([{ token }, ...chats.map((chat) => ({ token, chat }))]), await Promise.all(lists)];
    };

    test('every route below an application is tested with access tokens', () => {
      const below = Object.entries<Route>(routes).filter(([, { path }]) => path.includes('{token}'));
      expect(below.map(([id]) => id)).toEqual(operations);
    });

    test('every route responds to every kind of holder as the contract says, and refused requests change nothing', async () => {
      const all = operations.flatMap((id) =>
        methodsOf(routeOf(id)).flatMap((method) =>
          credentials.flatMap((credential) => placesOf(id).map((place) => ({ id, method, credential, place }))),
        ),
      );
      // A remote engine gets every seventh case. No route has a multiple of seven places, so all places occur.
      const cases = all.filter((_, i) => !opened.isRemote || i % 7 === 0);
      const changes = ({ id, credential, place }: (typeof cases)[number]) =>
        routeOf(id).method !== 'GET' && outcome(id, credential.standing, place, existing())[1] === undefined;
      const kept = await newApplication();
      const forChanges = await Promise.all(cases.filter(changes).map(newApplication));
      await settle();
      const before = await stateOf(kept);

      const seen: string[] = [];
      const check = async (one: (typeof cases)[number]) => {
        const { id, method, credential, place } = one;
        const { standing } = credential;
        const token = changes(one) ? (forChanges.pop() as string) : kept;
        const answered = await call(id, await credential.of(token), place, { method });
        const what = `${method} ${id} of ${JSON.stringify(place)} with ${credential.name}`;
        expect([what, ...asOutcome(answered)]).toEqual([what, ...outcome(id, standing, place, existing())]);
        seen.push(`${answered.status}`);
        if (typeof standing === 'object') expectNothingHidden(answered, standing, token);
        if (answered.status === 401)
          expect(answered.headers['www-authenticate'], what).toMatch(/^Bearer( error="invalid_token")?$/);
        if (typeof standing === 'object' && answered.status === 201) {
          const { data = [answered.json] } = answered.json as { data?: { sender: unknown }[] };
          for (const message of data) expect(message.sender, what).toBe(standing.sender);
        }
      };
      // Raises the access generation now, because a request that raised it later would end the other access tokens.
      await ended(kept);
      await concurrently(cases.length, 8, (i) => check(cases[i] as (typeof cases)[number]));
      expect(forChanges).toEqual([]);
      expect(new Set(seen)).toEqual(new Set(['200', '201', '204', '401', '403', '404']));
      await settle();
      expect(await stateOf(kept)).toEqual(before);
    });

    test('a hidden chat cannot be told from a missing one by its status, body and headers, or by the services that the request calls', async () => {
      const token = await newApplication();
      await settle();
      const to = bearer(await seal(token, { sender: 'ada', chats: some, can: [...permissions] }));
      for (const id of operations)
        for (const key of takesKey(routeOf(id)) ? [undefined, 'key'] : [undefined])
          for (const message of [1, 9]) {
            if (!placesOf(id).some(({ chat }) => chat === 2)) continue;
            const parts = key ? { headers: { 'Idempotency-Key': key } } : {};
            const answers: unknown[] = [];
            for (const chat of [2, missing]) {
              calls = [];
              const answered = await call(id, to, { chat, message }, parts);
              answers.push([comparable(answered, chat), calls.filter((called) => called !== 'accessGeneration')]);
            }
            expect(answers[0], id).toEqual(answers[1]);
          }
      // The refused requests stored nothing under their Idempotency-Key, so the application's own token can use it.
      const created = await call(
        'createMessage',
        { token, headers: {} },
        { chat: 2 },
        { headers: { 'Idempotency-Key': 'key' } },
      );
      expect(created).toMatchObject({ status: 201, json: { number: 4 } });
    });

    test('the list of chats has a holder’s own chats only, page by page, and its cursors lead to no other list', async () => {
      const token = await newApplication();
      for (const _ of [3, 4, 5, 6]) await call('createChat', { token, headers: {} }, {});
      await settle();
      const limited = bearer(await seal(token, { sender: null, chats: [6, 2, 4, 99], can: ['read'] }));
      const listed = async (to: To, query: Record<string, string>) => {
        const numbers: number[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const page: Answered = await call('listChats', to, {}, { query: { ...query, ...(cursor && { cursor }) } });
          const { data, next } = page.json as { data: { number: number }[]; next: string | null };
          numbers.push(...data.map(({ number }) => number));
          cursor = next;
        }
        return numbers;
      };
      for (const limit of ['1', '2', '50']) {
        expect(await listed(limited, { limit })).toEqual([2, 4, 6]);
        expect(await listed(limited, { limit, order: 'desc' })).toEqual([6, 4, 2]);
        expect(await listed(limited, { limit, after: '2', before: '6' })).toEqual([4]);
        expect(await listed({ token, headers: {} }, { limit })).toEqual([1, 2, 3, 4, 5, 6]);
      }
      const cursorOf = async (to: To) =>
        (await call('listChats', to, {}, { query: { limit: '1' } })).json.next as string;
      const renewed = bearer(await seal(token, { sender: 'bob', chats: [2, 4, 6, 99, 2], can: ['read', 'create'] }));
      const other = bearer(await seal(token, { sender: null, chats: [1, 2], can: ['read'] }));
      const all = bearer(await seal(token, everything));
      const status = async (to: To, cursor: string) =>
        (await call('listChats', to, {}, { query: { cursor, limit: '1' } })).status;
      expect(await status(renewed, await cursorOf(limited))).toBe(200);
      expect(await status(all, await cursorOf({ token, headers: {} }))).toBe(200);
      for (const to of [other, all, { token, headers: {} }])
        expect(await status(to, await cursorOf(limited))).toBe(422);
      for (const to of [other, limited]) expect(await status(to, await cursorOf(all))).toBe(422);
    });

    test('a cursor that is not valid is refused before the permission and the existence of the chat are checked', async () => {
      const token = await newApplication();
      await settle();
      const mayNot = bearer(await seal(token, { ...everything, can: ['create'] }));
      const limited = bearer(await seal(token, { ...everything, chats: some }));
      const paged = operations.filter((id) => 'cursor' in (routeOf(id).query?.().shape ?? {}));
      expect(paged.length).toBeGreaterThan(3);
      const code = async (id: OperationId, to: To, chat: number, cursor?: string) => {
        const query = { ...(id.startsWith('search') && { q: 'words' }), ...(cursor && { cursor }) };
        return (await call(id, to, { chat }, { query })).json.code;
      };
      for (const id of paged) {
        expect(await code(id, mayNot, 1), id).toBe('not_allowed');
        for (const [to, chat] of [
          [mayNot, 1],
          [limited, 2],
          [limited, 5],
          [bearer(token), missing],
        ] as const)
          expect(await code(id, to, chat, 'invented'), id).toBe('validation_failed');
      }
    });

    test('an access token shows the application without the application’s token, and without the count if it is limited to chats', async () => {
      const token = await newApplication();
      await settle();
      const shown = async (holder: Holder) =>
        Object.keys((await call('getApplication', bearer(await seal(token, holder)), {})).json);
      const times = ['created_at', 'updated_at'];
      expect(await shown({ ...everything, chats: some })).toEqual(['name', ...times]);
      expect((await shown(everything)).sort()).toEqual(['chats_count', 'name', ...times].sort());
      expect((await call('getApplication', bearer(token), {})).json).toMatchObject({ token, chats_count: 0 });
    });

    test('an Idempotency-Key belongs to the sender of the access token, and to the application’s own token', async () => {
      const token = await newApplication();
      const parts = { headers: { 'Idempotency-Key': 'the same' }, body: { body: 'the same' } };
      const as = async (holder: Partial<Holder>) => bearer(await seal(token, { ...everything, ...holder }));
      const numberOf = async (to: To, more: RequestParts = {}) =>
        (await call('createMessage', to, { chat: 1 }, { ...parts, ...more })).json.number;
      expect(await numberOf(await as({}))).toBe(4);
      expect(await numberOf(await as({ sender: 'bob' }))).toBe(5);
      expect(await numberOf(await as({ sender: null }))).toBe(6);
      expect(await numberOf({ token, headers: {} })).toBe(7);
      expect(await numberOf(bearer(token))).toBe(7);
      // A renewed access token, which need not have the same chats.
      expect(await numberOf(await as({ chats: some }))).toBe(4);
      const reused = await call('createMessage', await as({}), { chat: 1 }, { ...parts, body: { body: 'other' } });
      expect(reused).toMatchObject({ status: 422, json: { code: 'idempotency_key_reused' } });
    });

    test('the sender in the body of a holder’s request is ignored, even if it is not valid', async () => {
      const token = await newApplication();
      const to = bearer(await seal(token, everything));
      for (const sender of ['eve', null, 7, '', { of: 'eve' }]) {
        const message = { body: 'words', sender };
        const one = await call('createMessage', to, { chat: 1 }, { body: message });
        expect(one).toMatchObject({ status: 201, json: { sender: 'ada', body: 'words' } });
        const batch = await call(
          'createMessages',
          to,
          { chat: 1 },
          { body: { messages: [message, { body: 'more' }] } },
        );
        expect(batch).toMatchObject({ status: 201, json: { data: [{ sender: 'ada' }, { sender: 'ada' }] } });
        const own = await call('createMessage', bearer(token), { chat: 1 }, { body: message });
        expect(own.status).toBe(sender === 'eve' || sender === null ? 201 : 422);
      }
      for (const body of [[], [1], 'text', 7, { messages: 7 }, { messages: [7, [], null] }])
        for (const id of ['createMessage', 'createMessages'] as const)
          expect((await call(id, to, { chat: 1 }, { body: JSON.stringify(body) })).status).toBe(422);
    });

    test('a holder cannot edit a message that is accepted but not stored yet, but the application’s own token can', async () => {
      const token = await newApplication();
      await settle();
      const to = bearer(await seal(token, everything));
      const { number } = (await call('createMessage', to, { chat: 1 })).json as { number: number };
      for (const id of ['editMessage', 'deleteMessage'] as const) {
        const pending = await call(id, to, { chat: 1, message: number });
        expect(pending).toMatchObject({ status: 404, json: { code: 'message_pending' } });
        expect(pending.headers['Retry-After']).toBe('1');
      }
      expect((await call('editMessage', bearer(token), { chat: 1, message: number })).status).toBe(200);
      await settle();
      expect((await call('deleteMessage', to, { chat: 1, message: number })).status).toBe(204);
    });

    test('a holder’s edit or deletion of a deleted message gets a 404 at once, whoever sent the message', async () => {
      const token = await newApplication();
      const deleting = await newApplication();
      await settle();
      const ledgerOf = opened.services.ledger;
      const to = bearer(await seal(token, everything));
      const { number } = (await call('createMessage', to, { chat: 1 })).json as { number: number };
      const all = [1, 2, 3, number];
      for (const message of all) await ledgerOf.deleteMessage({ token, chat: 1, number: message });
      await ledgerOf.deleteChat({ token, chat: 2 });
      const other = bearer(await seal(deleting, everything));
      await ledgerOf.deleteApplication(deleting);
      // The store has not processed any of these deletions.
      for (const id of ['editMessage', 'deleteMessage'] as const) {
        const code = async (whose: To, chat: number, message: number) =>
          (await call(id, whose, { chat, message })).json.code;
        for (const message of all) expect(await code(to, 1, message), `message ${message}`).toBe('message_not_found');
        for (const message of [1, 2, 9]) expect(await code(to, 2, message), `${message}`).toBe('chat_not_found');
        expect(await code(other, 1, 2)).toBe('access_token_invalid');
      }
    });

    test('a holder cannot edit a message whose sender only looks like the holder’s', async () => {
      const token = await newApplication();
      const alike = ['Ada', 'ada ', ' ada', 'ad\u0061\u0301', 'ad\u00e1', '\uff41da', 'ada\u200b', 'ad'];
      const contents = alike.map((sender) => ({ sender, body: 'words', metadata: null }));
      await opened.services.ledger.createMessages({ token, chat: 1 }, contents);
      await settle();
      for (const sender of ['ada', ...alike]) {
        const to = bearer(await seal(token, { ...everything, sender }));
        for (const [i, of] of alike.entries())
          expect((await call('editMessage', to, { chat: 1, message: 4 + i })).status, `${sender} of ${of}`).toBe(
            sender === of ? 200 : 403,
          );
      }
    });

    test('making an access token queries the ledger once and nothing else, and the access token says what was requested', async () => {
      const token = await newApplication();
      calls = [];
      const asked = { sender: 'ada', chats: [3, 1], can: ['edit', 'read'], expires_in: 600 };
      const { status, json, headers } = await call('createAccessToken', { token, headers: {} }, {}, { body: asked });
      expect(calls).toEqual(['accessGeneration']);
      expect([status, headers['cache-control'], headers.location]).toEqual([201, 'no-store', undefined]);
      const { access_token, expires_at, ...rest } = json as { access_token: string; expires_at: string };
      expect(rest).toEqual({ sender: 'ada', chats: [3, 1], can: ['edit', 'read'] });
      const claims = await tokens.open(access_token);
      expect(claims).toEqual({ token, generation: 0, expiresAt: Date.parse(expires_at), ...rest });
      expect(Math.abs(Date.parse(expires_at) - Date.now() - 600_000)).toBeLessThan(30_000);
    });

    test('ending all access tokens ends those made before and none made after, and not the application’s own token', async () => {
      const token = await newApplication();
      await settle();
      const make = async () =>
        bearer((await call('createAccessToken', { token, headers: {} }, {})).json.access_token as string);
      const status = async (to: To) => (await call('getChat', to, { chat: 1 })).status;
      const before = [await make(), await make()];
      for (const to of before) expect(await status(to)).toBe(200);
      expect((await call('endAccessTokens', { token, headers: {} }, {})).status).toBe(204);
      const after = await make();
      for (const to of before) expect(await status(to)).toBe(401);
      expect([await status(after), await status(bearer(token))]).toEqual([200, 200]);
      expect((await call('endAccessTokens', bearer(token), {})).status).toBe(204);
      expect([await status(after), await status(await make())]).toEqual([401, 200]);
    });

    test('random requests of random holders get the response that the contract says, and nothing hidden is revealed', async () => {
      const step = fc.record({
        id: fc.constantFrom(
          ...operations.filter((id) => !/Application$|^endAccess/.test(id) || id === 'searchApplication'),
        ),
        credential: fc.constantFrom(...credentials),
        chat: fc.constantFrom(...chats, missing),
        message: fc.integer({ min: 1, max: 6 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
          const token = await newApplication();
          await settle();
          const model = existing();
          for (const { id, credential, chat, message } of steps) {
            const params = placesOf(id)[0] as Place;
            const place: Place = { ...('chat' in params && { chat }), ...('message' in params && { message }) };
            const { standing } = credential;
            const expected = outcome(id, standing, place, model);
            const answered = await call(id, await credential.of(token), place);
            expect(asOutcome(answered)).toEqual(expected);
            if (typeof standing === 'object') expectNothingHidden(answered, standing, token);
            if (expected[1] !== undefined) continue;
            const messages = model.get(chat);
            if (id === 'deleteMessage') messages?.delete(message);
            if (id === 'deleteChat') model.delete(chat);
            for (const made of id === 'createMessage'
              ? [answered.json]
              : id === 'createMessages'
                ? (answered.json.data as object[])
                : []) {
              const { number, sender } = made as { number: number; sender: string | null };
              if (typeof standing === 'object') expect(sender).toBe(standing.sender);
              messages?.set(number, sender);
            }
            if (routeOf(id).method !== 'GET') await settle();
          }
        }),
        { numRuns: opened.isRemote ? 3 : 40 },
      );
    });
  });
}
