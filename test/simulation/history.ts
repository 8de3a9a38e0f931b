import type { OperationId } from '../../lib/api/routes.ts';

/** One request of a client and its response. */
export interface Attempt {
  startedAt: number;
  /** The time at which the client had the response or gave up. */
  endedAt: number;
  /** 504 stands for no response. */
  status: number;
  json: Record<string, unknown>;
  /** Whether a call to DynamoDB failed during the request. No other failure may fail a write. */
  dynamodbFailed: boolean;
}

/** What a client wanted. With an Idempotency-Key it may have sent several requests for it. */
export interface Operation {
  /** Identifies the operation, and is part of every text that it writes. */
  task: string;
  id: OperationId;
  /** The target. The number or token of a create is in its response. */
  token?: string;
  chat?: number;
  number?: number;
  /** The texts that it wrote: a name, a body, or the bodies of a batch. Empty if it left the name as it was. */
  texts: (string | null)[];
  /** The metadata that it wrote, as it must be stored; undefined if it wrote none. */
  metadata?: string | null | undefined;
  keyed: boolean;
  attempts: Attempt[];
}

export const startOf = ({ attempts }: Operation): number => attempts[0]?.startedAt ?? Number.POSITIVE_INFINITY;

export const isWrite = ({ id }: Operation): boolean => /^(create|edit|delete)/.test(id);

/** Returns the attempt with a successful response. */
export const accepted = ({ attempts }: Operation): Attempt | undefined =>
  attempts.find(({ status }) => status >= 200 && status < 300);

/** Returns whether the operation may have taken effect without a successful response. */
export const isUnknown = (operation: Operation): boolean =>
  !accepted(operation) && operation.attempts.some(({ status }) => status >= 500);
