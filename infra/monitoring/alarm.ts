import type { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';

/** Something that is broken for somebody, and how it shows. */
export interface AlarmSpec {
  id: string;
  /** What is broken, for whom. */
  says: string;
  /** The heading of its section in docs/runbook.md. */
  section: string;
  metric: IMetric;
  /** It rings when the metric is above or below, whichever is said, … */
  above?: number;
  below?: number;
  /** … in so many of the last so many periods. */
  periods: { bad: number; of: number };
  /** No value means that nothing happened, unless this says otherwise. */
  missing?: TreatMissingData;
}

/** When an alarm rings. */
export type When = Pick<AlarmSpec, 'metric' | 'above' | 'below' | 'periods' | 'missing'>;

/** Where the texts of alarms find the runbook when nobody said where it is read. */
export const runbookFile = 'docs/runbook.md';

/**
 * The link in an alarm's text, to the heading as GitHub names it.
 *
 * @param runbook the address of the runbook
 */
export const runbookLink = (section: string, runbook = runbookFile): string =>
  `${runbook}#${section
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')}`;

/** The sum of up to ten metrics, which is as many as an alarm may look at. */
export function sumOf(metrics: IMetric[], period: Duration, label: string): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((name) => `FILL(${name},0)`)
    .join('+');
  return new MathExpression({ expression, usingMetrics, period, label });
}
