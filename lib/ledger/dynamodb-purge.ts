import { applicationKey, chatKey, messagePrefix } from './dynamodb-keys.ts';
import { type DynamodbTable, type Item, number, numberIn, textIn } from './dynamodb-table.ts';
import type { Parent } from './ledger.ts';

/**
 * Removes up to `limit` items below a deleted chat or application, and answers how many. Of an application, chat after
 * chat goes; how far it got stands in the application's item, so that each step goes on where the one before ended.
 */
export async function purgeItems(table: DynamodbTable, { token, chat }: Parent, limit: number): Promise<number> {
  if (chat !== undefined)
    return removeAll(table, await table.query(chatKey(token, chat).pk, limit, { prefix: messagePrefix }));

  const [application] = await table.get([applicationKey(token)]);
  if (!application) return 0;
  const chats = numberIn(application, 'chats');
  let purged = application.purged ? numberIn(application, 'purged') : 0;
  let removed = 0;
  while (purged < chats && removed < limit) {
    const wanted = limit - removed;
    const items = await table.query(chatKey(token, purged + 1).pk, wanted);
    removed += await removeAll(table, items);
    if (items.length < wanted) purged++;
  }
  // At its end it is ready for the second pass.
  await table.update(applicationKey(token), {
    UpdateExpression: 'SET purged = :purged',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':purged': number(removed === 0 ? 0 : purged) },
  });
  return removed;
}

async function removeAll(table: DynamodbTable, items: Item[]): Promise<number> {
  await table.write(
    [],
    items.map((item) => ({ pk: textIn(item, 'pk'), sk: textIn(item, 'sk') })),
  );
  return items.length;
}
