import { figure } from './figures.ts';

/** Time between two lines of progress where the output is no terminal, in milliseconds. */
export const lineEveryMs = 2_000;

/**
 * The look of a progress bar, for cli-progress.
 *
 * @param widths.value columns that the number of things done takes, so that bars below each other line up
 */
export const barOptions = (stream: NodeJS.WriteStream, format: string, { value: width = 0 } = {}) => ({
  stream,
  format,
  formatValue: (value: number, _options: unknown, type: string) =>
    type === 'percentage' ? String(value).padStart(3) : figure(value).padStart(type === 'value' ? width : 0),
  barsize: 30,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  hideCursor: true,
});
