import { NotFound } from '../../../lib/model/errors.ts';
import type { StoredApplication, StoredChat } from '../../../lib/store/reads.ts';
import type { ReadServices } from '../../runtime/services.ts';

// Reads ask the store first. What the store does not know yet may have been accepted a moment ago, so they ask the
// ledger next.

/** @throws NotFound */
export async function requireApplication(
  { store, ledger }: Pick<ReadServices, 'store' | 'ledger'>,
  token: string,
): Promise<StoredApplication> {
  const stored = await store.application(token);
  if (stored === 'deleted') throw new NotFound('application');
  if (stored !== 'unknown') return stored;
  const accepted = await ledger.application(token);
  if (!accepted) throw new NotFound('application');
  return { ...accepted, token, chatsCount: 0 };
}

/** @throws NotFound for the application or chat */
export async function requireChat(
  services: Pick<ReadServices, 'store' | 'ledger'>,
  token: string,
  chat: number,
): Promise<StoredChat> {
  const stored = await services.store.chat(token, chat);
  if (stored !== 'deleted' && stored !== 'unknown') return stored;
  const accepted = stored === 'unknown' ? await services.ledger.chat(token, chat) : undefined;
  if (accepted) return { ...accepted, number: chat, messagesCount: 0 };
  await requireApplication(services, token);
  throw new NotFound('chat', chat);
}
