import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { log, logEvents, setLogLevel } from '../../functions/runtime/observe/log.ts';
import { Metrics } from '../../local/metrics.ts';
import { onTerminal, type ServedRequest, type Show, Traffic } from '../../local/traffic.ts';
import { parseMetrics } from '../support/servers/metrics-text.ts';

const level = log.getLevelName();
let shown: Parameters<Show>[];
let traffic: Traffic;
const create: ServedRequest = {
  served: 'createMessage',
  method: 'POST',
  status: 201,
  requestId: 'an id',
  durationMs: 1.234_56,
};
const answer = (members: Partial<ServedRequest> = {}) => traffic.note({ ...create, ...members });

beforeEach(() => {
  vi.useFakeTimers();
  setLogLevel('info');
  shown = [];
  traffic = new Traffic({ show: (...event) => shown.push(event), isVerbose: false, followers: () => 7 });
});
afterEach(() => {
  vi.useRealTimers();
  log.setLogLevel(level);
});

test('the first request is announced once, and traffic is summarized each minute until it ends', () => {
  vi.advanceTimersByTime(600_000);
  expect(shown).toEqual([]);

  answer();
  expect(shown).toEqual([['info', logEvents.firstRequest, {}]]);
  for (let i = 0; i < 98; i++) answer({ durationMs: 2 });
  answer({ served: 'createAccessToken', durationMs: 500 });
  answer({ status: 404, served: 'getMessage' });
  answer({ status: 503, served: 'listMessages' });
  vi.advanceTimersByTime(60_000);
  const [, summary, ...more] = shown;
  expect(summary?.slice(0, 2)).toEqual(['info', logEvents.traffic]);
  const { p50_ms, p99_ms, ...counts } = summary?.[2] ?? {};
  expect(counts).toEqual({ requests: 102, creates: 99, client_errors: 1, server_errors: 1, followers: 7 });
  expect(p50_ms).toBeCloseTo(2, 1);
  expect(p99_ms).toBeGreaterThanOrEqual(2);
  expect(more).toEqual([]);

  vi.advanceTimersByTime(600_000);
  expect(shown).toHaveLength(2);
  answer({ served: 'getMessage', status: 200 });
  vi.advanceTimersByTime(60_000);
  expect(shown.slice(2)).toMatchObject([['info', logEvents.traffic, { requests: 1, creates: 0, server_errors: 0 }]]);
});

test('health checks and scrapes of the metrics are no traffic', () => {
  for (const served of ['getHealth', 'metrics'] as const) answer({ served, method: 'GET', status: 200 });
  vi.advanceTimersByTime(600_000);
  expect(shown).toEqual([]);
});

test('at level debug, each request is an event with its route, status, duration and id', () => {
  traffic = new Traffic({ show: (...event) => shown.push(event), isVerbose: true, followers: () => 7 });
  answer();
  answer({ served: 'other', method: 'GET', status: 404 });
  expect(shown.filter(([of]) => of === 'debug')).toEqual([
    [
      'debug',
      logEvents.responded,
      {
        request_id: 'an id',
        status: 201,
        route: 'POST /applications/{token}/chats/{chat_number}/messages',
        duration_ms: 1.23,
      },
    ],
    ['debug', logEvents.responded, { request_id: 'an id', status: 404, route: 'GET *', duration_ms: 1.23 }],
  ]);
});

test('on a terminal, the events are lines of text, and none is printed above their level', () => {
  vi.setSystemTime('2026-11-29T09:30:00.123Z');
  const lines: string[] = [];
  traffic = new Traffic({ show: onTerminal((line) => lines.push(line)), isVerbose: true, followers: () => 0 });
  answer();
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual([
    `09:30:00.123  ${logEvents.firstRequest}`,
    '09:30:00.123  201     1.23 ms  POST /applications/{token}/chats/{chat_number}/messages  an id',
    `09:31:00.123  ${logEvents.traffic}: requests 1, creates 1, client_errors 0, server_errors 0, p50_ms 1.235, p99_ms 1.235, followers 0`,
  ]);
  setLogLevel('warn');
  new Traffic({ show: onTerminal((line) => lines.push(line)), isVerbose: false, followers: () => 0 }).note(create);
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(3);
});

test('the metrics count requests by route and status class, and their durations in buckets', async () => {
  for (const durationMs of [0.5, 1, 1.5, 40_000]) answer({ durationMs });
  answer({ status: 422 });
  answer({ served: 'other', method: 'BREW', status: 404 });
  const queues = [{ queue: 'store' as const, messages: 3, deadLetters: 2 }];
  const values = parseMetrics(await new Metrics(traffic, async () => ({ queues, followers: 5 })).render());
  const duration = 'chat_system_request_duration_seconds';
  expect(Object.fromEntries(values)).toMatchObject({
    'chat_system_requests_total{route="createMessage",status="2xx"}': 4,
    'chat_system_requests_total{route="createMessage",status="4xx"}': 1,
    'chat_system_requests_total{route="other",status="4xx"}': 1,
    [`${duration}_bucket{route="createMessage",le="0.001"}`]: 2,
    [`${duration}_bucket{route="createMessage",le="0.0025"}`]: 4,
    [`${duration}_bucket{route="createMessage",le="30"}`]: 4,
    [`${duration}_bucket{route="createMessage",le="+Inf"}`]: 5,
    'chat_system_queue_messages{queue="store"}': 3,
    'chat_system_dead_letters{queue="store"}': 2,
    chat_system_followers: 5,
  });
  expect(values.get(`${duration}_sum{route="createMessage"}`)).toBeCloseTo(40.004_23, 4);
});
