import type { Result } from './results.ts';

/** How much is measured: enough for a figure to publish, or just enough to check that measuring works. */
export type Scale = 'full' | 'smoke';

/** The SQL server and the search cluster of `script/stack`, for the figures of the AWS engine. */
export interface Servers {
  /** The URL of a user who may create databases, with the password. */
  mysqlUrl: string;
  opensearchUrl: string;
}

/** What a figure is measured with. */
export interface Setting {
  scale: Scale;
  /** Prints a line of progress. */
  say: (line: string) => void;
  /** Returns the servers; starts them at the first call. */
  servers: () => Promise<Servers>;
  /** The results of the other figures: what this run has measured, and what is recorded of the rest. */
  results: () => Record<string, Result>;
}

/** The bar that the median must reach: the median ratio where there is a reference, otherwise the median value. */
export type Bar = { atLeast: number } | { atMost: number };

/** One quantity, measured several times. */
export interface Measurement {
  what: string;
  /** Such as `creates/s`. */
  unit: string;
  /** One value a run. */
  values: number[];
  /** What the quantity is compared with: one value for each of ours, measured right after it. */
  reference?: { what: string; values: number[] };
  bar?: Bar;
}

/** A figure of docs/benchmarks.md: a promise about the system's speed, and how to measure it. */
export interface Figure {
  title: string;
  /** What is measured and how, in a few sentences of Markdown. */
  about: string;
  measure: (setting: Setting) => Promise<Measurement[]>;
}

/** Returns its argument; its only use is to infer and check the type. */
export const figure = (one: Figure): Figure => one;
