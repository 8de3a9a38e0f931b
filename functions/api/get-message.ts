import { messagePending } from '../../lib/api/problems.ts';
import { NotFound } from '../../lib/model/errors.ts';
import { operation } from '../runtime/http/operation.ts';
import { requireChat } from './shared/parents.ts';
import { messageView } from './shared/views.ts';

export const getMessage = operation('getMessage', async ({ params }, services) => {
  const { token, chat_number: chat, message_number: number } = params;
  await requireChat(services, token, chat);
  const message = await services.store.message(token, chat, number);
  if (message === 'deleted' || message === 'void') throw new NotFound('message', number);
  if (message !== 'unknown') return { json: messageView(message) };
  throw (await services.ledger.hasMessage(token, chat, number))
    ? messagePending(number)
    : new NotFound('message', number);
});
