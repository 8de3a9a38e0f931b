import { messageView } from '../../functions/runtime/views.ts';
import { recordsOf } from '../../lib/ledger/store-records.ts';
import { encodeChanges } from '../../lib/queue/records.ts';
import { usualBody } from '../texts.ts';

const token = 'Q2lDXdH2R2GfSqkhVYzhGg';
const at = Date.UTC(2026, 0, 1);

/** What a create of so many messages of the usual length is in bytes, by the code that writes it. */
export interface RequestSizes {
  /** The records that carry it to the store worker. */
  records: number[];
  /** The body of the answer. */
  answer: number;
}

export function requestSizes(messages: number): RequestSizes {
  const numbers = Array.from({ length: messages }, (_, i) => 100_000 + i);
  const writes = numbers.map((number) => ({
    kind: 'message' as const,
    token,
    chat: 100,
    number,
    revision: 0,
    at,
    body: usualBody,
  }));
  const views = numbers.map((number) => messageView({ number, body: usualBody, createdAt: at, updatedAt: at }));
  return {
    records: recordsOf(writes).map((record) => record.length),
    answer: JSON.stringify(messages === 1 ? views[0] : { data: views }).length,
  };
}

const changeBytes = (messages: number): number =>
  encodeChanges(Array.from({ length: messages }, () => ({ token, chat: 100, number: 100_000 }))).length;
const perMessage = changeBytes(2) - changeBytes(1);

/** The bytes of a queue message that names so many messages to the search worker: on average, so not of whole ones. */
export const changesSize = (messages: number): number => changeBytes(1) + (messages - 1) * perMessage;
