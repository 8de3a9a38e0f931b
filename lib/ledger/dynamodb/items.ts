import type { Parent } from '../../model/keys.ts';
import type { EntryTimes } from '../ledger.ts';
import { applicationKey, chatKey } from './keys.ts';
import { type Item, type ItemKey, number, numberIn, text } from './table.ts';

/** The attribute of an application or chat that holds the highest number assigned below it. */
export const counterOf = ({ chat }: Parent): 'chats' | 'messages' => (chat === undefined ? 'chats' : 'messages');

/** Returns the key of the item of an application or chat. */
export const parentKey = ({ token, chat }: Parent): ItemKey =>
  chat === undefined ? applicationKey(token) : chatKey(token, chat);

export const textOrNull = (value: string | null) => (value === null ? { NULL: true } : text(value));

/**
 * The attribute of an application or chat that holds the reservations of its counter: see reservations.ts. In the table
 * a reservation is called a claim, also in the keys of records and in the items of idempotency keys.
 */
export const reservationsName = 'claims';

export const newItem = (key: ItemKey, name: string | null, at: number): Item => ({
  pk: text(key.pk),
  sk: text(key.sk),
  name: textOrNull(name),
  revision: number(0),
  created_at: number(at),
  updated_at: number(at),
  [reservationsName]: { M: {} },
});

/** The attribute of an application's item that holds its access generation. An item without it has generation 0. */
export const generationName = 'access_generation';

/** Returns the access generation of an application's item. */
export const generationIn = (item: Item): number => (item[generationName] ? numberIn(item, generationName) : 0);

/** Returns what an item stores about an application or chat. */
export const entryOf = (item: Item): { name: string | null } & EntryTimes => ({
  name: item.name?.S ?? null,
  createdAt: numberIn(item, 'created_at'),
  updatedAt: numberIn(item, 'updated_at'),
});
