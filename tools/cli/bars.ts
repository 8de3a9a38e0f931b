import { formatNumber } from './numbers.ts';

/** The time between two lines of progress when the output is not a terminal, in milliseconds. */
export const lineEveryMs = 2_000;

/**
 * Returns the options of a progress bar for cli-progress.
 *
 * @param widths.value the width of the number of things done, in columns, so that several bars are aligned
 */
export const barOptions = (stream: NodeJS.WriteStream, format: string, { value: width = 0 } = {}) => ({
  stream,
  format,
  formatValue: (value: number, _options: unknown, type: string) =>
    type === 'percentage' ? String(value).padStart(3) : formatNumber(value).padStart(type === 'value' ? width : 0),
  barsize: 30,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  hideCursor: true,
});
