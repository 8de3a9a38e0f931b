import type { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, type TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';

/** An alarm: the texts that its notification shows, and the condition under which it fires. */
export interface AlarmSpec extends AlarmCondition {
  /** The construct id of the alarm. Changing it replaces the alarm and drops its history. */
  id: string;
  /** What breaks, and for which users. */
  description: string;
  /** The heading of the section in docs/runbook.md that says what to do. */
  section: string;
}

/** The condition under which an alarm fires. Exactly one of `above` and `below` is set. */
export interface AlarmCondition {
  metric: IMetric;
  /** The alarm fires while the metric is above this value, in the unit of the metric. */
  above?: number;
  /** The alarm fires while the metric is below this value, in the unit of the metric. */
  below?: number;
  /** How many of the last `of` periods of the metric have to be `bad`. */
  periods: { bad: number; of: number };
  /** How a period without data counts. Default: as good, because nothing happened. */
  missing?: TreatMissingData;
}

/** The link target in alarm descriptions when `-c runbookUrl` is not set. */
export const runbookFile = 'docs/runbook.md';

/**
 * Returns the link to a section of the runbook, with the anchor that GitHub makes from the heading.
 *
 * @param runbook the URL or path of the runbook
 */
export const runbookLink = (section: string, runbook = runbookFile): string =>
  `${runbook}#${section
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')}`;

/** Returns the sum of the metrics. CloudWatch allows at most ten metrics in an alarm. */
export function sumOf(metrics: IMetric[], period: Duration, label: string): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((name) => `FILL(${name},0)`)
    .join('+');
  return new MathExpression({ expression, usingMetrics, period, label });
}
