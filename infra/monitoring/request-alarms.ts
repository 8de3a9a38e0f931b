import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { type AlarmSpec, sumOf } from './alarm.ts';
import { functionOf, minute, type Watched } from './watched.ts';

const perMinute = { period: minute };

/** What clients feel at once. */
export function acceptingAlarms(watched: Watched): AlarmSpec[] {
  const { rest, ledger } = watched;
  const throttles = (chosen: (route: Route) => boolean, label: string) => {
    const names = (Object.keys(routes) as OperationId[]).filter((id) => chosen(routes[id]));
    return sumOf(
      names.map((name) => functionOf(watched, name).metricThrottles(perMinute)),
      minute,
      label,
    );
  };
  return [
    {
      id: 'ApiErrors',
      says: 'Clients get 5xx answers: more than one request in a hundred fails, and what was written may be accepted or not.',
      section: 'Clients get errors',
      // A single failure among few requests is no reason to get up.
      metric: new MathExpression({
        expression: 'IF(errors > 2, 100 * errors / requests, 0)',
        usingMetrics: { errors: rest.metricServerError(perMinute), requests: rest.metricCount(perMinute) },
        period: minute,
        label: '5xx, % of requests',
      }),
      above: 1,
      periods: { bad: 3, of: 5 },
    },
    {
      id: 'ApiLatency',
      says: 'Clients wait: one request in a hundred takes longer than 1.5 s. In health a write takes some 30 ms.',
      section: 'Clients wait',
      // Of fewer than a hundred requests in a minute, the 99th percentile is the slowest alone: a cold start.
      metric: new MathExpression({
        expression: 'IF(requests >= 100, latency, 0)',
        usingMetrics: {
          latency: rest.metricLatency({ ...perMinute, statistic: 'p99' }),
          requests: rest.metricCount(perMinute),
        },
        period: minute,
        label: 'latency, p99 of at least 100 requests, ms',
      }),
      above: 1_500,
      periods: { bad: 5, of: 5 },
    },
    {
      id: 'ThrottledWrites',
      says: 'Writers are turned away: Lambda does not run the functions that write as often as they are called. The account’s concurrency is used up.',
      section: 'Requests are turned away',
      metric: throttles(({ method }) => method !== 'GET', 'throttled writes'),
      above: 0,
      periods: { bad: 3, of: 5 },
    },
    {
      id: 'ThrottledReads',
      says: 'Readers are turned away: Lambda does not run the functions that read as often as they are called. The account’s concurrency is used up.',
      section: 'Requests are turned away',
      metric: throttles(({ method, needs }) => method === 'GET' && needs.length > 0, 'throttled reads'),
      above: 0,
      periods: { bad: 3, of: 5 },
    },
    {
      id: 'LedgerThrottles',
      says: 'Writers to a busy chat or application get 429: DynamoDB takes no more than 1,000 writes a second of one counter.',
      section: 'The ledger is throttled',
      metric: ledger.metric('WriteThrottleEvents', { ...perMinute, statistic: 'Sum' }),
      above: 10,
      periods: { bad: 3, of: 5 },
    },
  ];
}
