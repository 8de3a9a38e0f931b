import { ReferenceStrength } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { emulatedAccount } from './emulated-account.ts';
import type { RouteKind, Throttle } from './route-kinds.ts';

/** The settings of a stage. */
export interface Stage {
  /** The only AWS account that the stage can be deployed to. Default: any. */
  account?: string;
  /** The size of the RDS for MySQL instance. A stage without it needs an existing database (`-c mysqlUrl`). */
  database?: DatabaseSize;
  /** The size of the OpenSearch domain. A stage without it needs an existing cluster (`-c opensearchUrl`). */
  searchDomain?: SearchDomainSize;
  /** Whether resources that hold data are retained when their stack is deleted, and protected against deletion. */
  keepData: boolean;
  /** Whether creating and listing applications requires the admin key. */
  adminKey: boolean;
  /** Whether clients can follow changes live, by AppSync Events. `-c feed` overrides it. */
  feed: boolean;
  /**
   * Whether an existing database or search cluster may be reached without TLS. The feed is then reached without TLS
   * too, as on an emulator.
   */
  plaintext: boolean;
  /** Whether each deployment migrates the SQL tables and the search index. */
  migration: boolean;
  /** Whether Secrets Manager rotates the system secret. */
  rotation: boolean;
  /** How long log lines are kept. */
  logRetention: RetentionDays;
  /** The request limits of each method of each route, by the kind of the route. */
  throttling: Record<RouteKind, Throttle>;
  /**
   * The budget in USD per month. `-c alarmEmail` is notified when the cost of the account exceeds it, or is forecast to. It
   * is well above what the stage costs without traffic (docs/deploying.md), so that only growth and accidents exceed it.
   * `-c monthlyBudget` overrides it.
   */
  monthlyBudget: number;
  /** Whether the stage has a dashboard and alarms. */
  monitoring: boolean;
  /** Whether `FunctionSize.maxConcurrency` is enforced by reserved concurrency. */
  reservedConcurrency: boolean;
  /** How the service and monitoring stacks refer to the resources of other stacks. */
  references: ReferenceStrength;
}

export interface DatabaseSize {
  /** The EC2 instance type without the prefix `db.`, such as `t4g.medium`. */
  instanceType: string;
  /** Whether a standby in another availability zone takes over on failure, within one to two minutes. */
  multiAz: boolean;
  /** For how many days the database can be restored to any point in time. */
  backupDays: number;
}

export interface SearchDomainSize {
  /** The OpenSearch instance type, such as `m7g.large.search`. */
  instanceType: string;
  /**
   * The number of nodes, one per availability zone. Two nodes are not allowed: losing either one would lose the quorum.
   */
  nodes: 1 | 3;
  /** The disk size of each node, in GB. */
  diskGb: number;
}

/** The versions of the created servers. RDS chooses the minor version of MySQL (infra/constructs/created-database.ts). */
export const engineVersions = { mysql: '8.4', opensearch: '3.3' };

/**
 * 2 vCPUs and 4 GB of memory, which hold the keys of about ten million messages. It is burstable: docs/scaling.md says at
 * which load its credits run out.
 */
const databaseInstance = 't4g.medium';
/** The smallest type that is not burstable, because indexing is a steady load. */
const searchInstance = 'm7g.large.search';

/** All stages. */
export const stages = {
  /** For experiments on AWS: everything that prod has, at the smallest size, and deleted with its stacks. */
  dev: {
    database: { instanceType: databaseInstance, multiAz: false, backupDays: 1 },
    searchDomain: { instanceType: searchInstance, nodes: 1, diskGb: 100 },
    keepData: false,
    adminKey: true,
    feed: true,
    plaintext: false,
    migration: true,
    rotation: true,
    monitoring: true,
    monthlyBudget: 300,
    logRetention: RetentionDays.ONE_WEEK,
    // Enough for one person and a test. The limits apply to each route, not to the account: a runaway script on one route
    // costs up to $8 a day with single creates (10/s at $9 per million), and $45 a day with batches of 1,000.
    throttling: {
      write: { rate: 10, burst: 50 },
      read: { rate: 100, burst: 200 },
      search: { rate: 20, burst: 40 },
      registry: { rate: 5, burst: 10 },
      service: { rate: 50, burst: 100 },
    },
    // Lambda requires that a concurrency of 100 stays unreserved, and a new account has only 10 in total.
    reservedConcurrency: false,
    references: ReferenceStrength.WEAK,
  },
  prod: {
    database: { instanceType: databaseInstance, multiAz: true, backupDays: 14 },
    searchDomain: { instanceType: searchInstance, nodes: 3, diskGb: 100 },
    keepData: true,
    adminKey: true,
    feed: true,
    plaintext: false,
    migration: true,
    rotation: true,
    monitoring: true,
    monthlyBudget: 700,
    // Twice as long as a queue keeps a message, so that logs about a message are available as long as it can be retried.
    logRetention: RetentionDays.ONE_MONTH,
    throttling: {
      // Half of the account quota of 10,000 requests/s (docs/scaling.md), so that no single route can use it up.
      write: { rate: 5_000, burst: 2_500 },
      // MySQL serves a few thousand reads/s. One caller in a loop must not use them all.
      read: { rate: 2_000, burst: 1_000 },
      // Each search queries MySQL and every shard of the index.
      search: { rate: 200, burst: 200 },
      // Creating and listing applications: for operators and their scripts. Low enough to make guessing keys pointless.
      registry: { rate: 20, burst: 40 },
      // No backend work. Unknown paths and preflight requests count here.
      service: { rate: 1_000, burst: 1_000 },
    },
    reservedConcurrency: true,
    references: ReferenceStrength.WEAK,
  },
  /** For script/stack: an AWS emulator on this machine, with the servers that script/stack starts. */
  local: {
    // Anyone may create and list applications, so the stage must not reach AWS. CDK deploys it to this account only.
    account: emulatedAccount,
    keepData: false,
    adminKey: false,
    // Not every emulator has AppSync. script/stack turns the feed on for one that has it.
    feed: false,
    // The servers run on this machine.
    plaintext: true,
    // script/stack migrates: CDK's trigger function needs the AWS SDK, which only the real Lambda runtime includes.
    migration: false,
    // Not every emulator supports rotation.
    rotation: false,
    // Emulators do not support metrics.
    monitoring: false,
    monthlyBudget: 0,
    logRetention: RetentionDays.ONE_DAY,
    // More than this machine can serve.
    throttling: {
      write: { rate: 5_000, burst: 5_000 },
      read: { rate: 5_000, burst: 5_000 },
      search: { rate: 5_000, burst: 5_000 },
      registry: { rate: 5_000, burst: 5_000 },
      service: { rate: 5_000, burst: 5_000 },
    },
    reservedConcurrency: false,
    // LocalStack 4.14 supports exports, but not `Fn::GetStackOutput`.
    references: ReferenceStrength.STRONG,
  },
} as const satisfies Record<string, Stage>;

/** The number of availability zones of a created network. RDS requires two, even without a standby. */
export const zoneCountOf = ({ searchDomain }: Stage): number => Math.max(2, searchDomain?.nodes ?? 0);

export type StageName = keyof typeof stages;

/** The name of the stage that is one machine. It has a stack and flags of its own (infra/single-stack.ts). */
export const singleStage = 'single';

/** The names of all stages, as messages list them. */
export const stageNames = [...Object.keys(stages), singleStage];
