const format = new Intl.NumberFormat('en');

/** A whole number as people read it: 47,543. */
export const figure = (value: number): string => format.format(Math.round(value));

/** A time in milliseconds as seconds: 4.2 s. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
