import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamodbLedger } from '../../../lib/ledger/dynamodb/dynamodb-ledger.ts';
import { ParkedWrites } from '../../../lib/ledger/dynamodb/parked-writes.ts';
import { limits } from '../../../lib/limits.ts';
import { NotSent } from '../../../lib/queue/queue.ts';
import { SqsQueue } from '../../../lib/queue/sqs/sqs-queue.ts';
import { OpensearchIndex } from '../../../lib/search/opensearch/opensearch-index.ts';
import { MysqlStore, openMysql } from '../../../lib/store/mysql/mysql-store.ts';
import { reconcileContract } from '../../contract/suites/reconcile.ts';
import { awsClientSettings } from '../../support/servers/aws-services.ts';
import { openLedgerTable } from '../../support/servers/ledger-table.ts';
import { newStoreDatabase } from '../../support/servers/mysql-database.ts';
import { newIndex } from '../../support/servers/opensearch-index.ts';

reconcileContract('AWS', async (now) => {
  const [table, database, index] = [await openLedgerTable(), await newStoreDatabase(), await newIndex()];
  const db = openMysql(database.url, { connections: 4, timeouts: limits.sqlMs.work });
  const sqs = new SQSClient(awsClientSettings);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${randomUUID()}-dead` }));
  const deadLetters = new SqsQueue(sqs, QueueUrl, QueueUrl);
  let isOut = false;
  let added = false;
  const parkedWrites = new ParkedWrites(table.table, {
    send: async (bodies) => {
      if (isOut) throw new NotSent(bodies, new Error('SQS is out'));
      await table.queue.send(bodies);
    },
  });
  let seen = 0;
  return {
    services: {
      ledger: new DynamodbLedger(table.table, parkedWrites, { now }),
      store: new MysqlStore(db),
      searchIndex: new OpensearchIndex(index.client, index.alias),
      // SQS takes a second to report an empty dead-letter queue, and most of the tests have no dead letters.
      storeQueue: { deadLetters: async (max) => (added ? deadLetters.deadLetters(max) : []) },
      waitingWrites: parkedWrites,
    },
    queued: async () => {
      const writes = await table.writes();
      const fresh = writes.slice(seen);
      seen = writes.length;
      return fresh;
    },
    whileWritesWait: async (work) => {
      isOut = true;
      await work();
      isOut = false;
    },
    addDeadLetters: async (ofTest) => {
      added = true;
      await deadLetters.addDeadLetters(ofTest);
    },
    runOnStore: (statement) => database.run(statement),
    refreshed: async () => {
      await index.client.indices.refresh({ index: index.alias });
    },
    close: async () => {
      await db.destroy();
      await Promise.all([table.remove(), database.drop(), index.remove()]);
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
  };
});
