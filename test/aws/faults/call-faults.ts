import { type DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import type { SendMessageBatchCommandInput, SQSClient } from '@aws-sdk/client-sqs';

/**
 * How a call fails. `partly failed` is SQS's response that it did not accept the last message of a batch. A function
 * that dies at a call, before or after the call takes effect, gets no response.
 */
export const callFaults = [
  'throttled',
  'refused',
  'answer lost',
  'partly failed',
  'death before',
  'death after',
] as const;
export type CallFault = (typeof callFaults)[number];

/** A fault of the `at`-th call, counted from 0. A lasting fault also applies to its retries. */
export interface Planned {
  at: number;
  fault: CallFault;
  lasting: boolean;
}

/** Records the calls of both clients since `begin`, and injects a fault into one of them. */
export class CallFaults {
  calls: string[] = [];
  /** Whether every send fails without effect. */
  queueIsOut = false;
  #died = Promise.withResolvers<void>();
  #dead = false;
  #planned: Planned | undefined;
  /** The input of the failed call, by which its retries are recognized. */
  #input: string | undefined;

  constructor(dynamodb: DynamoDBClient, sqs: SQSClient) {
    // The types of the clients differ only in what their middleware passes on, which is not used here.
    for (const { middlewareStack } of [dynamodb, sqs] as unknown as [DynamoDBClient])
      middlewareStack.add(
        (next, { commandName }) =>
          async (args) =>
            this.#call(String(commandName).replace('Command', ''), args.input, (input) => next({ ...args, input })),
        { step: 'initialize', name: 'callFaults' },
      );
  }

  begin(planned?: Planned): void {
    this.calls = [];
    this.#planned = planned;
    this.#input = undefined;
    this.#died = Promise.withResolvers();
    this.#dead = false;
  }

  /** Returns the outcome of the work. When the function dies, its client sees `unavailable`. */
  async outcomeOf<Outcome>(work: Promise<Outcome>): Promise<Outcome | 'unavailable'> {
    return await Promise.race([work, this.#died.promise.then(() => 'unavailable' as const)]);
  }

  #die(): Promise<never> {
    this.#dead = true;
    this.#died.resolve();
    return new Promise(() => undefined);
  }

  async #call<Input extends object, Result>(command: string, input: Input, next: (input: Input) => Promise<Result>) {
    // A function may have several calls in progress, and all of them end with it.
    if (this.#dead) return this.#die();
    if (command === 'SendMessageBatch' && this.queueIsOut) {
      this.calls.push(command);
      throw refused();
    }
    const sent = JSON.stringify(input);
    if (this.calls.length === this.#planned?.at) this.#input = sent;
    else if (!this.#planned?.lasting || sent !== this.#input) {
      this.calls.push(command);
      return next(input);
    }
    this.calls.push(command);
    switch (this.#planned.fault) {
      case 'throttled':
        throw new DynamoDBServiceException({ name: 'ThrottlingException', $fault: 'client', $metadata: {} });
      case 'refused':
        throw refused();
      case 'answer lost':
        await next(input);
        throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
      case 'death after':
        await next(input);
        return this.#die();
      case 'death before':
        return this.#die();
      case 'partly failed':
        // Records are parked in random partitions, so this may be another call than in the run without failures.
        if (command !== 'SendMessageBatch') return next(input);
        return await partly(input as SendMessageBatchCommandInput & Input, next);
    }
  }
}

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

async function partly<Input extends SendMessageBatchCommandInput, Result>(
  input: Input,
  next: (input: Input) => Promise<Result>,
): Promise<Result> {
  const entries = [...(input.Entries ?? [])];
  const Failed = [{ Id: entries.pop()?.Id, SenderFault: false, Code: 'InternalError' }];
  if (entries.length > 0) await next({ ...input, Entries: entries });
  return { output: { Failed, $metadata: {} }, response: {} } as Result;
}
