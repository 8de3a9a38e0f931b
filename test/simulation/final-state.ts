import { metadataKey } from '../../lib/ledger/dynamodb/keys.ts';
import { metadataIn } from '../../lib/ledger/dynamodb/metadata.ts';
import { numberIn, textIn } from '../../lib/ledger/dynamodb/table.ts';
import type { Difference } from '../../lib/reconcile/difference.ts';
import type { Taken } from './dynamodb.ts';
import type { Known } from './known.ts';
import type { World } from './world.ts';

export interface ApplicationRow {
  token: string;
  name: string;
  deleted: number;
  created_at: number | null;
  chats_count: number;
}
export interface ChatRow {
  token: string;
  number: number;
  name: string | null;
  metadata: string | null;
  deleted: number;
  created_at: number | null;
  messages_count: number;
}
export interface MessageRow {
  token: string;
  chat: number;
  number: number;
  body: string;
  revision: number;
  deleted: number;
  created_at: number | null;
}
export interface DocumentRow {
  token: string;
  chat: number;
  number: number;
  version: number;
  body: string | null;
}

/** The state after everything has completed. */
export interface FinalState {
  applications: ApplicationRow[];
  chats: ChatRow[];
  messages: MessageRow[];
  documents: DocumentRow[];
  /** The highest assigned number, by the partition of the application or chat. */
  counters: Map<string, number>;
  /** The metadata in the ledger, by the partition of the chat. */
  metadata: Map<string, string | null>;
  taken: Taken[];
  /** Why DynamoDB rejected calls as invalid. */
  invalid: string[];
  deadLetters: { body: string; reason: string | undefined }[];
  /** Places below something deleted that are left after the purge has run and nothing is in progress any more. */
  leftBelow: string[];
  /** The differences that reconcile found at the end. */
  differences: Difference[];
  /** The differences two weeks later, when reconcile records the void numbers. */
  later: Difference[];
  /** The differences that remain when the void numbers are recorded. */
  left: Difference[];
  /** What the followers know at the end. */
  followed: Known[];
}

/** The parts of the final state that are collected during the simulation. */
type Gathered = Pick<FinalState, 'deadLetters' | 'leftBelow' | 'differences' | 'later' | 'left' | 'followed'>;

export function finalState(world: World, gathered: Gathered): FinalState {
  const rows = <Row>(sql: string) => world.database.raw.prepare(sql).all() as unknown as Row[];
  const counters = new Map<string, number>();
  const metadata = new Map<string, string | null>();
  for (const item of world.table.itemsIn('')) {
    for (const counter of ['chats', 'messages'])
      if (item[counter]) counters.set(textIn(item, 'pk'), numberIn(item, counter));
    if (item.sk?.S === metadataKey({ token: '', chat: 0 }).sk) metadata.set(textIn(item, 'pk'), metadataIn(item));
  }
  return {
    applications: rows('SELECT * FROM applications'),
    chats: rows('SELECT * FROM chats'),
    messages: rows('SELECT * FROM messages'),
    documents: rows(`
      SELECT token, search_documents.chat, id & 0xffffffff AS number, version, body FROM search_documents
      JOIN search_applications ON search_applications.ordinal = search_documents.application`),
    counters,
    metadata,
    taken: world.table.taken,
    invalid: world.table.invalid,
    ...gathered,
  };
}

/** Returns the rows and the chats with counters that are below something deleted. */
export function leftBelow({ database, table }: World): string[] {
  const rows = database.raw
    .prepare(
      `SELECT 'chat ' || chats.token || '/' || number AS place
       FROM chats JOIN applications ON applications.token = chats.token AND applications.deleted = 1
       UNION ALL
       SELECT 'message ' || messages.token || '/' || messages.chat || '/' || messages.number FROM messages
       LEFT JOIN chats ON chats.token = messages.token AND chats.number = messages.chat
       LEFT JOIN applications ON applications.token = messages.token
       WHERE 1 IN (chats.deleted, applications.deleted)`,
    )
    .all() as { place: string }[];
  const items = table.itemsIn('');
  const deleted = new Set(items.flatMap((item) => (item.chats && item.deleted ? [textIn(item, 'pk')] : [])));
  const counters = items.flatMap((item) => {
    const [token = ''] = textIn(item, 'pk').split('/');
    return item.messages && deleted.has(token) ? [`counter ${textIn(item, 'pk')}`] : [];
  });
  return [...rows.map(({ place }) => place), ...counters];
}
