import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { OperationId, Route } from '../../../lib/api/routes.ts';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Answer } from '../../support/client/client.ts';
import { oldCursor, testCursors } from '../../support/client/cursors.ts';
import {
  decodedCursor,
  extremePositions,
  extremes,
  listFor,
  listing,
  operations,
  paramsOf,
  queryOf,
} from '../../support/client/isolation.ts';
import { deployment, onStack, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';

// The requests are derived from the route table, so a new route with a cursor, number, id or key is tested too.

const api = await deployment();

/** A text in every name and body of the neighbours and of our own other chats. */
const marker = `neighbour${randomBytes(8).toString('hex')}`;
/** A text in every message, short enough to use the index of the shortest texts. */
const common = 's';

interface Application {
  token: string;
  path: string;
}
let mine: Application;
let neighbours: [before: Application, after: Application];
/** Everything that a response to us must not contain. */
let foreign: string[];
let neighboursAtFirst: unknown;

const applicationOf = (path: string): Application => ({ path, token: path.split('/')[2] as string });

/**
 * Returns what the neighbours see of their own data, without the counts, which change at each roll-up. Sends one
 * request at a time, as `lanes` explains.
 */
async function seenByNeighbours(): Promise<unknown> {
  const all: unknown[] = [];
  for (const { path } of neighbours) {
    const lists = [1, 2, 3].map((chat) => `${path}/chats/${chat}/messages`);
    all.push((await api.get(path)).body);
    for (const list of [`${path}/chats`, ...lists, `${path}/search?q=${common}`]) all.push(await api.all(list));
  }
  return JSON.parse(JSON.stringify(all, (name, value) => (name.endsWith('_count') ? undefined : value)));
}

beforeAll(async () => {
  const made: Application[] = [];
  for (const name of [marker, 'mine', marker]) made.push(applicationOf(await api.newApplication(name)));
  const [before, own, after] = made as [Application, Application, Application];
  [mine, neighbours] = [own, [before, after]];
  foreign = [marker, before.token, after.token];
  // Creates in turn and waits until each is stored, so that ours are in the middle in whatever order an engine keeps
  // them.
  for (const chat of [1, 2, 3])
    for (const { path } of made) {
      const name = path === mine.path && chat === 1 ? 'mine' : marker;
      expect((await api.post(`${path}/chats`, { name })).status).toBe(201);
      await api.send(`${path}/chats/${chat}`, ...[1, 2, 3].map((i) => `some ${name} ${i}`));
      const found = `${path}/chats/${chat}/messages/search?q=${common}`;
      await vi.waitFor(async () => expect((await api.get(found)).body).toMatchObject({ total: 3 }), settled);
    }
  neighboursAtFirst = await seenByNeighbours();
});

/**
 * Returns the path of a route, with our token and the number 1 for its parameters, except for those in `given`.
 */
const pathOf = ({ path }: Route, given: Record<string, string> = {}) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => given[name] ?? (name === 'token' ? mine.token : '1'));
/** A payload that every route accepts. */
const payload = { name: 'walk', body: 'walk', messages: [{ body: 'walk' }] };
const sends = ({ method }: Route) => method === 'POST' || method === 'PATCH';
/**
 * Concurrent requests. The stack gets one at a time, because its emulator starts a process for each concurrent call of
 * a function.
 */
const lanes = onStack ? 1 : 8;
/** Returns all values or, on the stack, every third: its handlers are the same and ten times as slow. */
const some = <Value>(values: Value[]): Value[] => values.filter((_, i) => !onStack || i % 3 === 0);
/** Returns the number that a create returned; of a batch, the first one. */
function numberIn(answer: Answer | undefined): number {
  const { number, data } = (answer?.body ?? {}) as { number?: number; data?: { number: number }[] };
  return number ?? data?.[0]?.number ?? Number.NaN;
}
/** Returns whether a route is for operators, who see every application. */
const isOperators = ({ admin }: Route) => admin === true;

/** Fails when a response contains data of the neighbours or is a 5xx. */
function expectNothingForeign(what: string, { status, body, headers }: Answer, route: Route): void {
  expect(status, what).toBeLessThan(500);
  if (isOperators(route)) return;
  const text = JSON.stringify([body, [...headers]]);
  // A route of one chat must not show our other chats; a route of the application may.
  const hidden = paramsOf(route).includes('chat_number') ? foreign : foreign.slice(1);
  for (const each of hidden) expect(text, what).not.toContain(each);
}

/** Sends the requests, a few at a time, and fails when a response contains data of the neighbours. */
async function walk(route: Route, requests: { path: string; headers?: Record<string, string> }[]): Promise<Answer[]> {
  return concurrently(requests.length, lanes, async (i) => {
    const { path, headers = {} } = requests[i] as { path: string; headers?: Record<string, string> };
    const answer = await api.call(route.method, path, { ...(sends(route) && { body: payload }), headers });
    expectNothingForeign(`${route.method} ${path}`, answer, route);
    return answer;
  });
}

const queryFor = (route: Route, given: Record<string, string> = {}): string => {
  const query = { ...(queryOf(route).includes('q') && { q: common }), ...given };
  return `?${new URLSearchParams(query)}`;
};

describe('no request shows data of another application', () => {
  const numbered = operations.flatMap(([id, route]) =>
    paramsOf(route)
      .filter((name) => name !== 'token')
      .map((name) => [id, name, route] as const),
  );

  test.each(numbered)('no number in the path shows data of another application: %s, %s', async (_id, name, route) => {
    const spelled = [...extremes, '01', '+2', '2.0', '2e0', '0x2', '२', ' 2', '2,3', '2%00', '*', '-', 'null'];
    const requests = some(spelled).map((value) => ({
      path: pathOf(route, { [name]: encodeURIComponent(value) }) + queryFor(route),
    }));
    for (const { status } of await walk(route, requests)) expect([404, 422]).toContain(status);
  });

  const tokened = operations.filter(([, route]) => paramsOf(route).includes('token'));
  test.each(tokened)('no unknown token in the path shows data of an application: %s', async (_id, route) => {
    const { token } = mine;
    const [before, after] = neighbours.map((each) => each.token.toLowerCase()) as [string, string];
    const tokens = [token.slice(0, -1), `${token}A`, ` ${token}`, `${token} `, `${token}\0`, token.slice(1), '%', '_'];
    const spelled = [...tokens, '*', `' OR '1'='1`, `${token}' --`, '{}', '[]', 'null', before, after];
    const requests = some(spelled).map((value) => ({
      path: pathOf(route, { token: encodeURIComponent(value) }) + queryFor(route),
    }));
    for (const answer of await walk(route, requests)) expect(answer).toBeProblem(404, 'application_not_found');
  });

  const asked = operations.flatMap(([id, route]) =>
    queryOf(route)
      .filter((name) => name !== 'cursor')
      .map((name) => [id, name, route] as const),
  );
  test.each(asked)('no query parameter shows data of another application: %s, %s', async (_id, name, route) => {
    const spelled = [...extremes, '%', '_', '*', '"', "' OR 1=1 --", 'asc, token', marker, neighbours[0].token];
    await walk(
      route,
      some(spelled).map((value) => ({ path: pathOf(route) + queryFor(route, { limit: '100', [name]: value }) })),
    );
  });

  const keyed = operations.filter(([, { method }]) => method === 'POST');
  test.each(keyed.filter(([, route]) => !isOperators(route)))(
    'an Idempotency-Key of another application gets no response of that application: %s',
    async (_id, route) => {
      const headers = { 'idempotency-key': randomUUID() };
      const [, , token = ''] = (await api.newChat()).split('/');
      const theirs = await api.call(route.method, pathOf(route, { token }), { body: payload, headers });
      expect(theirs.status).toBe(201);
      // A replay of the neighbour's response would contain its number instead of our next one.
      const path = pathOf(route, { chat_number: '2' });
      const [before] = await walk(route, [{ path }]);
      const [ours] = await walk(route, [{ path, headers }]);
      expect([before?.status, ours?.status]).toEqual([201, 201]);
      expect(numberIn(ours)).toBe(numberIn(before) + 1);
    },
  );

  test.each(keyed.filter(([, route]) => isOperators(route)))(
    'no guessed Idempotency-Key shows data of another application: %s',
    async (_id, route) => {
      for (const key of ['1', 'test', 'create-application-1', 'k'.repeat(255)]) {
        const send = () =>
          api.call(route.method, pathOf(route), { body: payload, headers: { 'idempotency-key': key } });
        const [theirs, ours] = [await send(), await send()];
        // All holders of the admin key are one caller, and the contract accepts any key of theirs.
        if (process.env.CHAT_SYSTEM_ADMIN_KEY) expect([theirs.status, ours.status]).toEqual([201, 201]);
        else for (const each of [theirs, ours]) expect(each).toBeProblem(422, 'validation_failed', 'Idempotency-Key');
      }
    },
  );
});

describe('a cursor that the system did not make for the list', () => {
  type List = [route: Route, given?: Record<string, string>, query?: Record<string, string>];
  /** A page of changes has a cursor only within a version, after which it must be requested with the same limit. */
  const pageOf = ({ tag }: Route, limit: string) => (tag === 'changes' ? { limit: '1', after: '0' } : { limit });
  const firstPage = async (...[route, given = {}, query = {}]: List) => {
    const path = pathOf(route, given) + queryFor(route, { ...pageOf(route, '1'), ...query });
    const { status, body } = await api.get<{ next?: string | null; cursor?: string }>(path);
    expect(status, path).toBe(200);
    return body.next ?? body.cursor ?? null;
  };
  /** Expects that the route refuses each of the cursors. */
  const expectRefused = async (route: Route, cursors: (string | null)[]) => {
    const given = cursors.filter((cursor) => cursor !== null);
    const requests = given.map((cursor) => ({
      path: pathOf(route) + queryFor(route, { ...pageOf(route, '100'), cursor }),
    }));
    for (const [i, answer] of (await walk(route, requests)).entries()) {
      expect(answer, given[i]).toBeProblem(422, 'validation_failed', 'cursor');
      // Operators see every application, but not with an invalid cursor.
      for (const each of foreign) expect(JSON.stringify(answer.body)).not.toContain(each);
    }
    expect(given.length).toBeGreaterThan(0);
  };
  /** Returns the parts of a list as the first releases encoded them in cursors that any client could forge. */
  const oldList = (id: OperationId, route: Route): unknown[] => {
    const parts = paramsOf(route).map((name) => (name === 'token' ? mine.token : 1));
    const filters = queryOf(route).includes('q')
      ? [common]
      : queryOf(route).includes('after')
        ? ['asc', null, null]
        : ['asc'];
    return [id, ...parts, ...filters];
  };

  test.each(listing)('a cursor of another list is refused: %s', async (id, route) => {
    const [before, after] = neighbours;
    const others = listing.filter(([each]) => each !== id);
    const has = (name: string) => paramsOf(route).includes(name) || queryOf(route).includes(name);
    const lists: List[] = [
      ...(has('token') ? [before, after] : []).map(({ token }): List => [route, { token }]),
      ...(has('chat_number') ? ['2', '3'] : []).map((number): List => [route, { chat_number: number }]),
      ...(has('q') ? ['o', 'some'] : []).map((q): List => [route, {}, { q }]),
      ...Object.entries({ order: 'desc', after: '0', before: '4' })
        .filter(([name]) => has(name) && route.tag !== 'changes')
        .map(([name, value]): List => [route, {}, { [name]: value }]),
      ...others.map(([, other]): List => [other]),
    ];
    const cursors = await concurrently(lists.length, lanes, (i) => firstPage(...(lists[i] as List)));
    await expectRefused(route, cursors);
  });

  test.each(listing)('a cursor that a client made is refused: %s', async (id, route) => {
    const params = Object.fromEntries(paramsOf(route).map((name) => [name, name === 'token' ? mine.token : '1']));
    const list = listFor(id, params, {
      ...(queryOf(route).includes('q') && { q: common }),
      ...(route.tag === 'changes' && pageOf(route, '1')),
    });
    // Where the versions of the list have one change each, the system makes no cursor for it.
    const real = (await firstPage(route)) ?? (await testCursors().encode(list, [0, 1, 1]));
    const [signature, ...position] = decodedCursor(real);
    const positions = some(extremePositions(position));
    const raw = (signed: string, members: string) =>
      Buffer.from(`[${JSON.stringify(signed)}${members && `,${members}`}]`).toString('base64url');
    const signatureOf = (cursor: string) => decodedCursor(cursor)[0];
    const cursors: string[] = [];
    for (const members of [JSON.stringify(position).slice(1, -1), ...positions]) {
      const parsed = JSON.parse(`[${members}]`) as (number | string)[];
      // A cursor as the first releases made it, and one signed with a foreign key.
      cursors.push(raw(signatureOf(oldCursor(oldList(id, route), parsed)), members));
      cursors.push(raw(signatureOf(await testCursors().encode(list, parsed)), members));
      if (members !== JSON.stringify(position).slice(1, -1)) cursors.push(raw(signature, members));
    }
    for (const other of ['', 'A', signature.slice(1), `${signature}A`, signature.toLowerCase()])
      cursors.push(raw(other, JSON.stringify(position).slice(1, -1)));
    cursors.push(raw(signature, ''), Buffer.from(JSON.stringify(position)).toString('base64url'));
    await expectRefused(
      route,
      cursors.filter((cursor) => cursor !== real),
    );
  });

  test.each(listing.filter(([id]) => id === 'searchChat' || id === 'listMessages'))(
    'a cursor that differs in any character is refused: %s',
    async (_id, route) => {
      const real = String(await firstPage(route));
      const changed = [...real].map(
        (character, i) => `${real.slice(0, i)}${character === 'A' ? 'B' : 'A'}${real.slice(i + 1)}`,
      );
      const cut = [1, 2, 10].map((by) => real.slice(0, -by));
      await expectRefused(route, [...changed, ...cut, `${real}A`, `${real}=`, ` ${real}`, `${real}\n`]);
      // The unchanged cursor is accepted.
      expect((await api.get(`${pathOf(route)}${queryFor(route, { limit: '100', cursor: real })}`)).status).toBe(200);
    },
  );
});

test('the other applications are unchanged after all requests', async () => {
  expect(await seenByNeighbours()).toEqual(neighboursAtFirst);
});
