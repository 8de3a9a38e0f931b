import type { MessageKey } from '../../model/keys.ts';
import type { ItemKey } from './table.ts';

/** Where the items of the ledger lie in its table. */
export const applicationKey = (token: string): ItemKey => ({ pk: token, sk: 'application' });
/** A chat has a partition of its own, so that the messages of one take nothing from the writes of another. */
export const chatKey = (token: string, chat: number): ItemKey => ({ pk: `${token}/${chat}`, sk: 'chat' });
/** Only messages that were edited or deleted have an item. */
export const messagePrefix = 'message/';
export const messageKey = ({ token, chat, number }: MessageKey): ItemKey => ({
  pk: chatKey(token, chat).pk,
  sk: `${messagePrefix}${number}`,
});
