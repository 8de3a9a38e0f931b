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

/** The bytes that name a message to the search worker, of up to 1,000 in one queue message. */
export const changeBytes = encodeChanges([{ token, chat: 100, number: 100_000 }]).length;
