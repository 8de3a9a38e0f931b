import { ReferenceStrength } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { emulatedAccount } from './emulated-account.ts';
import type { RouteKind, Throttle } from './route-kinds.ts';

/** What a deployment's name decides. */
export interface Stage {
  /** The only account it may be deployed to. */
  account?: string;
  /** RDS for MySQL; a stage without it works only with one that is given. */
  database?: DatabaseSize;
  /** The OpenSearch domain; a stage without it works only with a cluster that is given. */
  searchDomain?: SearchDomainSize;
  /** Whether what holds data outlives its stack, which then can't be deleted by mistake. */
  keepData: boolean;
  /** Whether the registry of applications asks for the operators' key. */
  adminKey: boolean;
  /** Whether SQL and search that are given may be reached without TLS. */
  plaintext: boolean;
  /** Whether tables and index are brought up to date by the deployment. */
  migration: boolean;
  /** Whether the system secret is rotated. */
  rotation: boolean;
  /** How long logs are kept. */
  logRetention: RetentionDays;
  /** Most requests for each method of each route, by what the route is. */
  throttling: Record<RouteKind, Throttle>;
  /**
   * In USD; whoever is told of alarms is told when the account's costs of a month are above it, or will be. Well above the
   * stage's own floor (docs/deploying.md), so that it tells of growth and of accidents. `-c monthlyBudget` sets another.
   */
  monthlyBudget: number;
  /** Whether there are a dashboard and alarms. */
  watch: boolean;
  /** Whether functions that work on SQL by the clock are held to one run at a time (`FunctionSize.atOnce`). */
  reservedConcurrency: boolean;
  /** How the service stack knows what is in the data stack. */
  references: ReferenceStrength;
}

export interface DatabaseSize {
  /** As `t4g.medium`. */
  instanceType: string;
  /** A standby in another zone takes over within a minute or two. */
  multiAz: boolean;
  /** For how many days it can be set back to any moment. */
  backupDays: number;
}

export interface SearchDomainSize {
  /** As `m7g.large.search`. */
  instanceType: string;
  /** In as many zones. Two would be worse than three: without the other, neither may go on. */
  nodes: 1 | 3;
  /** Of each node. */
  diskGb: number;
}

/**
 * Two processors and 4 GB, which hold the keys of some ten million messages in memory; burstable, see docs/scaling.md for
 * when it gives way.
 */
const databaseInstance = 't4g.medium';
/** The smallest that is not burstable: indexing is steady work. */
const searchInstance = 'm7g.large.search';

/** Every stage. */
export const stages = {
  /** To try things on AWS: all that prod has, in the least number, and gone with its stacks. */
  dev: {
    database: { instanceType: databaseInstance, multiAz: false, backupDays: 1 },
    searchDomain: { instanceType: searchInstance, nodes: 1, diskGb: 100 },
    keepData: false,
    adminKey: true,
    plaintext: false,
    migration: true,
    rotation: true,
    watch: true,
    monthlyBudget: 300,
    logRetention: RetentionDays.ONE_WEEK,
    // Enough for a person and a test. It limits each route, not the account: a script that runs away on one of them costs up
    // to $5 a day with single creates (10/s at $6 a million), and $30 with batches of 1,000.
    throttling: {
      write: { rate: 10, burst: 50 },
      read: { rate: 100, burst: 200 },
      search: { rate: 20, burst: 40 },
      registry: { rate: 5, burst: 10 },
      service: { rate: 50, burst: 100 },
    },
    // A new account has ten executions at once for everything, and AWS lets nobody reserve the last hundred.
    reservedConcurrency: false,
    references: ReferenceStrength.WEAK,
  },
  prod: {
    database: { instanceType: databaseInstance, multiAz: true, backupDays: 14 },
    searchDomain: { instanceType: searchInstance, nodes: 3, diskGb: 100 },
    keepData: true,
    adminKey: true,
    plaintext: false,
    migration: true,
    rotation: true,
    watch: true,
    monthlyBudget: 700,
    // The time that a queue keeps a message, twice: what happened to it can be read for as long as it may come again.
    logRetention: RetentionDays.ONE_MONTH,
    throttling: {
      // Half of the account's quota of 10,000 requests/s (docs/scaling.md), so that no route alone takes it all.
      write: { rate: 5_000, burst: 2_500 },
      // SQL answers some thousands of reads a second; one caller in a loop shall not take them all.
      read: { rate: 2_000, burst: 1_000 },
      // Each asks SQL and every shard of an application's index.
      search: { rate: 200, burst: 200 },
      // Operators, by hand or by script; slow enough that nobody tries keys.
      registry: { rate: 20, burst: 40 },
      // No work behind it; all wrong paths and preflights are here.
      service: { rate: 1_000, burst: 1_000 },
    },
    reservedConcurrency: true,
    references: ReferenceStrength.WEAK,
  },
  /** For script/stack: an emulator on this machine, with the servers that run beside it. */
  local: {
    // Open to everyone, so it can't be deployed to AWS: CDK deploys to no other account than this.
    account: emulatedAccount,
    keepData: false,
    adminKey: false,
    // The servers are on this machine.
    plaintext: true,
    // script/stack does it: the function that CDK calls it with needs the SDK that only AWS's own runtime has.
    migration: false,
    // Not every emulator knows rotation.
    rotation: false,
    // Emulators have no metrics.
    watch: false,
    monthlyBudget: 0,
    logRetention: RetentionDays.ONE_DAY,
    // More than this machine can do.
    throttling: {
      write: { rate: 5_000, burst: 5_000 },
      read: { rate: 5_000, burst: 5_000 },
      search: { rate: 5_000, burst: 5_000 },
      registry: { rate: 5_000, burst: 5_000 },
      service: { rate: 5_000, burst: 5_000 },
    },
    reservedConcurrency: false,
    // LocalStack 4.14 knows exports, and not the output of another stack.
    references: ReferenceStrength.STRONG,
  },
} as const satisfies Record<string, Stage>;

/** How many zones the stage's own network has. A database wants two, whether it has a standby or not. */
export const zonesOf = ({ searchDomain }: Stage): number => Math.max(2, searchDomain?.nodes ?? 0);

export type StageName = keyof typeof stages;
