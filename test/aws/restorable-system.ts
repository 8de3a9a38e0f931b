import { randomUUID } from 'node:crypto';
import { type AttributeValue, DeleteTableCommand, DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ledger } from '../../functions/aws/ledger.ts';
import { parkedWrites } from '../../functions/aws/parked-writes.ts';
import { bind } from '../../functions/aws/provider.ts';
import { queueProviders } from '../../functions/aws/queues.ts';
import { searchIndex } from '../../functions/aws/search-index.ts';
import { store } from '../../functions/aws/store.ts';
import { queueNames, queueService, queueVariables } from '../../functions/queues.ts';
import { createLedgerTable } from '../../lib/ledger/dynamodb/schema.ts';
import { DynamodbTable } from '../../lib/ledger/dynamodb/table.ts';
import { rollUp } from '../../lib/rollup/rollup.ts';
import { openOpensearch } from '../../lib/search/opensearch/client.ts';
import { lambdaContext, sqsEvent } from '../../local/lambda-events.ts';
import { makeWorkers } from '../../local/workers.ts';
import { credentials } from '../../tools/stack/credentials.ts';
import { databaseSecret } from '../../tools/stack/database-secret.ts';
import { awsClientSettings, awsServices } from '../support/servers/aws-services.ts';
import { type MysqlDatabase, newStoreDatabase } from '../support/servers/mysql-database.ts';

const queues = queueNames.flatMap((name) => Object.values(queueVariables(name)));
const sqsBatch = 10;

type Services = Awaited<ReturnType<typeof bindAll>>;
const bindAll = (environment: Record<string, string>) =>
  bind({ ledger, store, searchIndex, ...queueProviders, parkedWrites }, environment);

/**
 * The AWS engine with its own table, queues and database, which can be reset to an earlier table or database. Its
 * workers run only on request.
 */
export class RestorableSystem {
  /** The environment variables for script/ops --aws. */
  readonly environment: Record<string, string>;
  #services: Services;
  readonly #dynamodb: DynamoDBClient;
  readonly #sqs: SQSClient;
  readonly #tables: string[];
  readonly #databases: MysqlDatabase[];
  readonly #search = openOpensearch(awsServices.opensearchUrl);

  private constructor(environment: Record<string, string>, services: Services, database: MysqlDatabase) {
    this.environment = environment;
    this.#services = services;
    this.#dynamodb = new DynamoDBClient(awsClientSettings);
    this.#sqs = new SQSClient(awsClientSettings);
    this.#tables = [environment.LEDGER_TABLE as string];
    this.#databases = [database];
  }

  static async open(): Promise<RestorableSystem> {
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: awsServices.awsEndpoint });
    const [dynamodb, sqs, name] = [new DynamoDBClient(), new SQSClient(), randomUUID()];
    await createLedgerTable(dynamodb, name);
    const urls = queues.map(async (variable, i) => {
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${name}-${i}` }));
      return [variable, QueueUrl];
    });
    const database = await newStoreDatabase();
    const environment: Record<string, string> = {
      ...Object.fromEntries(await Promise.all(urls)),
      ...credentials,
      AWS_ENDPOINT_URL: awsServices.awsEndpoint,
      LEDGER_TABLE: name,
      MYSQL_URL: withoutPassword(database.url),
      MYSQL_SECRET: databaseSecret,
      MYSQL_USE: 'work',
      OPENSEARCH_URL: awsServices.opensearchUrl,
    };
    return new RestorableSystem(environment, await bindAll(environment), database);
  }

  get ledger(): Services['ledger'] {
    return this.#services.ledger;
  }

  get store(): Services['store'] {
    return this.#services.store;
  }

  /** Runs each queue's worker until the queue is empty, and then the roll-up. */
  async work(): Promise<void> {
    const workers = await makeWorkers(this.#services);
    for (const name of queueNames) {
      const queue = this.#services[queueService(name)];
      for (let some = await queue.receive(sqsBatch); some.length > 0; some = await queue.receive(sqsBatch)) {
        const { batchItemFailures } = await workers[name](sqsEvent(name, some), lambdaContext(name));
        if (batchItemFailures.length > 0) throw new Error(`${batchItemFailures.length} records failed`);
        await queue.acknowledge(some.map(({ receipt }) => receipt));
      }
    }
    await rollUp(this.store, this.ledger);
    await this.#search.indices.refresh();
  }

  /** Copies the ledger's table, as a backup does, and returns the name of the copy. */
  async copyOfTable(): Promise<string> {
    const name = randomUUID();
    await createLedgerTable(this.#dynamodb, name);
    this.#tables.push(name);
    const items: Record<string, AttributeValue>[] = [];
    for await (const { Items = [] } of paginateScan({ client: this.#dynamodb }, { TableName: this.#tables[0] }))
      items.push(...Items);
    await new DynamodbTable(this.#dynamodb, name).write(items);
    return name;
  }

  /** Copies the database, as a backup does, and returns the URL of the copy. */
  async copyOfDatabase(): Promise<string> {
    const copy = await newStoreDatabase();
    this.#databases.push(copy);
    const from = new URL((this.#databases[0] as MysqlDatabase).url).pathname.slice(1);
    for (const row of await copy.run('SHOW TABLES')) {
      const [table] = Object.values(row);
      await copy.run(`DELETE FROM ${table}`);
      await copy.run(`INSERT INTO ${table} SELECT * FROM ${from}.${table}`);
    }
    return withoutPassword(copy.url);
  }

  /** Switches to another table or database, like functions whose variables were changed. */
  async use(changed: { LEDGER_TABLE: string } | { MYSQL_URL: string }): Promise<void> {
    Object.assign(this.environment, changed);
    this.#services = await bindAll(this.environment);
  }

  /** Deletes all documents of the application from the search index. */
  async loseIndex(token: string): Promise<void> {
    await this.#search.deleteByQuery({ index: 'messages', body: { query: { term: { token } } }, refresh: true });
  }

  async close(): Promise<void> {
    for (const TableName of this.#tables) await this.#dynamodb.send(new DeleteTableCommand({ TableName }));
    for (const variable of queues)
      await this.#sqs.send(new DeleteQueueCommand({ QueueUrl: this.environment[variable] }));
    for (const database of this.#databases) await database.drop();
    await this.#search.close();
  }
}

function withoutPassword(url: string): string {
  const plain = new URL(url);
  plain.password = '';
  return plain.href;
}
