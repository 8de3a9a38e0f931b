import type { Result } from './results.ts';

/** The amount of work: enough for a figure to publish, or just enough to check that measuring works. */
export type Scale = 'full' | 'smoke';

/** The SQL server and the search cluster of `script/stack`, for the figures of the AWS engine. */
export interface Servers {
  /** The URL with a user that may create databases, and with the password. */
  mysqlUrl: string;
  opensearchUrl: string;
}

/** The scale, output, servers and earlier results for measuring a figure. */
export interface Setting {
  scale: Scale;
  /** Prints a line of progress. */
  say: (line: string) => void;
  /** Returns the servers; starts them at the first call. */
  servers: () => Promise<Servers>;
  /** Returns the results of the other figures: those that this run has measured, and the recorded ones of the rest. */
  results: () => Record<string, Result>;
}

/** The limit that the median must meet: the median ratio if there is a reference, otherwise the median value. */
export type Bar = { atLeast: number } | { atMost: number };

/** One quantity, measured several times. */
export interface Measurement {
  what: string;
  /** The unit of the values, such as `creates/s`. */
  unit: string;
  /** One value per run. */
  values: number[];
  /** The reference for comparison: one value for each of ours, measured right after it. */
  reference?: { what: string; values: number[] };
  bar?: Bar;
}

/** A figure of docs/benchmarks.md: a statement about the system's speed, and how to measure it. */
export interface Figure {
  title: string;
  /** What is measured and how, in a few sentences of Markdown. */
  about: string;
  /**
   * The document shows the measurements as matrices: each is named `row: column` or `matrix: row: column`.
   * Measurements of one column have the same kind of reference and the same bar.
   */
  matrix?: true;
  measure: (setting: Setting) => Promise<Measurement[]>;
}

/** Returns its argument; its only use is to infer and check the type. */
export const figure = (one: Figure): Figure => one;
