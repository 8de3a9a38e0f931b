import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpHandler } from '../../functions/runtime/http/operation.ts';
import type { Services } from '../../functions/runtime/services.ts';
import { type OperationId, routes } from '../../lib/api/routes.ts';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';
import { loadOperations } from '../../local/operations.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';
import { decodedCursor, extremePositions, listFor, listing, paramsOf, queryOf } from '../support/client/isolation.ts';
import { applicationWrite, chatWrite, indexed, messageWrite } from '../support/histories/writes.ts';
import { openWorkerServices, type TestServices } from '../support/servers/worker-services.ts';

// Cursors that are signed with the system's own key and have invalid positions. The system never creates one. If it
// did, or if its key leaked, the range checks of each position would still protect other applications.

const cursorOf = ({ next, cursor }: Record<string, unknown>): string => String(next ?? cursor);

/** A text in everything that belongs to the neighbours. */
const marker = 'the-neighbours-own';
const latest = 8.64e15;

describe('an authentic cursor with an invalid position', () => {
  const [before, token, after] = [newToken(), newToken(), newToken()];
  const cursors = testCursors();
  let opened: TestServices;
  let handlers: Map<OperationId, HttpHandler>;

  beforeAll(async () => {
    opened = await openWorkerServices();
    const { store, searchIndex } = opened.services;
    handlers = await loadOperations({
      ...({ store, searchIndex, ledger: {} } as unknown as Services),
      cursors,
      adminKey: undefined,
    });
    for (const [i, each] of [before, token, after].entries()) {
      const own = each === token ? 'mine' : marker;
      await store.merge([
        applicationWrite(each, { at: i, name: own }),
        ...[1, 2].map((chat) => chatWrite(each, chat, { name: own })),
        ...[1, 2].flatMap((chat) => [1, 2].map((number) => messageWrite(each, chat, number, { body: `some ${own}` }))),
      ]);
    }
    // Chats are indexed in turn, so that each has neighbours on both sides.
    for (const chat of [1, 2])
      for (const each of [before, token, after])
        await searchIndex.index(
          [1, 2].map((number) => {
            const body = each === token ? 'some mine' : `some ${marker}`;
            return { token: each, chat, number, ...indexed(body), createdAt: number, updatedAt: number };
          }),
        );
  });
  afterAll(() => opened.file.remove());

  const followsChanges = (id: OperationId) => routes[id].tag === 'changes';
  /** Returns the highest value that the member of a position may have. */
  const highest = (id: OperationId, at: number, members: number): number => {
    // The first is the `after` of the page, which the request repeats, and the second a version.
    if (followsChanges(id)) return [0, Number.MAX_SAFE_INTEGER, limits.highestNumber][at] as number;
    return at > 0 || members === 1 ? limits.highestNumber : latest;
  };
  const queryFor = (id: OperationId): Record<string, string> => ({
    ...(queryOf(routes[id]).includes('q') && { q: 's' }),
    ...(followsChanges(id) ? { after: '0', limit: '1' } : { order: 'asc' }),
  });
  const ask = (id: OperationId, cursor: string, more = '100') => {
    // A cursor of changes is bound to its limit too.
    const limit = followsChanges(id) ? '1' : more;
    const query = { ...queryFor(id), limit, ...(cursor && { cursor }) };
    return answer(handlers.get(id) as HttpHandler, apiEvent(id, { params: { token }, query }));
  };

  test.each(listing.map(([id]) => id))(
    'an authentic cursor with a position out of range is refused: %s',
    async (id) => {
      const path = Object.fromEntries(paramsOf(routes[id]).map((name) => [name, name === 'token' ? token : '1']));
      const list = listFor(id, path, queryFor(id));
      const real = cursorOf((await ask(id, '', '1')).json);
      const [, ...position] = decodedCursor(real);
      expect(await cursors.encode(list, position), 'the list is the one that the handler signs').toBe(real);
      let refused = 0;
      for (const json of extremePositions(position)) {
        // JSON has no infinity, and a position with an additional member is invalid too.
        const extreme = JSON.parse(`[${json}]`) as (number | string)[];
        const changed = extreme.findIndex((member, i) => member !== position[i]);
        const member = extreme[changed];
        const mayBeZero = changed === 0 && position.length > 1;
        const isInRange =
          changed === -1 ||
          (typeof member === 'number' &&
            typeof position[changed] === 'number' &&
            Number.isInteger(member) &&
            member >= (mayBeZero ? 0 : 1) &&
            member <= highest(id, changed, position.length));
        const { status, json: body, text } = await ask(id, await cursors.encode(list, extreme));
        const what = `${id} ${json}`;
        expect([what, status]).toEqual([what, isInRange ? 200 : 422]);
        if (!isInRange) expect(body.errors, what).toMatchObject([{ pointer: 'cursor' }]);
        if (!isInRange) refused++;
        if (id !== 'listApplications') expect(text, what).not.toContain(marker);
      }
      expect(refused).toBeGreaterThan(10);
      for (const other of [[], position.slice(1), [...position, 1], [[...position]]])
        expect((await ask(id, await cursors.encode(list, other as number[]))).status, JSON.stringify(other)).toBe(422);
    },
  );
});
