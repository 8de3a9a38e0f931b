import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { QueueName } from '../functions/queues.ts';
import { projectVersion } from '../tools/cli/project.ts';
import { durationBounds, type Traffic } from './traffic.ts';

/** The content type of Prometheus's text format. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * How often the delay of the event loop is sampled, in milliseconds. A measured value includes this time, so it is
 * subtracted.
 */
const delaySampleMs = 20;

/** What the engine knows about its own work. */
export interface EngineState {
  queues: readonly { queue: QueueName; messages: number; deadLetters: number }[];
  /** Open streams. */
  followers: number;
}

/** Renders the metrics of a host in Prometheus's text format (version 0.0.4). */
export class Metrics {
  readonly #traffic: Traffic;
  readonly #state: () => Promise<EngineState>;
  readonly #delay = monitorEventLoopDelay({ resolution: delaySampleMs });

  constructor(traffic: Traffic, state: () => Promise<EngineState>) {
    this.#traffic = traffic;
    this.#state = state;
    this.#delay.enable();
  }

  /** Returns all metrics as text. The delays of the event loop are those since the last call. */
  async render(): Promise<string> {
    const { queues, followers } = await this.#state();
    const { user, system } = process.cpuUsage();
    const families = [
      family('chat_system_info', 'gauge', 'Version of chat-system; the value is 1.', [
        ['', { version: projectVersion() }, 1],
      ]),
      ...this.#requests(),
      family(
        'chat_system_queue_messages',
        'gauge',
        'Accepted records that a worker has not processed yet, counted up to 100000.',
        queues.map(({ queue, messages }) => ['', { queue }, messages]),
      ),
      family(
        'chat_system_dead_letters',
        'gauge',
        'Records that a worker cannot process; see script/ops dead-letters.',
        queues.map(({ queue, deadLetters }) => ['', { queue }, deadLetters]),
      ),
      family('chat_system_followers', 'gauge', 'Open streams of the feed.', [['', {}, followers]]),
      ...this.#delays(),
      family('process_resident_memory_bytes', 'gauge', 'Memory of the accepting process, without reader processes.', [
        ['', {}, process.memoryUsage.rss()],
      ]),
      family('process_cpu_seconds_total', 'counter', 'Processor time of the accepting process.', [
        ['', {}, (user + system) / 1e6],
      ]),
      family('process_start_time_seconds', 'gauge', 'Start of the process, in seconds since 1970.', [
        ['', {}, performance.timeOrigin / 1_000],
      ]),
    ];
    this.#delay.reset();
    return families.join('');
  }

  #delays(): string[] {
    const percents = { p50: 50, p99: 99, max: 100 };
    return Object.entries(percents).map(([name, percent]) => {
      const seconds = Math.max(this.#delay.percentile(percent) / 1e6 - delaySampleMs, 0) / 1_000;
      const help = `Delay of the event loop since the last scrape (${name}).`;
      return family(`chat_system_event_loop_delay_${name}_seconds`, 'gauge', help, [['', {}, seconds]]);
    });
  }

  #requests(): string[] {
    const counts: Sample[] = [];
    const durations: Sample[] = [];
    for (const [route, { byStatusClass, byDuration, totalMs }] of this.#traffic.byServed) {
      byStatusClass.forEach((count, i) => {
        if (count > 0) counts.push(['', { route, status: `${i + 1}xx` }, count]);
      });
      let until = 0;
      byDuration.forEach((count, i) => {
        until += count;
        durations.push(['_bucket', { route, le: `${durationBounds[i] ?? '+Inf'}` }, until]);
      });
      durations.push(['_sum', { route }, totalMs / 1_000], ['_count', { route }, until]);
    }
    return [
      family('chat_system_requests_total', 'counter', 'Responses by route and status class.', counts),
      family(
        'chat_system_request_duration_seconds',
        'histogram',
        'Time from the head of a request to the head of its response.',
        durations,
      ),
    ];
  }
}

type Sample = [suffix: string, labels: Record<string, string>, value: number];

/** Returns the lines of a metric. Label values are our own names and need no escaping. */
function family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string, samples: Sample[]): string {
  const lines = samples.map(([suffix, labels, value]) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((line) => `${line}\n`).join('')}`;
}
