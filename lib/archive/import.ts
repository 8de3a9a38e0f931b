import type { Restorable } from '../ledger/ledger.ts';
import { recordsOf } from '../ledger/store-records.ts';
import { lastRevision } from '../model/content.ts';
import type { Parent } from '../model/keys.ts';
import type { Write } from '../model/write.ts';
import { writesOfMessage, writesOfParent } from '../model/writes-of.ts';
import type { Outbox } from '../queue/queue.ts';
import type { Inventory } from '../store/inventory.ts';
import { type ArchiveLine, ArchiveProblem, decodeLine, type LineOf, messageOf, metadataIn } from './format.ts';
import { Gaps } from './gaps.ts';

export interface ImportServices {
  ledger: Pick<Restorable, 'entries' | 'restore' | 'restoreMessage'>;
  store: Pick<Inventory, 'noteMissing' | 'recordVoid'>;
  storeQueue: Outbox;
}

/** The number of messages in one send to the store queue. */
const messagesAtOnce = 500;
/** The number of messages that are restored in the ledger concurrently. */
const entriesAtOnce = 25;

/** The progress of an import: lines read, and the chats, messages and deleted messages among them. */
export interface ImportProgress {
  lines: number;
  chats: number;
  messages: number;
  deleted: number;
  /** The numbers without a line. */
  gaps: number;
  /** How many of these numbers the import has made void in the store so far. */
  voided: number;
  /** The chat or message that the first number without a line belongs to, such as `message 2/7`. */
  firstGap: string | undefined;
}

/**
 * Checks the lines of an exported application, and whether they can be imported into a system. Changes nothing.
 *
 * @throws ArchiveProblem naming the first line that `importApplication` would refuse
 */
export const checkApplication = (
  ledger: Pick<Restorable, 'entries'>,
  lines: AsyncIterable<string>,
): AsyncGenerator<ImportProgress> => run(new Import(ledger, undefined), lines);

/**
 * Imports an exported application into a system. The application keeps its token. The ledger entries are restored
 * first, so that no number is ever assigned twice. Then the writes go to the store queue with their original revisions.
 * Everything is merged, so an interrupted import can be repeated whole.
 *
 * A number without a line becomes void in the store: it is not pending, and it does not count. Its message is not
 * marked as deleted, because this system may have the message: an export lacks messages that were not stored yet. A
 * message that is stored under a void number is read and counted as usual.
 *
 * An application that already exists must be the same one: created at the same time, and with no higher numbers than in
 * the file, which shows that nothing was created in it since the export.
 *
 * @throws ArchiveProblem naming the line; the lines after it are not imported
 */
export const importApplication = (
  services: ImportServices,
  lines: AsyncIterable<string>,
): AsyncGenerator<ImportProgress> => run(new Import(services.ledger, services), lines);

async function* run(importing: Import, lines: AsyncIterable<string>): AsyncGenerator<ImportProgress> {
  for await (const text of lines) {
    await importing.take(text);
    while (await importing.recordGaps()) yield importing.progress;
    if (importing.lines % messagesAtOnce === 0) yield importing.progress;
  }
  importing.end();
  yield importing.progress;
}

class Import {
  lines = 0;
  #counts = { chats: 0, messages: 0, deleted: 0 };
  readonly #ledger: Pick<Restorable, 'entries'>;
  /** Undefined when the lines are only checked. */
  readonly #target: ImportServices | undefined;
  #application: LineOf<'application'> | undefined;
  #chat: LineOf<'chat'> | undefined;
  #lastNumber = 0;
  #voided = 0;
  /** The kind of the last line; undefined before the first. */
  #lastKind: ArchiveLine['kind'] | undefined;
  #messages: (LineOf<'message'> | LineOf<'deleted message'>)[] = [];
  readonly #gaps = new Gaps();

  constructor(ledger: Pick<Restorable, 'entries'>, target: ImportServices | undefined) {
    this.#ledger = ledger;
    this.#target = target;
  }

  get progress(): ImportProgress {
    return {
      lines: this.lines,
      ...this.#counts,
      gaps: this.#gaps.count,
      voided: this.#voided,
      firstGap: this.#gaps.first,
    };
  }

  async take(text: string): Promise<void> {
    this.lines++;
    try {
      const line = decodeLine(text);
      this.#requireInOrder(line);
      await this.#import(line);
      this.#lastKind = line.kind;
    } catch (error) {
      if (!(error instanceof ArchiveProblem)) throw error;
      throw new ArchiveProblem(`Line ${this.lines}: ${error.message}.`);
    }
  }

  end(): void {
    if (this.lines === 0) throw new ArchiveProblem('The file is empty.');
    if (this.#lastKind !== 'end') throw new ArchiveProblem(`The file is truncated after line ${this.lines}.`);
  }

  /** @throws ArchiveProblem when the line cannot follow the lines before it */
  #requireInOrder(line: ArchiveLine): void {
    const predecessors = { archive: undefined, application: 'archive' } as const;
    const fits =
      line.kind === 'archive' || line.kind === 'application'
        ? this.#lastKind === predecessors[line.kind]
        : this.#application !== undefined && this.#lastKind !== 'end';
    if (!fits)
      throw new ArchiveProblem(
        `a line of kind "${line.kind}" is not allowed here; the order is archive, application, each chat followed by its messages, end`,
      );
    if (line.kind === 'chat') {
      if (line.number <= (this.#chat?.number ?? 0) || line.number > (this.#application?.highest ?? 0))
        throw new ArchiveProblem(
          `chat ${line.number} is not allowed here; the numbers of chats must increase, up to the application's "highest"`,
        );
    } else if (line.kind === 'message' || line.kind === 'deleted message') {
      const { number, highest, deleted } = this.#chat ?? { number: 0, highest: 0, deleted: false };
      if (line.chat !== number || deleted || line.number <= this.#lastNumber || line.number > highest)
        throw new ArchiveProblem(
          `message ${line.chat}/${line.number} is not allowed here; messages must follow their chat, their numbers must increase up to its "highest", and a deleted chat has none`,
        );
    } else if (line.kind === 'end') {
      const { chats, messages, deleted } = this.#counts;
      if (line.chats !== chats || line.messages !== messages || line.deleted_messages !== deleted)
        throw new ArchiveProblem(
          `the file should have ${line.chats} chats, ${line.messages} messages and ${line.deleted_messages} deleted messages, but has ${chats}, ${messages} and ${deleted}`,
        );
    }
  }

  async #import(line: ArchiveLine): Promise<void> {
    switch (line.kind) {
      case 'application':
        this.#application = line;
        await this.#restore(line, { token: line.token }, false);
        break;
      case 'chat':
        await this.#endChat();
        this.#missingChats(line.number - 1);
        this.#chat = line;
        this.#lastNumber = 0;
        this.#counts.chats++;
        await this.#restore(line, { token: this.#token, chat: line.number }, line.deleted);
        break;
      case 'message':
      case 'deleted message':
        this.#missingMessages(line.chat, line.number - 1);
        this.#lastNumber = line.number;
        if (line.kind === 'message') this.#counts.messages++;
        else this.#counts.deleted++;
        this.#messages.push(line);
        if (this.#messages.length === messagesAtOnce) await this.#flush();
        break;
      case 'end':
        await this.#endChat();
        this.#missingChats(this.#application?.highest ?? 0);
    }
  }

  /** Imports what is left of the current chat. A deleted chat has no lines of messages, because all are deleted. */
  async #endChat(): Promise<void> {
    await this.#flush();
    if (this.#chat && !this.#chat.deleted) this.#missingMessages(this.#chat.number, this.#chat.highest);
  }

  /** Adds the chats without a line, up to this number. */
  #missingChats(to: number): void {
    this.#gaps.add({ token: this.#token }, { from: (this.#chat?.number ?? 0) + 1, to });
  }

  /** Adds the messages of the current chat without a line, up to this number. */
  #missingMessages(chat: number, to: number): void {
    this.#gaps.add({ token: this.#token, chat }, { from: this.#lastNumber + 1, to });
  }

  /**
   * Records a page of numbers that have no line as void in the store. When the lines are only checked, drops the page.
   *
   * @returns whether there was a page. Before the last line, only a full page is recorded
   */
  async recordGaps(): Promise<boolean> {
    const page = this.#gaps.take(this.#lastKind === 'end');
    if (!page) return false;
    if (!this.#target) return true;
    await this.#target.store.noteMissing(page.parent, page.numbers, Date.now());
    await this.#target.store.recordVoid(page.parent, page.numbers);
    this.#voided += page.numbers.length;
    return true;
  }

  get #token(): string {
    return this.#application?.token as string;
  }

  /** Restores an application or chat in the ledger, and sends its writes to the store queue. */
  async #restore(line: LineOf<'application'> | LineOf<'chat'>, parent: Parent, deleted: boolean): Promise<void> {
    const { name, highest } = line;
    const revised = revisedOf(line);
    const { createdAt, updatedAt } = revised;
    const [existing] = await this.#ledger.entries([parent]);
    const what = parent.chat === undefined ? 'The application' : `Chat ${parent.chat}`;
    if (existing?.deleted && !deleted)
      throw new ArchiveProblem(`${what} was deleted in this system and cannot be restored`);
    if (existing && existing.createdAt !== createdAt)
      throw new ArchiveProblem(`${what} already exists but was created at another time`);
    if (existing && existing.highest > highest)
      throw new ArchiveProblem(`${what} already exists and has grown since the export`);
    if (!this.#target) return;
    const content = { name, metadata: line.kind === 'chat' ? metadataIn(line) : null };
    await this.#target.ledger.restore({ ...parent, ...content, ...revised, deleted, highest });
    const writes = writesOfParent(parent, { ...content, ...revised });
    if (deleted) writes.push({ kind: 'deletion', ...parent, at: updatedAt });
    await this.#target.storeQueue.send(recordsOf(writes));
  }

  /** Imports the collected messages of the current chat. */
  async #flush(): Promise<void> {
    const lines = this.#messages;
    this.#messages = [];
    if (!this.#target || lines.length === 0) return;
    const { ledger, storeQueue } = this.#target;
    const token = this.#token;
    const changed = lines.flatMap((line) => {
      const deleted = line.kind === 'deleted message';
      const revision = deleted ? 1 : lastRevision(messageOf(line).revisions);
      return revision > 0 ? [{ token, chat: line.chat, number: line.number, revision, deleted }] : [];
    });
    for (let i = 0; i < changed.length; i += entriesAtOnce)
      await Promise.all(changed.slice(i, i + entriesAtOnce).map((each) => ledger.restoreMessage(each)));
    const writes = lines.flatMap((line): Write[] => {
      const key = { token, chat: line.chat, number: line.number };
      if (line.kind === 'deleted message') return [{ kind: 'deletion', ...key, at: Date.now() }];
      return writesOfMessage(key, messageOf(line));
    });
    await storeQueue.send(recordsOf(writes));
  }
}

const revisedOf = (line: LineOf<'application'> | LineOf<'chat'>) => ({
  revision: line.revision,
  createdAt: Date.parse(line.created_at),
  updatedAt: Date.parse(line.updated_at),
});
