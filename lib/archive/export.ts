import type { Restorable, WholeEntry } from '../ledger/ledger.ts';
import { limits } from '../limits.ts';
import { outOfBounds } from '../model/bounds.ts';
import { lastRevision } from '../model/content.ts';
import { parsedMetadata } from '../model/metadata.ts';
import { numbersOf, ranges } from '../model/ranges.ts';
import type { MergedMessage } from '../store/merging.ts';
import type { Store } from '../store/store.ts';
import { type ArchiveLine, ArchiveProblem, archiveFormat, messageLine } from './format.ts';
import { timeText } from './time.ts';

export interface ExportServices {
  ledger: Pick<Restorable, 'entries'>;
  store: Pick<Store, 'merged' | 'missingNumbers'>;
}

/** The number of chats in one request to the ledger. */
const chatsAtOnce = 100;

/**
 * Yields the lines of an application's file, in steps of up to a page of messages. A message that changes during the
 * export is in the file as it was when it was read.
 *
 * @param onMissing called for a chat of which the file lacks `count` messages, because they are accepted but not stored
 *   yet
 * @throws ArchiveProblem when there is no such application, or when one of its values is out of bounds
 */
export async function* exportApplication(
  { ledger, store }: ExportServices,
  token: string,
  onMissing: (chat: number, count: number) => void,
): AsyncGenerator<ArchiveLine[]> {
  const [application] = await ledger.entries([{ token }]);
  if (!application || application.deleted) throw new ArchiveProblem('There is no application with this token.');
  requireInBounds('the application', { ...application, counter: application.highest });
  yield [
    { kind: 'archive', format: archiveFormat },
    {
      kind: 'application',
      token,
      name: application.name as string,
      ...revisionAndTimes(application),
      highest: application.highest,
    },
  ];
  let [chats, messages, deleted] = [0, 0, 0];
  for (const chatRange of ranges(application.highest, chatsAtOnce)) {
    // Yield even when there are no chats, so that the caller can stop.
    yield [];
    for (const chat of await ledger.entries(numbersOf(chatRange).map((number) => ({ token, chat: number })))) {
      if (!chat) continue;
      const number = chat.chat as number;
      chats++;
      const { name, metadata, highest } = chat;
      requireInBounds(`chat ${number}`, { ...chat, counter: highest });
      const content = { name, ...(metadata !== null && { metadata: parsedMetadata(metadata) }) };
      yield [{ kind: 'chat', number, ...content, deleted: chat.deleted, ...revisionAndTimes(chat), highest }];
      for (const range of chat.deleted ? [] : ranges(highest, limits.rowsPerTransaction)) {
        const page = numbersOf(range);
        const rows = await store.merged(page.map((each) => ({ token, chat: number, number: each })));
        const lines = rows.sort((a, b) => a.number - b.number).flatMap(lineOf);
        for (const { kind } of lines) kind === 'message' ? messages++ : deleted++;
        if (lines.length < page.length) {
          const missing = await store.missingNumbers({ token, chat: number, ...range }, { max: page.length });
          if (missing.length > 0) onMissing(number, missing.length);
        }
        yield lines;
      }
    }
  }
  yield [{ kind: 'end', chats, messages, deleted_messages: deleted }];
}

const revisionAndTimes = ({ revision, createdAt, updatedAt }: WholeEntry) => ({
  revision,
  created_at: timeText(createdAt),
  updated_at: timeText(updatedAt),
});

/**
 * Checks values before they are exported, because an import would refuse them.
 *
 * @throws ArchiveProblem naming a value that is out of bounds
 */
function requireInBounds(what: string, values: Parameters<typeof outOfBounds>[0]): void {
  const [fault] = outOfBounds(values);
  if (fault)
    throw new ArchiveProblem(
      `The ${fault.what} of ${what} is ${fault.value}, which is out of bounds. script/ops reconcile lists all such values.`,
    );
}

/** Returns the line of a message; none while only an edit of it has arrived. */
function lineOf(message: MergedMessage): ArchiveLine[] {
  const { chat, number, revisions, deleted, createdAt, updatedAt } = message;
  if (deleted) return [{ kind: 'deleted message', chat, number }];
  if (createdAt === null) return [];
  requireInBounds(`message ${chat}/${number}`, { revision: lastRevision(revisions), createdAt, updatedAt });
  return [messageLine({ ...message, createdAt })];
}
