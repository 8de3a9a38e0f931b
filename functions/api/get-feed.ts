import { type Positions, positionsIn } from '../../lib/api/event-ids.ts';
import type { Followed } from '../../lib/api/feed.ts';
import { type Fault, notAcceptable, validationFailed } from '../../lib/api/problems.ts';
import type { LedgerReads } from '../../lib/ledger/ledger.ts';
import { limits } from '../../lib/limits.ts';
import { NotFound } from '../../lib/model/errors.ts';
import { preferredType } from '../runtime/http/accept.ts';
import { operation } from '../runtime/http/operation.ts';
import { requireAllowed } from '../runtime/http/permission.ts';

export const getFeed = operation('getFeed', async (request, { ledger, feed }) => {
  const { params, query, headers, holder, bearer } = request;
  const { token } = params;
  const types = ['application/json', ...(feed.stream ? ['text/event-stream'] : [])];
  const type = preferredType(headers.accept, types);
  if (!type) throw notAcceptable(types);
  if (!feed.stream || type === 'application/json') {
    const [transports, generation] = await Promise.all([
      feed.transports({ token, credential: bearer ?? token, generation: holder?.generation }),
      ledger.accessGeneration(token),
    ]);
    if (generation === undefined) throw new NotFound('application');
    return { json: { transports, heartbeat_seconds: limits.feed.heartbeatSeconds } };
  }

  const followed = followedBy(query, headers['last-event-id']);
  if (holder) {
    if (followed.application) requireAllowed('read all', holder, undefined);
    for (const chat of followed.chats.keys()) requireAllowed('read', holder, chat);
  }
  await requireChats(ledger, token, [...followed.chats.keys()]);
  return { stream: feed.stream({ token, followed, access: holder, isSelf: bearer !== undefined }) };
});

interface FollowedQuery {
  chat: Followed['chats'];
  application?: Followed['application'] | undefined;
}

/**
 * Returns what a stream follows. The versions in `Last-Event-ID` win over those in the query.
 *
 * @throws Problem validation_failed
 */
function followedBy({ chat, application }: FollowedQuery, lastEventId: string | undefined): Followed {
  const faults: Fault[] = [];
  const positions = lastEventId ? positionsIn(lastEventId) : (new Map() as Positions);
  if (!positions) faults.push({ pointer: 'Last-Event-ID', detail: 'must be the id of an event of this feed' });
  if (chat.size === 0 && !application)
    faults.push({
      pointer: 'chat',
      detail: 'is required unless application is given, because a stream must follow a chat or the list of chats',
    });
  if (!positions || faults.length > 0) throw validationFailed(faults);
  return {
    chats: new Map([...chat].map(([number, after]) => [number, positions.get(number) ?? after])),
    ...(application && { application: { after: positions.get(0) ?? application.after } }),
  };
}

/** @throws NotFound for the application or the first chat that does not exist */
async function requireChats(ledger: LedgerReads, token: string, chats: number[]): Promise<void> {
  if ((await ledger.accessGeneration(token)) === undefined) throw new NotFound('application');
  const found = await Promise.all(chats.map((chat) => ledger.chat(token, chat)));
  const missing = chats.find((_, i) => found[i] === undefined);
  if (missing !== undefined) throw new NotFound('chat', missing);
}
