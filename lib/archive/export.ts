import type { Restorable, WholeEntry } from '../ledger/restore.ts';
import { limits } from '../limits.ts';
import type { MergedMessage, Store } from '../store/store.ts';
import { numbersOf, stretches } from '../stretches.ts';
import { type ArchiveLine, ArchiveProblem, archiveFormat, timeText } from './format.ts';

export interface ExportServices {
  ledger: Pick<Restorable, 'entries'>;
  store: Pick<Store, 'merged' | 'missingNumbers'>;
}

/** Chats asked for at a time. */
const chatsAtOnce = 100;

/**
 * The lines of an application's file, in steps of up to a page of messages. What changes meanwhile is in it as it was when
 * it was read.
 *
 * @param onMissing told how many messages of a chat were accepted and are not stored yet: they are not in the file
 * @throws ArchiveProblem when there is no such application
 */
export async function* exportApplication(
  { ledger, store }: ExportServices,
  token: string,
  onMissing: (chat: number, count: number) => void,
): AsyncGenerator<ArchiveLine[]> {
  const [application] = await ledger.entries([{ token }]);
  if (!application || application.deleted) throw new ArchiveProblem('There is no application with this token.');
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
  for (const chatStretch of stretches(application.highest, chatsAtOnce))
    for (const chat of await ledger.entries(numbersOf(chatStretch).map((number) => ({ token, chat: number })))) {
      if (!chat) continue;
      const number = chat.chat as number;
      chats++;
      const { name, highest } = chat;
      yield [{ kind: 'chat', number, name, deleted: chat.deleted, ...revisionAndTimes(chat), highest }];
      for (const stretch of chat.deleted ? [] : stretches(highest, limits.rowsPerTransaction)) {
        const page = numbersOf(stretch);
        const rows = await store.merged(page.map((each) => ({ token, chat: number, number: each })));
        const lines = rows.sort((a, b) => a.number - b.number).flatMap(lineOf);
        for (const { kind } of lines) kind === 'message' ? messages++ : deleted++;
        if (lines.length < page.length) {
          const missing = await store.missingNumbers(token, number, stretch.from, stretch.to, page.length);
          if (missing.length > 0) onMissing(number, missing.length);
        }
        yield lines;
      }
    }
  yield [{ kind: 'end', chats, messages, deleted_messages: deleted }];
}

const revisionAndTimes = ({ revision, createdAt, updatedAt }: WholeEntry) => ({
  revision,
  created_at: timeText(createdAt),
  updated_at: timeText(updatedAt),
});

/** An edit whose message has not come yet is not there yet. */
function lineOf({ chat, number, body, revision, deleted, createdAt, updatedAt }: MergedMessage): ArchiveLine[] {
  if (deleted) return [{ kind: 'deleted message', chat, number }];
  if (createdAt === null) return [];
  const times = { created_at: timeText(createdAt), updated_at: timeText(updatedAt) };
  return [{ kind: 'message', chat, number, body, revision, ...times }];
}
