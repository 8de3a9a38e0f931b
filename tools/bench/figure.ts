/** How much is measured: all that a figure to publish needs, or just enough to see that measuring works. */
export type Scale = 'full' | 'smoke';

/** The SQL server and the search cluster of `script/stack`, for the figures of the AWS engine. */
export interface Servers {
  /** Of a user who may make databases. */
  mysqlUrl: string;
  opensearchUrl: string;
}

/** What a figure gets to be measured with. */
export interface Setting {
  scale: Scale;
  /** Tells the user what is going on. */
  say: (line: string) => void;
  /** Brings them up at the first call. */
  servers: () => Promise<Servers>;
}

/** What is asked of the median: of the ratio where there is a reference, of the value itself where there is none. */
export type Bar = { atLeast: number } | { atMost: number };

/** One quantity, measured several times. */
export interface Measurement {
  what: string;
  /** Such as `creates/s`. */
  unit: string;
  /** One a run. */
  values: number[];
  /** What it is held against: one value for each of ours, measured next to it. */
  reference?: { what: string; values: number[] };
  bar?: Bar;
}

/** A figure of docs/benchmarks.md: something that is promised of the system's speed, and how it is measured. */
export interface Figure {
  title: string;
  /** What is measured, and how, in a sentence or two of Markdown. */
  about: string;
  measure: (setting: Setting) => Promise<Measurement[]>;
}

/** Only for the types: they follow from the argument. */
export const figure = (one: Figure): Figure => one;
