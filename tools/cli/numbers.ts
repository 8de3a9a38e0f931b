const format = new Intl.NumberFormat('en');

/** Formats a whole number with separators: 47,543. */
export const formatNumber = (value: number): string => format.format(Math.round(value));

/** Formats a count with its noun in the singular or plural: 1 chat, 2 chats. */
export const count = (value: number, noun: string, plural = `${noun}s`): string =>
  `${formatNumber(value)} ${value === 1 ? noun : plural}`;

/** Formats milliseconds as seconds: 4.2 s. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
