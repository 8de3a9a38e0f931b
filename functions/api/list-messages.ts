import { limits } from '../../lib/limits.ts';
import { listOf } from '../runtime/http/lists.ts';
import { operation } from '../runtime/http/operation.ts';
import { numberPosition } from '../runtime/http/positions.ts';
import { fitting, pageAnswer } from './shared/pages.ts';
import { requireChat } from './shared/parents.ts';
import { rangeOf } from './shared/ranges.ts';
import { messageView } from './shared/views.ts';

export const listMessages = operation('listMessages', async (request, services) => {
  const { params, query, pageAt } = request;
  const { token, chat_number: chat } = params;
  const list = listOf('listMessages', request);
  const [from] = (await services.cursors.decode(list, query.cursor, numberPosition)) ?? [];
  await requireChat(services, token, chat);
  const { rows, more } = await services.store.messages(token, chat, rangeOf(query, from));

  const page = fitting(rows, more, messageView);
  let { views: data, more: goesOn } = page;
  let last = data.at(-1)?.number;
  if (last === undefined) return pageAnswer({ data: [], next: null, pending: [] }, pageAt);

  // Every number below one that is stored has been accepted. So the page answers for all of them from where it began,
  // which is where the page before ended, or `after`, or its own first message.
  const ascending = query.order === 'asc';
  const first = ascending ? (from ?? query.after ?? 0) + 1 : from === undefined ? data[0]?.number : from - 1;
  const listed = data.map(({ number }) => number);
  const atMost = limits.pendingNumbers + 1;
  const pending = await services.store.missingNumbers(token, chat, first ?? last, last, atMost, listed);
  const beyond = pending[limits.pendingNumbers];
  if (beyond !== undefined) {
    pending.length = limits.pendingNumbers;
    last = ascending ? beyond - 1 : beyond + 1;
    data = data.filter(({ number }) => (ascending ? number < beyond : number > beyond));
    goesOn = true;
  }
  const next = goesOn ? await services.cursors.encode(list, [last]) : null;
  return pageAnswer({ data, next, pending }, pageAt);
});
