import type { Parent } from '../../model/keys.ts';
import { applicationKey, chatKey, messagePrefix, metadataKey } from './keys.ts';
import { type DynamodbTable, keyOf, number, numberIn, textIn } from './table.ts';

/**
 * Maximum number of items that a step removes or replaces below an application. Each chat takes three calls, some 20
 * ms. The purge checks between two steps whether its function has 5 s left, so a step must take less.
 */
const itemsInStep = 100;

/**
 * Removes up to `limit` items below a deleted chat or application, and returns how many it removed or replaced; 0 means
 * that none are left. The chats of an application are purged in the order of their numbers. The application's item
 * stores how many are done, so that each step continues where the last one ended.
 *
 * Each chat leaves a tombstone. A call that creates the chat may have timed out and still reach DynamoDB after the
 * purge. Without the tombstone, it would create the chat again, with a counter that gives the same numbers again.
 */
export async function purgeItems(table: DynamodbTable, { token, chat }: Parent, limit: number): Promise<number> {
  if (chat !== undefined) return removeMessages(table, { token, chat }, limit);

  const [application] = await table.get([applicationKey(token)]);
  if (!application) return 0;
  const chats = numberIn(application, 'chats');
  let purged = application.purged ? numberIn(application, 'purged') : 0;
  const isEnd = purged >= chats;
  const most = Math.min(limit, itemsInStep);
  let done = 0;
  while (purged < chats && done < most) {
    const wanted = most - done;
    const removed = await removeMessages(table, { token, chat: purged + 1 }, wanted);
    done += removed;
    if (removed === wanted) continue;
    await table.write([{ ...keyOf(chatKey(token, purged + 1)), deleted: number(1) }]);
    purged++;
    done++;
  }
  // The call that finds all chats purged resets the attribute, because the second pass starts again at the first chat.
  await table.update(applicationKey(token), {
    UpdateExpression: 'SET purged = :purged',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':purged': number(isEnd ? 0 : purged) },
  });
  return done;
}

/**
 * Removes the items of a chat's messages and of its metadata, but not the item of the chat. Returns the number of removed
 * items of messages.
 */
async function removeMessages(table: DynamodbTable, { token, chat }: Required<Parent>, limit: number): Promise<number> {
  const items = await table.query(chatKey(token, chat).pk, limit, { prefix: messagePrefix });
  await table.write(
    [],
    [metadataKey({ token, chat }), ...items.map((item) => ({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') }))],
  );
  return items.length;
}
