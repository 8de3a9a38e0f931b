import type { ChatKey, MessageKey } from '../../model/keys.ts';
import type { ItemKey } from './table.ts';

/** Returns the key of an application's item. */
export const applicationKey = (token: string): ItemKey => ({ pk: token, sk: 'application' });
/**
 * Returns the key of a chat's item. Each chat has its own partition, so that writes to one chat do not use up the
 * throughput of another.
 */
export const chatKey = (token: string, chat: number): ItemKey => ({ pk: `${token}/${chat}`, sk: 'chat' });
/**
 * Returns the key of the item with a chat's metadata. It is not in the chat's item, because each create in the chat
 * writes that item, and DynamoDB limits writes by the size of the item. With 4 kB of metadata, a chat would take 200
 * creates a second instead of 1,000.
 */
export const metadataKey = ({ token, chat }: ChatKey): ItemKey => ({ pk: chatKey(token, chat).pk, sk: 'metadata' });
/** The sort keys of messages begin with this. Only messages that were edited or deleted have an item. */
export const messagePrefix = 'message/';
export const messageKey = ({ token, chat, number }: MessageKey): ItemKey => ({
  pk: chatKey(token, chat).pk,
  sk: `${messagePrefix}${number}`,
});
