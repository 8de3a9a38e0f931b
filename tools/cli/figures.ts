const format = new Intl.NumberFormat('en');

/** A whole number with separators: 47,543. */
export const figure = (value: number): string => format.format(Math.round(value));

/** How many things, with the noun in the right number: 1 chat, 2 chats. */
export const count = (value: number, noun: string, plural = `${noun}s`): string =>
  `${figure(value)} ${value === 1 ? noun : plural}`;

/** A time in milliseconds as seconds: 4.2 s. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
