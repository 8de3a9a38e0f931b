import type { Say } from './run.ts';

export const providerNames = ['docker', 'native', 'external'] as const;
export type ProviderName = (typeof providerNames)[number];

/** The addresses of the servers that functions use. */
export interface Addresses {
  /** `mysql://user@host:port/database`, without the password. */
  mysqlUrl: string;
  opensearchUrl: string;
}

/** The servers that the stack is deployed to and uses. */
export interface Servers extends Addresses {
  awsEndpoint: string;
  mysqlPassword: string;
  /** Whether the emulator has AppSync Events. */
  hasFeed: boolean;
  /** The addresses that work for the functions, which may run in a separate network. */
  fromFunctions: Addresses;
}

/** A step of starting the servers. Steps run concurrently. */
export interface Step {
  title: string;
  run: (say: Say) => Promise<void>;
}

/** The current state of one of the servers. */
export interface Part {
  name: string;
  running: boolean;
  address: string;
  pid?: number | undefined;
  data?: string;
  log?: string;
}

/** A way to run the servers. */
export interface Provider {
  name: ProviderName;
  servers: Servers;
  /** Checks that this machine can run the servers, without changing anything. @throws CommandProblem when it cannot */
  check: () => Promise<void>;
  steps: Step[];
  parts: () => Promise<Part[]>;
  /** Prints the last log lines of the servers; with `follow`, also new lines until the process exits. */
  printLogs: (part: string | undefined, lines: number, follow: boolean) => Promise<void>;
  /** Stops the servers that the steps started; keeps the data. */
  stop: () => Promise<void>;
  /** Deletes the data. Call it only after `stop`. */
  deleteData: () => Promise<void>;
}
