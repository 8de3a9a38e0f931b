import type { Parent } from '../../model/keys.ts';
import { applicationKey, chatKey, messagePrefix } from './keys.ts';
import { type DynamodbTable, keyOf, number, numberIn, textIn } from './table.ts';

/**
 * Removes up to `limit` items below a deleted chat or application, and answers how many it dealt with; 0 is the end. Of an
 * application, chat after chat goes; how far it got stands in the application's item, so that each step goes on where the
 * one before ended.
 *
 * Each chat leaves a tombstone: the call that made it may have been given up and arrive only now, and a chat without its
 * counter would give its numbers out again.
 */
export async function purgeItems(table: DynamodbTable, { token, chat }: Parent, limit: number): Promise<number> {
  if (chat !== undefined) return removeMessages(table, { token, chat }, limit);

  const [application] = await table.get([applicationKey(token)]);
  if (!application) return 0;
  const chats = numberIn(application, 'chats');
  let purged = application.purged ? numberIn(application, 'purged') : 0;
  const isEnd = purged >= chats;
  let done = 0;
  while (purged < chats && done < limit) {
    const wanted = limit - done;
    const removed = await removeMessages(table, { token, chat: purged + 1 }, wanted);
    done += removed;
    if (removed === wanted) continue;
    await table.write([{ ...keyOf(chatKey(token, purged + 1)), deleted: number(1) }]);
    purged++;
    done++;
  }
  // At its end it is ready for the second pass.
  await table.update(applicationKey(token), {
    UpdateExpression: 'SET purged = :purged',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':purged': number(isEnd ? 0 : purged) },
  });
  return done;
}

async function removeMessages(table: DynamodbTable, { token, chat }: Required<Parent>, limit: number): Promise<number> {
  const items = await table.query(chatKey(token, chat).pk, limit, { prefix: messagePrefix });
  await table.write(
    [],
    items.map((item) => ({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') })),
  );
  return items.length;
}
