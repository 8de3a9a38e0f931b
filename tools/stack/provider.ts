import type { Say } from './run.ts';

export const providerNames = ['docker', 'native', 'external'] as const;
export type ProviderName = (typeof providerNames)[number];

/** Where servers are. */
export interface Addresses {
  /** `mysql://user@host:port/database`, without the password. */
  mysqlUrl: string;
  opensearchUrl: string;
}

/** The servers that the stack is deployed to and works with. */
export interface Servers extends Addresses {
  awsEndpoint: string;
  mysqlPassword: string;
  /** As the functions reach them; they may run in a network of their own. */
  fromFunctions: Addresses;
}

/** Something to do before the servers are up; steps run at the same time. */
export interface Step {
  title: string;
  run: (say: Say) => Promise<void>;
}

/** One of the servers, as it is now. */
export interface Part {
  name: string;
  running: boolean;
  address: string;
  pid?: number | undefined;
  data?: string;
  log?: string;
}

/** A way to have the servers. */
export interface Provider {
  name: ProviderName;
  servers: Servers;
  /** @throws CommandProblem when this machine can't do it, before anything is changed */
  check: () => Promise<void>;
  steps: Step[];
  parts: () => Promise<Part[]>;
  /** Prints the last lines of the servers' logs, and new ones until it is stopped. */
  printLogs: (part: string | undefined, lines: number, follow: boolean) => Promise<void>;
  /** Ends what the steps started, and keeps the data. */
  stop: () => Promise<void>;
  /** Only after `stop`. */
  deleteData: () => Promise<void>;
}
