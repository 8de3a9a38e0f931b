import { median } from '../statistics/quantiles.ts';
import type { Measurement } from './figure.ts';
import { meets, ratios } from './ratios.ts';

/** The headings of a table of measurements. */
export const columns = ['measured', 'result (range)', 'reference', 'ratio (range)', 'target', 'met'];

/** Returns the table cells of a measurement. */
export function cellsOf(measurement: Measurement): string[] {
  const { what, unit, values, reference } = measurement;
  const ratio = ratios(measurement);
  return [
    what,
    `${spread(values)} ${unit}`,
    reference ? `${reference.what}: ${number(median(reference.values))} ${unit}` : '',
    ratio ? spread(ratio) : '',
    targetOf(measurement),
    verdictOf(meets(measurement)),
  ];
}

export const verdictOf = (met: boolean | undefined): string => (met === undefined ? '' : met ? 'yes' : '**no**');

/** Formats the limit that the bar sets for the ratio or, without a reference, for our value. */
export const targetOf = ({ bar, reference, unit }: Measurement): string => {
  if (!bar) return '';
  const limit = 'atLeast' in bar ? `≥ ${number(bar.atLeast)}` : `≤ ${number(bar.atMost)}`;
  return reference ? `ratio ${limit}` : `${limit} ${unit}`;
};

/** Formats the median and, if there are several values, the least and the greatest. */
export function spread(values: number[]): string {
  const middle = number(median(values));
  return values.length > 1 ? `${middle} (${number(Math.min(...values))}–${number(Math.max(...values))})` : middle;
}

/** Formats a number with three significant digits, or with all digits before the point. */
export const number = (value: number): string =>
  Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(Math.abs(value) < 0.1 ? 2 : 3)));
