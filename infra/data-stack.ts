import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type AwsQueue, perQueue, type QueueName, queueVariables } from '../functions/queues.ts';
import { type DatabaseSize, type SearchDomainSize, zoneCountOf } from './config.ts';
import { AdminKey } from './constructs/admin-key.ts';
import { ApiDomain } from './constructs/api-domain.ts';
import { CreatedDatabase } from './constructs/created-database.ts';
import type { Database } from './constructs/database.ts';
import { ExistingDatabase } from './constructs/existing-database.ts';
import { ExistingSearchCluster } from './constructs/existing-search-cluster.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { CreatedNetwork, type EndpointResources, ExistingNetwork, type Network } from './constructs/network.ts';
import { OperationsPolicy } from './constructs/operations-policy.ts';
import type { SearchCluster } from './constructs/search-cluster.ts';
import { SearchDomain } from './constructs/search-domain.ts';
import { arnOf } from './constructs/secret-access.ts';
import { SystemSecret } from './constructs/system-secret.ts';
import { WorkQueue } from './constructs/work-queue.ts';
import type { Deployment } from './flags.ts';
import { queueResources } from './queues.ts';
import { functionSizes, visibilityOf } from './sizes.ts';

interface DataStackProps extends StackProps {
  deployment: Deployment;
}

/** Everything that holds data: ledger, queues, database, search cluster and secrets, with the network they are in. */
export class DataStack extends Stack {
  /** Without the feed, there is no feed queue. */
  readonly queues: Record<QueueName, WorkQueue> & Partial<Record<AwsQueue, WorkQueue>>;
  readonly ledger: LedgerTable;
  /** Undefined when anyone may create and list applications. */
  readonly adminKey: AdminKey | undefined;
  readonly systemSecret: SystemSecret;
  /** Undefined when database and search cluster exist already and are reached without a VPC. */
  readonly network: Network | undefined;
  readonly database: Database;
  readonly searchCluster: SearchCluster;
  /** Undefined when the API has the address that AWS gives it. */
  readonly apiDomain: ApiDomain | undefined;

  constructor(scope: Construct, id: string, { deployment, ...props }: DataStackProps) {
    const { adminKeySecret, stage, warmWrites, domain, feed } = deployment;
    const { keepData, adminKey } = stage;
    super(scope, id, { ...props, description: 'chat-system: data', terminationProtection: keepData });
    const addQueue = (name: AwsQueue) =>
      new WorkQueue(this, `${capitalized(name)}Queue`, {
        visibility: visibilityOf(functionSizes.worker, queueResources[name].delivery),
        variables: queueVariables(name),
        keepData,
      });
    this.queues = { ...perQueue(addQueue), ...(feed && { feed: addQueue('feed') }) };
    this.ledger = new LedgerTable(this, 'Ledger', { storeQueue: this.queues.store, warmWrites, keepData });
    if (adminKey || adminKeySecret)
      this.adminKey = new AdminKey(this, 'AdminKey', { secretName: adminKeySecret, keepData });
    this.systemSecret = new SystemSecret(this, 'SystemSecret', { keepData });

    const network = this.#addNetwork(deployment);
    this.network = network;
    this.database = this.#addDatabase(deployment, network);
    this.searchCluster = this.#addSearchCluster(deployment, network);
    if (domain) this.apiDomain = new ApiDomain(this, 'ApiDomain', domain);
    const { ledger, database, searchCluster } = this;
    const operated = [ledger, database, searchCluster, ...Object.values(this.queues)];
    new OperationsPolicy(this, 'Operations', operated);
    if (network instanceof CreatedNetwork) network.restrictTo(this.#endpointResources());
  }

  /** Adds the network that database and search cluster are created in, or through which existing ones are reached. */
  #addNetwork({ stage, vpcId, zones, mysql, opensearchUrl }: Deployment): ExistingNetwork | CreatedNetwork | undefined {
    if (vpcId) return new ExistingNetwork(this, 'Network', vpcId);
    if (mysql && opensearchUrl) return undefined;
    return new CreatedNetwork(this, 'Network', {
      zones: zones ?? zoneCountOf(stage),
      logRetention: stage.logRetention,
    });
  }

  #addDatabase({ stage, mysql }: Deployment, network: Network | undefined): Database {
    if (mysql) return new ExistingDatabase(this, 'Database', { mysql, network });
    const size = stage.database as DatabaseSize;
    return new CreatedDatabase(this, 'Database', { size, network: network as Network, keepData: stage.keepData });
  }

  #addSearchCluster(
    { stage, opensearchUrl, searchDomainArn }: Deployment,
    network: Network | undefined,
  ): SearchCluster {
    if (opensearchUrl)
      return new ExistingSearchCluster(this, 'SearchCluster', {
        url: opensearchUrl,
        domainArn: searchDomainArn,
        network,
      });
    const size = stage.searchDomain as SearchDomainSize;
    return new SearchDomain(this, 'SearchCluster', { size, network: network as Network, keepData: stage.keepData });
  }

  /** The resources that the VPC endpoints of a created network give access to. */
  #endpointResources(): EndpointResources {
    const queues = Object.values(this.queues).flatMap(({ queue, deadLetters }) => [queue, deadLetters]);
    const secrets = [
      ...this.database.secrets,
      this.systemSecret.secret,
      ...(this.adminKey ? [this.adminKey.secret] : []),
    ];
    return {
      // `script/ops` inspects a restored table before it replaces the ledger's table (docs/restoring.md).
      dynamodb: [this.ledger.table.tableArn, this.ledger.restoredArn],
      sqs: queues.map(({ queueArn }) => queueArn),
      secretsmanager: secrets.map(arnOf),
    };
  }
}

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
