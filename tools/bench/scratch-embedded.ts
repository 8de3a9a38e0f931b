import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { limits } from '../../lib/limits.ts';
import { blankContent } from '../../lib/model/content.ts';
import { noRevisions } from '../../lib/search/search-index.ts';
import { SqliteSearchIndex } from '../../lib/search/sqlite/sqlite-index.ts';
import type { Database } from '../../lib/sqlite/database.ts';
import { SqliteStore } from '../../lib/store/sqlite/sqlite-store.ts';
import { openEngineFiles } from '../../local/engine-files.ts';
import { big } from './fill.ts';
import { messageTexts } from './messages.ts';

/** The store and the search index of a temporary embedded engine. */
export interface ScratchEngine {
  store: SqliteStore;
  index: SqliteSearchIndex;
  /** The database file of both. */
  database: Database;
  drop: () => Promise<void>;
}

export async function makeEngine(): Promise<ScratchEngine> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chat-system-bench-'));
  const { storeDatabase, close } = await openEngineFiles(folder);
  return {
    store: new SqliteStore(storeDatabase),
    index: new SqliteSearchIndex(storeDatabase),
    database: storeDatabase,
    drop: async () => {
      await close();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Stores a chat with `count` messages through the engine, by default the big chat. Indexes them if `indexed` is set.
 */
export async function fillEngine(
  count: number,
  { store, index }: ScratchEngine,
  { indexed, chat = big.chat }: { indexed: boolean; chat?: number },
): Promise<void> {
  const { token } = big;
  await store.merge([
    { kind: 'application', token, revision: 0, at: 1, name: 'big' },
    { kind: 'chat', token, chat, revision: 0, at: 1, name: 'big' },
  ]);
  const texts = messageTexts();
  for (let last = 0; last < count; last += limits.rowsPerTransaction) {
    const messages = Array.from({ length: Math.min(limits.rowsPerTransaction, count - last) }, (_, i) => ({
      token,
      chat,
      number: last + i + 1,
      content: { ...blankContent, body: texts.next().value },
      at: 1_700_000_000_000 + last + i,
    }));
    await store.merge(messages.map((message) => ({ kind: 'message', revision: 0, ...message })));
    if (indexed)
      await index.index(
        messages.map(({ at, ...message }) => ({ ...message, revisions: noRevisions, createdAt: at, updatedAt: at })),
      );
  }
}
