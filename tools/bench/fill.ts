import type { Connection } from 'mysql2/promise';
import { blankContent } from '../../lib/model/content.ts';
import { noRevisions } from '../../lib/search/search-index.ts';
import { bulk, bulkLines } from './bulk.ts';
import { messageTexts } from './messages.ts';
import type { ScratchDatabase, ScratchIndex } from './scratch.ts';

/** The application and the chat to fill. */
export const big = { token: 'big', chat: 1 };

/** The number of messages in the chat. */
export const messagesOf = { full: 1_000_000, smoke: 2_000 };

/** The number of rows and documents to load at a time. */
const atATime = 5_000;

/**
 * Creates an application with one chat of `count` messages, directly in the tables and, if given, in the index.
 */
export async function fillChat(count: number, { store, plain }: ScratchDatabase, index?: ScratchIndex): Promise<void> {
  const { token, chat } = big;
  await store.merge([
    { kind: 'application', token, revision: 0, at: 1, name: 'big' },
    { kind: 'chat', token, chat, revision: 0, at: 1, name: 'big' },
  ]);
  const settings = (body: object) => index?.client.indices.putSettings({ index: index.alias, body });
  // OpenSearch recommends these settings for loading.
  await settings({ index: { refresh_interval: '-1', translog: { durability: 'async' } } });
  await fillMessages(count, plain, index);
  await settings({ index: { refresh_interval: null, translog: { durability: null } } });
  await index?.client.indices.refresh({ index: index.alias });
}

/** Creates only the messages of the big chat. It also works with the tables of earlier versions. */
export async function fillMessages(count: number, plain: Connection, index?: ScratchIndex): Promise<void> {
  const { token, chat } = big;
  const slices = slicesOf(count);
  // Two loads at a time keep both servers busy. The SQL connection serializes its statements itself.
  const load = async () => {
    for (const messages of slices) {
      const rows = messages.map(({ number, content, at }) => [token, chat, number, content.body, 0, 0, at, at]);
      const documents = messages.map(({ at, ...message }) => ({
        ...message,
        revisions: noRevisions,
        createdAt: at,
        updatedAt: at,
      }));
      await Promise.all([
        plain.query(
          'INSERT INTO messages (token, chat, number, body, revision, deleted, created_at, updated_at) VALUES ?',
          [rows],
        ),
        index && bulk(index, bulkLines(documents)),
      ]);
    }
  };
  await Promise.all([load(), load()]);
}

function* slicesOf(count: number) {
  const texts = messageTexts();
  for (let last = 0; last < count; last += atATime)
    yield Array.from({ length: Math.min(atATime, count - last) }, (_, i) => ({
      ...big,
      number: last + i + 1,
      content: { ...blankContent, body: texts.next().value },
      at: 1_700_000_000_000 + last + i,
    }));
}
