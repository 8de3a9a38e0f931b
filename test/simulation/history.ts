import type { OperationId } from '../../lib/api/routes.ts';

/** One request of a client, and what came back. */
export interface Attempt {
  startedAt: number;
  /** When the client had the answer, or gave up. */
  endedAt: number;
  /** 504 stands for no answer at all. */
  status: number;
  json: Record<string, unknown>;
  /** Whether a call to DynamoDB failed in it: all that may fail a write. */
  hurt: boolean;
}

/** What a client wanted; with an Idempotency-Key it may have asked several times for it. */
export interface Operation {
  /** Names it, and stands in every text that it writes. */
  task: string;
  id: OperationId;
  /** What it was about; a create's own number or token is in its answer. */
  token?: string;
  chat?: number;
  number?: number;
  /** The texts that it wrote: a name, a body, or those of a batch. */
  texts: (string | null)[];
  keyed: boolean;
  attempts: Attempt[];
}

export const startOf = ({ attempts }: Operation): number => attempts[0]?.startedAt ?? Number.POSITIVE_INFINITY;

export const isWrite = ({ id }: Operation): boolean => /^(create|edit|delete)/.test(id);

/** The attempt that was answered with success. */
export const accepted = ({ attempts }: Operation): Attempt | undefined =>
  attempts.find(({ status }) => status >= 200 && status < 300);

/** Whether it may have taken effect, though nobody was told so. */
export const isUnknown = (operation: Operation): boolean =>
  !accepted(operation) && operation.attempts.some(({ status }) => status >= 500);
