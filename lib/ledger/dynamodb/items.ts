import type { Parent } from '../../model/keys.ts';
import type { LedgerEntry } from '../ledger.ts';
import { applicationKey, chatKey } from './keys.ts';
import { type Item, type ItemKey, number, numberIn, text, textIn } from './table.ts';

/** The attribute of an application or chat that holds the highest number given below it. */
export const counterOf = ({ chat }: Parent): 'chats' | 'messages' => (chat === undefined ? 'chats' : 'messages');

/** Returns the key of the item of an application or chat. */
export const parentKey = ({ token, chat }: Parent): ItemKey =>
  chat === undefined ? applicationKey(token) : chatKey(token, chat);

export const nameValue = (name: string | null) => (name === null ? { NULL: true } : text(name));

export const newItem = (key: ItemKey, name: string | null, at: number): Item => ({
  pk: text(key.pk),
  sk: text(key.sk),
  name: nameValue(name),
  revision: number(0),
  created_at: number(at),
  updated_at: number(at),
  claims: { M: {} },
});

export const entryOf = (item: Item): LedgerEntry<string | null> => ({
  name: item.name?.NULL ? null : textIn(item, 'name'),
  createdAt: numberIn(item, 'created_at'),
  updatedAt: numberIn(item, 'updated_at'),
});
