import type { ChatKey, MessageKey, Parent } from '../../model/keys.ts';
import type { ChangedMessage, WholeEntry } from '../ledger.ts';
import { counterOf, entryOf, generationName, newItem, parentKey, textOrNull } from './items.ts';
import { applicationKey, chatKey, messageKey, messagePrefix, metadataKey } from './keys.ts';
import { metadataIn, setMetadata } from './metadata.ts';
import { type DynamodbTable, number, numberIn, textIn } from './table.ts';

/** Yields the tokens of all applications. DynamoDB reads the whole table for this. */
export async function* tokensIn(table: DynamodbTable): AsyncGenerator<string> {
  for await (const item of table.scan(applicationKey('').sk)) yield textIn(item, 'pk');
}

export async function entriesIn(table: DynamodbTable, parents: Parent[]): Promise<(WholeEntry | undefined)[]> {
  const chats = parents.filter((parent): parent is ChatKey => parent.chat !== undefined);
  const items = await table.get([...parents.map(parentKey), ...chats.map(metadataKey)]);
  const metadata = new Map(chats.map((chat, i) => [metadataKey(chat).pk, metadataIn(items[parents.length + i])]));
  return items.slice(0, parents.length).map((item, i) => {
    const parent = parents[i] as Parent;
    if (!item) return undefined;
    const deleted = item.deleted !== undefined;
    const { createdAt, updatedAt, name } = entryOf(item);
    return {
      ...parent,
      name: deleted ? null : name,
      metadata: deleted ? null : (metadata.get(parentKey(parent).pk) ?? null),
      revision: numberIn(item, 'revision'),
      deleted,
      createdAt,
      updatedAt,
      highest: numberIn(item, counterOf(parent)),
    };
  });
}

export async function changedMessagesIn(
  table: DynamodbTable,
  keys: MessageKey[],
): Promise<(ChangedMessage | undefined)[]> {
  const items = await table.get(keys.map(messageKey));
  return items.map(
    (item, i) =>
      item && {
        ...(keys[i] as MessageKey),
        revision: item.revision ? numberIn(item, 'revision') : 0,
        deleted: item.deleted !== undefined,
      },
  );
}

/**
 * Yields the numbers of a chat's deleted messages, one query at a time. A page may be short or empty, because the query
 * also reads the items of messages that were only edited.
 */
export async function* deletedMessagesIn(
  table: DynamodbTable,
  { token, chat }: ChatKey,
  limit: number,
): AsyncGenerator<number[]> {
  const page = (after?: string) =>
    table.query(chatKey(token, chat).pk, limit, { prefix: messagePrefix, ...(after && { after }) });
  let items = await page();
  for (let last = items.at(-1); last; last = items.at(-1)) {
    yield items
      .filter(({ deleted }) => deleted !== undefined)
      .map((item) => Number(textIn(item, 'sk').slice(messagePrefix.length)));
    items = await page(textIn(last, 'sk'));
  }
}

/**
 * Adds the entry or, if it exists, applies what is newer. Each step is conditional: if its condition fails, the item
 * already has that state or a later one. So each step may be repeated, and the call may stop between two of them.
 *
 * @param now in milliseconds since 1970
 */
export async function restoreEntry(table: DynamodbTable, entry: WholeEntry, now: number): Promise<void> {
  const { name, metadata, revision, deleted, createdAt, updatedAt, highest } = entry;
  const key = parentKey(entry);
  const counter = counterOf(entry);
  const item = {
    ...newItem(key, name, createdAt),
    updated_at: number(updatedAt),
    revision: number(revision),
    [counter]: number(highest),
    ...(deleted && { deleted: number(1) }),
    ...(entry.chat === undefined && { [generationName]: number(now) }),
  };
  // The metadata is written before the revision. If the call stops in between, the item still has the lower revision,
  // so a repeated call writes both.
  if (entry.chat !== undefined && !deleted) {
    const chat = { token: entry.token, chat: entry.chat };
    const [existing] = await table.get([key]);
    const isAhead = !existing || numberIn(existing, 'revision') <= revision;
    if (isAhead && (metadata !== null || revision > 0)) await setMetadata(table, chat, { metadata, revision });
  }
  if ('done' in (await table.insert(item))) return;
  await table.update(key, {
    UpdateExpression: 'SET #counter = :highest',
    ConditionExpression: 'attribute_exists(pk) AND #counter < :highest',
    ExpressionAttributeNames: { '#counter': counter },
    ExpressionAttributeValues: { ':highest': number(highest) },
  });
  if (deleted)
    await table.update(key, {
      UpdateExpression: 'SET deleted = :yes REMOVE #name',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(deleted)',
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: { ':yes': number(1) },
    });
  else
    await table.update(key, {
      UpdateExpression: 'SET #name = :name, updated_at = :at, revision = :revision',
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(deleted) AND revision < :revision',
      ExpressionAttributeNames: { '#name': 'name' },
      ExpressionAttributeValues: {
        ':name': textOrNull(name),
        ':at': number(updatedAt),
        ':revision': number(revision),
      },
    });
}

export async function restoreChangedMessage(table: DynamodbTable, message: ChangedMessage): Promise<void> {
  const key = messageKey(message);
  await table.update(key, {
    UpdateExpression: 'SET revision = :revision',
    ConditionExpression: 'attribute_not_exists(revision) OR revision < :revision',
    ExpressionAttributeValues: { ':revision': number(message.revision) },
  });
  if (message.deleted)
    await table.update(key, {
      UpdateExpression: 'SET deleted = :yes',
      ConditionExpression: 'attribute_not_exists(deleted)',
      ExpressionAttributeValues: { ':yes': number(1) },
    });
}
