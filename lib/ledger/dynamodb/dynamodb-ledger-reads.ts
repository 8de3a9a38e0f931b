import { isNumber } from '../../model/bounds.ts';
import type { Parent } from '../../model/keys.ts';
import type { Ledger, LedgerReads } from '../ledger.ts';
import type { ExistingApplications } from './existing-applications.ts';
import { counterOf, entryOf, generationIn, parentKey } from './items.ts';
import { applicationKey, chatKey, messageKey, metadataKey } from './keys.ts';
import { metadataIn } from './metadata.ts';
import { type DynamodbTable, type Item, type ItemKey, numberIn } from './table.ts';

/**
 * Reads the ledger in a DynamoDB table. It sends nothing, so a function that only reads does not load the client of SQS.
 */
export class DynamodbLedgerReads implements LedgerReads, Pick<Ledger, 'counters'> {
  protected readonly table: DynamodbTable;
  protected readonly applications: ExistingApplications;
  protected readonly now: () => number;

  constructor(table: DynamodbTable, applications: ExistingApplications, now: () => number = Date.now) {
    this.table = table;
    this.applications = applications;
    this.now = now;
  }

  async accessGeneration(token: string): Promise<number | undefined> {
    const at = this.now();
    const [item] = await this.existing([applicationKey(token)]);
    if (!item) return undefined;
    // This read also shows that the application is not deleted, so the creates that follow need not read it.
    this.applications.noteExisting(token, at);
    return generationIn(item);
  }

  async application(token: string) {
    const [item] = await this.existing([applicationKey(token)]);
    if (!item) return undefined;
    const { name, createdAt, updatedAt } = entryOf(item);
    return { name: name as string, createdAt, updatedAt };
  }

  async chat(token: string, chat: number) {
    const keys = [applicationKey(token), chatKey(token, chat), metadataKey({ token, chat })];
    const [application, item, metadata] = await this.existing(keys);
    return application && item && { ...entryOf(item), metadata: metadataIn(metadata) };
  }

  async hasMessage(token: string, chat: number, message: number): Promise<boolean> {
    if (!isNumber(chat) || !isNumber(message)) return false;
    const [application, item, changed] = await this.table.get([
      applicationKey(token),
      chatKey(token, chat),
      messageKey({ token, chat, number: message }),
    ]);
    if (!application || application.deleted || !item || item.deleted) return false;
    return message <= numberIn(item, 'messages') && !changed?.deleted;
  }

  async counters(parents: Parent[]): Promise<(number | undefined)[]> {
    const items = await this.table.get(parents.map(parentKey));
    return items.map((item, i) => {
      const counter = counterOf(parents[i] as Parent);
      // The tombstone of a purged chat has no counter.
      return item?.[counter] && numberIn(item, counter);
    });
  }

  /** Returns the items in the order of the keys; undefined for those that do not exist or are deleted. */
  protected async existing(keys: ItemKey[]): Promise<(Item | undefined)[]> {
    return (await this.table.get(keys)).map((item) => (item?.deleted ? undefined : item));
  }
}
