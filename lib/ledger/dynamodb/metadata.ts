import { Throttled, Unavailable } from '../../model/errors.ts';
import type { ChatKey } from '../../model/keys.ts';
import { textOrNull } from './items.ts';
import { metadataKey } from './keys.ts';
import { type DynamodbTable, type Item, keyOf, number, text } from './table.ts';

/** Returns the metadata of a chat from its metadata item; null for no item, because a chat without metadata has none. */
export const metadataIn = (item: Item | undefined): string | null => item?.metadata?.S ?? null;

/** Returns the item of a new chat's metadata. */
export const newMetadata = (chat: ChatKey, metadata: string): Item => ({
  ...keyOf(metadataKey(chat)),
  metadata: text(metadata),
  revision: number(0),
});

/**
 * Sets the metadata of a chat unless a write with a higher revision has set it. May be repeated.
 *
 * @throws Unavailable, and never Throttled, because it follows a call that took a revision
 */
export async function setMetadata(
  table: DynamodbTable,
  chat: ChatKey,
  { metadata, revision }: { metadata: string | null; revision: number },
): Promise<void> {
  try {
    await table.update(metadataKey(chat), {
      UpdateExpression: 'SET metadata = :metadata, revision = :revision',
      ConditionExpression: 'attribute_not_exists(revision) OR revision < :revision',
      ExpressionAttributeValues: { ':metadata': textOrNull(metadata), ':revision': number(revision) },
    });
  } catch (error) {
    throw error instanceof Throttled ? new Unavailable(error) : error;
  }
}
