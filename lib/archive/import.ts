import type { Restorable } from '../ledger/ledger.ts';
import { recordsOf } from '../ledger/store-records.ts';
import { lastRevision } from '../model/content.ts';
import type { Parent } from '../model/keys.ts';
import type { Write } from '../model/write.ts';
import { writesOfMessage, writesOfParent } from '../model/writes-of.ts';
import type { Outbox } from '../queue/queue.ts';
import { type ArchiveLine, ArchiveProblem, decodeLine, type LineOf, messageOf } from './format.ts';

export interface ImportServices {
  ledger: Pick<Restorable, 'entries' | 'restore' | 'restoreMessage'>;
  storeQueue: Outbox;
}

/** The number of messages in one send to the store queue. */
const messagesAtOnce = 500;
/** The number of messages that are restored in the ledger concurrently. */
const entriesAtOnce = 25;

/** The progress of an import: lines read, and the chats, messages and deleted messages among them. */
export interface Imported {
  lines: number;
  chats: number;
  messages: number;
  deleted: number;
}

/**
 * Imports an exported application into a system. The application keeps its token. The ledger entries are restored
 * first, so that no number is ever assigned twice. Then the writes go to the store queue with their original revisions.
 * Everything is merged, so an interrupted import can be repeated whole.
 *
 * An application that already exists must be the same one: created at the same time, and with no higher numbers than in
 * the file, so that nothing was created in it since the export.
 *
 * @param dryRun reads and counts everything, but changes nothing
 * @throws ArchiveProblem naming the line; the lines after it are not imported
 */
export async function* importApplication(
  services: ImportServices,
  lines: AsyncIterable<string>,
  dryRun: boolean,
): AsyncGenerator<Imported> {
  const importing = new Import(services, dryRun);
  for await (const text of lines) {
    await importing.take(text);
    if (importing.done.lines % messagesAtOnce === 0) yield { ...importing.done };
  }
  importing.end();
  yield importing.done;
}

class Import {
  readonly done: Imported = { lines: 0, chats: 0, messages: 0, deleted: 0 };
  readonly #ledger: ImportServices['ledger'];
  readonly #storeQueue: Outbox;
  readonly #dryRun: boolean;
  #application: LineOf<'application'> | undefined;
  #chat: LineOf<'chat'> | undefined;
  #lastNumber = 0;
  #before: ArchiveLine['kind'] | undefined;
  #messages: (LineOf<'message'> | LineOf<'deleted message'>)[] = [];

  constructor({ ledger, storeQueue }: ImportServices, dryRun: boolean) {
    this.#ledger = ledger;
    this.#storeQueue = storeQueue;
    this.#dryRun = dryRun;
  }

  async take(text: string): Promise<void> {
    this.done.lines++;
    try {
      const line = decodeLine(text);
      this.#inOrder(line);
      await this.#import(line);
      this.#before = line.kind;
    } catch (error) {
      if (!(error instanceof ArchiveProblem)) throw error;
      throw new ArchiveProblem(`Line ${this.done.lines}: ${error.message}.`);
    }
  }

  end(): void {
    if (this.done.lines === 0) throw new ArchiveProblem('The file is empty.');
    if (this.#before !== 'end') throw new ArchiveProblem(`The file is truncated after line ${this.done.lines}.`);
  }

  /** @throws ArchiveProblem when the line cannot follow the lines before it */
  #inOrder(line: ArchiveLine): void {
    const predecessors = { archive: undefined, application: 'archive' } as const;
    const fits =
      line.kind === 'archive' || line.kind === 'application'
        ? this.#before === predecessors[line.kind]
        : this.#application !== undefined && this.#before !== 'end';
    if (!fits) throw new ArchiveProblem(`${line.kind} is not expected here`);
    if (line.kind === 'chat') {
      if (line.number <= (this.#chat?.number ?? 0) || line.number > (this.#application?.highest ?? 0))
        throw new ArchiveProblem(`chat ${line.number} is not expected here`);
    } else if (line.kind === 'message' || line.kind === 'deleted message') {
      const { number, highest, deleted } = this.#chat ?? { number: 0, highest: 0, deleted: false };
      if (line.chat !== number || deleted || line.number <= this.#lastNumber || line.number > highest)
        throw new ArchiveProblem(`message ${line.chat}/${line.number} is not expected here`);
    } else if (line.kind === 'end') {
      const { chats, messages, deleted } = this.done;
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
        await this.#flush();
        this.#chat = line;
        this.#lastNumber = 0;
        this.done.chats++;
        await this.#restore(line, { token: this.#token, chat: line.number }, line.deleted);
        break;
      case 'message':
      case 'deleted message':
        this.#lastNumber = line.number;
        if (line.kind === 'message') this.done.messages++;
        else this.done.deleted++;
        this.#messages.push(line);
        if (this.#messages.length === messagesAtOnce) await this.#flush();
        break;
      case 'end':
        await this.#flush();
    }
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
    if (this.#dryRun) return;
    await this.#ledger.restore({ ...parent, name, ...revised, deleted, highest });
    const writes = writesOfParent(parent, { name, ...revised });
    if (deleted) writes.push({ kind: 'deletion', ...parent, at: updatedAt });
    await this.#storeQueue.send(recordsOf(writes));
  }

  /** Imports the collected messages of the current chat. */
  async #flush(): Promise<void> {
    const lines = this.#messages;
    this.#messages = [];
    if (this.#dryRun || lines.length === 0) return;
    const token = this.#token;
    const changed = lines.flatMap((line) => {
      const deleted = line.kind === 'deleted message';
      const revision = deleted ? 1 : lastRevision(messageOf(line).revisions);
      return revision > 0 ? [{ token, chat: line.chat, number: line.number, revision, deleted }] : [];
    });
    for (let i = 0; i < changed.length; i += entriesAtOnce)
      await Promise.all(changed.slice(i, i + entriesAtOnce).map((each) => this.#ledger.restoreMessage(each)));
    const writes = lines.flatMap((line): Write[] => {
      const key = { token, chat: line.chat, number: line.number };
      if (line.kind === 'deleted message') return [{ kind: 'deletion', ...key, at: Date.now() }];
      return writesOfMessage(key, messageOf(line));
    });
    await this.#storeQueue.send(recordsOf(writes));
  }
}

const revisedOf = (line: LineOf<'application'> | LineOf<'chat'>) => ({
  revision: line.revision,
  createdAt: Date.parse(line.created_at),
  updatedAt: Date.parse(line.updated_at),
});
