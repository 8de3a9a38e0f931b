import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { acceptsWrites, type OperationId, type Route, routes } from '../../lib/api/routes.ts';
import { type AlarmSpec, sumOf } from './alarm.ts';
import { functionOf, type Monitored, minute } from './monitored.ts';

const perMinute = { period: minute };

/** Returns the alarms for problems that clients notice in the response to their request. */
export function requestAlarms(monitored: Monitored): AlarmSpec[] {
  const { rest, ledger } = monitored;
  return [
    {
      id: 'ApiErrors',
      description:
        'Clients get 5xx responses: more than 1 % of requests fail. A write that failed may still have been accepted.',
      section: 'Clients get errors',
      // One or two errors in a minute do not fire the alarm, even if there are few requests.
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
      description: 'Clients wait: 1 % of requests take longer than 1.5 s. Normally a write takes about 30 ms.',
      section: 'Clients wait',
      // With fewer than 100 requests in a minute, the 99th percentile is the slowest request alone: a cold start.
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
    throttlingAlarm(monitored, {
      id: 'ThrottledWrites',
      description:
        'Writers get 503 or 429: Lambda throttles the functions that write, because the concurrency of the account is used up.',
      label: 'throttled writes',
      includes: acceptsWrites,
    }),
    // CloudWatch adds up at most 10 metrics in an alarm, so the functions that read have two alarms.
    throttlingAlarm(monitored, {
      id: 'ThrottledReads',
      description:
        'Readers, and servers that request access tokens, get 503 or 429: Lambda throttles their functions, because the concurrency of the account is used up.',
      label: 'throttled reads',
      includes: (route) => !acceptsWrites(route) && route.needs.length > 0 && !route.query,
    }),
    throttlingAlarm(monitored, {
      id: 'ThrottledLists',
      description:
        'Clients that list, search or follow changes get 503 or 429: Lambda throttles their functions, because the concurrency of the account is used up.',
      label: 'throttled lists',
      includes: (route) => !acceptsWrites(route) && route.needs.length > 0 && route.query !== undefined,
    }),
    {
      id: 'LedgerThrottles',
      description:
        'Writers to a busy chat or application get 429: DynamoDB accepts at most 1,000 writes per second to one counter.',
      section: 'The ledger is throttled',
      metric: ledger.metric('WriteThrottleEvents', { ...perMinute, statistic: 'Sum' }),
      above: 10,
      periods: { bad: 3, of: 5 },
    },
  ];
}

interface ThrottlingAlarm extends Pick<AlarmSpec, 'id' | 'description'> {
  label: string;
  /** Returns whether the alarm covers the function of the route. */
  includes: (route: Route) => boolean;
}

/** Returns an alarm that fires when Lambda throttles the functions of the included routes. */
function throttlingAlarm(monitored: Monitored, { id, description, label, includes }: ThrottlingAlarm): AlarmSpec {
  const throttles = (Object.keys(routes) as OperationId[])
    .filter((name) => includes(routes[name]))
    .map((name) => functionOf(monitored, name).metricThrottles(perMinute));
  return {
    id,
    description,
    section: 'Requests are throttled',
    metric: sumOf(throttles, minute, label),
    above: 0,
    periods: { bad: 3, of: 5 },
  };
}
