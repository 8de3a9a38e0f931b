import { stepJson } from '../../functions/api/shared/changes.ts';
import { messageView } from '../../functions/api/shared/views.ts';
import { recordsOf } from '../../lib/ledger/store-records.ts';
import { blankContent } from '../../lib/model/content.ts';
import { encodeChanges } from '../../lib/queue/records.ts';
import { usualBody } from '../texts/usual-body.ts';

const token = 'Q2lDXdH2R2GfSqkhVYzhGg';
const at = Date.UTC(2026, 0, 1);
const requestId = '0b8f6c1e-5f5c-4a3d-9c55-0d0d6f3a2b11';

/** The sizes in bytes for a request that creates messages of the usual length, computed with the system's own code. */
export interface RequestSizes {
  /** The records for the store worker. */
  records: number[];
  /** The body of the response. */
  response: number;
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
    content: { body: usualBody },
  }));
  const views = numbers.map((number) =>
    messageView({ number, content: { ...blankContent, body: usualBody }, createdAt: at, updatedAt: at }),
  );
  return {
    records: recordsOf(writes, [requestId]).map((record) => record.length),
    response: JSON.stringify(messages === 1 ? views[0] : { data: views }).length,
  };
}

/** Returns the bytes of what a follower gets for a version with this many new messages, which may be a fraction. */
export const stepSize = (messages: number): number => stepBytes(1) + (messages - 1) * (stepBytes(2) - stepBytes(1));

const stepBytes = (messages: number): number =>
  stepJson({
    token,
    chat: 100,
    version: 100_000,
    changes: Array.from({ length: messages }, () => ({
      version: 100_000,
      number: 100_000,
      type: 'created',
      stored: { number: 100_000, content: { ...blankContent, body: usualBody }, createdAt: at, updatedAt: at },
    })),
  }).length;

const changeBytes = (messages: number, requests: number): number =>
  encodeChanges(
    Array.from({ length: messages }, () => ({ token, chat: 100, number: 100_000 })),
    { requests: Array<string>(requests).fill(requestId), at },
  ).length;
const perMessage = changeBytes(2, 1) - changeBytes(1, 1);
const perRequest = changeBytes(1, 2) - changeBytes(1, 1);

/**
 * Returns the bytes of a queue message that names changed messages to the search worker. The parameters are averages,
 * so they may be fractions.
 *
 * @param requests the number of requests for each message
 */
export const changesSize = (messages: number, requests: number): number =>
  changeBytes(1, 1) + (messages - 1) * perMessage + Math.max(messages * requests - 1, 0) * perRequest;
