import { createHistogram } from 'node:perf_hooks';
import { log, logEvents } from '../functions/runtime/observe/log.ts';
import { type OperationId, type Route, routes } from '../lib/api/routes.ts';

/**
 * Which handler served a request: an operation of the route table, the metrics, or `other` for preflights, unknown paths
 * and wrong methods. The list is fixed, so a client cannot add values by inventing paths.
 */
export type Served = OperationId | 'metrics' | 'other';

/** The status classes that are counted, by the first digit of the status. */
const statusClasses = 5;

/**
 * Upper bounds of the duration buckets, in seconds. Creates take about 1 ms, reads are refused after 2 s
 * (local/readers.ts), and a slow client may take 30 s to send its body (local/server.ts).
 */
export const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30] as const;

/** Time between two summaries while there is traffic, in milliseconds. */
const summaryMs = 60_000;

/** Requests that monitoring repeats all the time. They are counted in the metrics, but they are no traffic. */
const probes: ReadonlySet<Served> = new Set<Served>(['getHealth', 'metrics']);

/** A request, and the status and duration of its response. */
export interface ServedRequest {
  served: Served;
  method: string;
  status: number;
  requestId: string;
  /** From the head of the request to the head of the response, in milliseconds. */
  durationMs: number;
}

/** What was counted of the requests of one handler since the start. */
export class RouteTraffic {
  /** Requests by their status class: index 0 is 1xx, index 1 is 2xx, and so on. */
  readonly byStatusClass = new Uint32Array(statusClasses);
  /**
   * Requests by the first of {@link durationBounds} that they did not exceed. The last element counts the requests that
   * exceeded every bound.
   */
  readonly byDuration = new Uint32Array(durationBounds.length + 1);
  /** Sum of all durations, in milliseconds. */
  totalMs = 0;
}

/** Writes a log event: its message, and its members for a program that reads the log. */
export type Show = (level: 'debug' | 'info', message: string, members: Record<string, string | number>) => void;

/** Counts the responses of a server, and logs them. */
export class Traffic {
  readonly byServed = new Map<Served, RouteTraffic>();
  readonly #show: Show;
  readonly #isVerbose: boolean;
  readonly #followers: () => number;
  /** Durations since the last summary, in microseconds. */
  readonly #recent = createHistogram();
  #creates = 0;
  #clientErrors = 0;
  #serverErrors = 0;
  #hadTraffic = false;
  #summary: NodeJS.Timeout | undefined;

  /**
   * @param options.isVerbose whether to log each response. It is an option because asking the logger for its level takes
   *   0.5 µs, which every create would pay
   * @param options.followers returns the number of open streams
   */
  constructor({ show = logged, isVerbose, followers }: { show?: Show; isVerbose: boolean; followers: () => number }) {
    this.#show = show;
    this.#isVerbose = isVerbose;
    this.#followers = followers;
  }

  /** Counts and logs a response. */
  note(request: ServedRequest): void {
    const { served, status, durationMs } = request;
    const route = this.#routeOf(served);
    const statusClass = Math.floor(status / 100) - 1;
    route.byStatusClass[statusClass] = (route.byStatusClass[statusClass] ?? 0) + 1;
    let bucket = 0;
    while (durationMs > (durationBounds[bucket] ?? Number.POSITIVE_INFINITY) * 1_000) bucket++;
    route.byDuration[bucket] = (route.byDuration[bucket] ?? 0) + 1;
    route.totalMs += durationMs;
    if (!probes.has(served)) this.#noteTraffic(request);
    if (this.#isVerbose) this.#show('debug', logEvents.responded, lineOf(request));
  }

  #routeOf(served: Served): RouteTraffic {
    const known = this.byServed.get(served);
    if (known) return known;
    const added = new RouteTraffic();
    this.byServed.set(served, added);
    return added;
  }

  #noteTraffic({ served, status, durationMs }: ServedRequest): void {
    // The histogram takes whole numbers from 1.
    this.#recent.record(Math.max(Math.round(durationMs * 1_000), 1));
    if (status === 201 && served !== 'createAccessToken') this.#creates++;
    else if (status >= 500) this.#serverErrors++;
    else if (status >= 400) this.#clientErrors++;
    if (!this.#summary) {
      this.#summary = setTimeout(() => this.#summarize(), summaryMs);
      this.#summary.unref();
    }
    if (this.#hadTraffic) return;
    this.#hadTraffic = true;
    this.#show('info', logEvents.firstRequest, {});
  }

  #summarize(): void {
    this.#summary = undefined;
    this.#show('info', logEvents.traffic, {
      requests: this.#recent.count,
      creates: this.#creates,
      client_errors: this.#clientErrors,
      server_errors: this.#serverErrors,
      p50_ms: this.#recent.percentile(50) / 1_000,
      p99_ms: this.#recent.percentile(99) / 1_000,
      followers: this.#followers(),
    });
    this.#recent.reset();
    this.#creates = 0;
    this.#clientErrors = 0;
    this.#serverErrors = 0;
  }
}

/** Returns the members of a request's log line. The route is the path of the table, because a real path has tokens. */
function lineOf({ served, method, status, requestId, durationMs }: ServedRequest): Record<string, string | number> {
  const path = served === 'metrics' ? '/metrics' : served === 'other' ? '*' : (routes[served] as Route).path;
  return { request_id: requestId, status, route: `${method} ${path}`, duration_ms: Math.round(durationMs * 100) / 100 };
}

/** Writes to the log, for programs. */
const logged: Show = (level, message, members) => log[level](message, members);

/** Writes a line of text in place of a log event, for a person at a terminal. */
export const onTerminal =
  (write: (line: string) => void): Show =>
  (level, message, members) => {
    if (level === 'info' && !['DEBUG', 'INFO'].includes(log.getLevelName())) return;
    const time = new Date().toISOString().slice(11, 23);
    const { request_id, status, route, duration_ms, ...others } = members;
    if (request_id) write(`${time}  ${status}  ${`${duration_ms} ms`.padStart(10)}  ${route}  ${request_id}`);
    else {
      const rest = Object.entries(others).map(([name, value]) => `${name} ${value}`);
      write([`${time}  ${message}`, rest.join(', ')].filter(Boolean).join(': '));
    }
  };
