import { messagePending, notAllowed } from '../../../lib/api/problems.ts';
import type { MessageContent } from '../../../lib/model/content.ts';
import { NotFound } from '../../../lib/model/errors.ts';
import type { Holder } from '../../../lib/model/holder.ts';
import type { ChatKey, MessageKey } from '../../../lib/model/keys.ts';
import type { ListRange, Rows, StoredMessage } from '../../../lib/store/reads.ts';
import type { ReadServices } from '../../runtime/services.ts';
import { requireChat } from './parents.ts';

/**
 * Returns a stored message.
 *
 * @throws NotFound for the application, chat or message; Problem message_pending when it is not stored yet
 */
export async function requireMessage(
  services: Pick<ReadServices, 'store' | 'ledger'>,
  { token, chat, number }: MessageKey,
): Promise<StoredMessage> {
  const existing = await services.store.existingMessage(token, chat, number);
  if (existing) return existing;
  await requireChat(services, token, chat);
  const message = await services.store.message(token, chat, number);
  if (message === 'deleted' || message === 'void') throw new NotFound('message', number);
  if (message !== 'unknown') return message;
  await requireAccepted(services.ledger, { token, chat, number });
  throw messagePending(number);
}

/**
 * Returns a page of the stored messages of a chat.
 *
 * @throws NotFound for the application or chat
 */
export async function requireMessages(
  services: Pick<ReadServices, 'store' | 'ledger'>,
  { token, chat }: ChatKey,
  range: ListRange,
): Promise<Rows<StoredMessage>> {
  const page = await services.store.existingMessages(token, chat, range);
  if (page.rows.length > 0) return page;
  await requireChat(services, token, chat);
  // Messages may be stored before their chat.
  return services.store.messages(token, chat, range);
}

/** Returns the content of a new message. The holder of an access token is its sender, whatever the request says. */
export const sentBy = (holder: Holder | undefined, content: MessageContent): MessageContent =>
  holder ? { ...content, sender: holder.sender } : content;

/**
 * Requires that the holder of an access token edits or deletes a message of its own. Only the stored message says whose
 * it is. So a holder can change a message only once it is stored; the application's own token can change it before.
 *
 * @throws Problem not_allowed; also what {@link requireMessage} throws
 */
export async function requireOwn(
  services: Pick<ReadServices, 'store' | 'ledger'>,
  message: MessageKey,
  holder: Holder | undefined,
): Promise<void> {
  if (!holder) return;
  const { content } = await requireMessage(services, message);
  if (holder.sender !== null && content.sender === holder.sender) return;
  // Respond with 404, not 403, if the message was deleted. For the holder's own message, the ledger checks that when it
  // accepts the write.
  await requireAccepted(services.ledger, message);
  throw notAllowed(
    'the right to edit or delete this message: that needs an access token with the `sender` of the message',
  );
}

/**
 * Requires that the ledger has accepted the message and has not accepted a deletion of it. The store may not know of a
 * deletion yet.
 *
 * @throws NotFound for the application, chat or message
 */
async function requireAccepted(ledger: ReadServices['ledger'], { token, chat, number }: MessageKey): Promise<void> {
  if (await ledger.hasMessage(token, chat, number)) return;
  if (await ledger.chat(token, chat)) throw new NotFound('message', number);
  throw (await ledger.application(token)) ? new NotFound('chat', chat) : new NotFound('application');
}
