import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod/mini';
import { ParkedWrites } from '../../lib/ledger/dynamodb/parked-writes.ts';
import { SqsOutbox } from '../../lib/queue/sqs/sqs-queue.ts';
import { openClient, queueCallSettings } from './calls.ts';
import { openLedgerTable, tableVariables } from './ledger-table.ts';
import { provider } from './provider.ts';

/** The accepted writes that wait in the ledger's table until the store queue STORE_QUEUE_URL accepts them. */
export const parkedWrites = provider({
  variables: { ...tableVariables, STORE_QUEUE_URL: z.url() },
  create: (environment) => {
    const sqs = openClient((settings) => new SQSClient({ ...settings, ...queueCallSettings }));
    return new ParkedWrites(openLedgerTable(environment).table, new SqsOutbox(sqs, environment.STORE_QUEUE_URL));
  },
});
