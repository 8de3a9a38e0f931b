import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createBirpc } from 'birpc';
import { callerOf, self } from '../functions/runtime/http/bearer.ts';
import type { HttpHandler } from '../functions/runtime/http/operation.ts';
import { problemFor, problemResponse } from '../functions/runtime/http/proxy-result.ts';
import { joinLines } from '../functions/runtime/http/request-headers.ts';
import { log, logEvents } from '../functions/runtime/observe/log.ts';
import type { Access } from '../lib/access/access.ts';
import { Problem } from '../lib/api/problems.ts';
import { type OperationId, routes } from '../lib/api/routes.ts';
import type { LedgerReads } from '../lib/ledger/ledger.ts';
import { limits } from '../lib/limits.ts';
import type { Parent } from '../lib/model/keys.ts';
import { applicationInQueue, FairQueue } from './fair-queue.ts';
import type { MissedPart } from './feed/store-reads.ts';
import { type Pace, ReadingPaces } from './reading-pace.ts';
import { processChannel, type ReaderData, type ReaderProcess } from './threads.ts';

/** Deadline of a read, in milliseconds after its arrival. A read that exceeds it gets 503. */
const deadlineMs = 2_000;
/**
 * When a read is past its deadline, its process is killed only if the read has run for this share of the deadline. A
 * read that waited long is not slow itself, and its process is soon free; a new process costs 0.5 s of processor time.
 */
const minRunningShare = 0.5;
/**
 * A read that runs for longer than this, in milliseconds, counts as slow. Then all processes are kept ready, because
 * one may have to be killed.
 */
const slowReadMs = 200;
/** Time between two checks for reads past their deadline, in milliseconds. A timer for each read would cost more. */
const checkEveryMs = 50;

/**
 * Maximum number of concurrent reads. All reads of applications whose pace is slow or unknown count together as one, so
 * a read of a fast application can always run beside them. At most one read of an application runs, so with a limit of
 * two, one application cannot occupy all processes. With a higher limit, the reads would only compete for two
 * processors.
 */
const maxConcurrentReads = 2;
/**
 * Maximum number of processes. Two reads that count as one may run at the same time: one of a slow application and one
 * of an application of unknown pace. So there is one process more than `maxConcurrentReads`, for a fast read beside
 * both of them. A start takes 0.3 to 0.5 s. Until a read or an application is slow, the pool keeps only one idle
 * process.
 */
const maxProcesses = maxConcurrentReads + 1;

/** Delay before the next start after a process that ended before it was ready, in milliseconds. */
const failedStartDelayMs = 1_000;

/**
 * The nice value of a reader process, between accepting (0) and storing (19). The scheduler's weights for 0 and 5 are
 * 1024 and 335, so beside two readers on two processors, accepting still gets a whole processor. With 15 (weight 36),
 * reads ran into their deadline when other programs kept the machine busy.
 */
const niceValue = 5;

/**
 * The heap of a reader process. A page is at most 4 MB of JSON, plus up to 100 highlighted texts of 40 kB while it is
 * made. A read that needs more only ends its own process.
 */
const heapFlags = ['--max-old-space-size=128', '--max-semi-space-size=1', '--heap-growing-percent=40'];
const preload = ['--require', fileURLToPath(new URL('without-undici.cts', import.meta.url))];

/**
 * Maximum number of waiting reads. `perApplication`: a read takes 1 to 20 ms, so most reads beyond this number would
 * exceed their deadline. `total`: an event has the path and the headers, at most some 50 kB, so together they take 25
 * MB.
 */
const mostWaiting = { perApplication: 100, total: 500 };

/** A read that waits or runs. */
interface Read {
  /** Names it in logs. */
  route: string;
  requestId: string;
  /** See `applicationInQueue`. Of the requests without a token, only the list of applications is such a read. */
  application: string;
  /** Time of arrival, in milliseconds of `performance.now()`. */
  arrivedAt: number;
  /** Whether a problem was sent as its response. A process may still work on it. */
  isRefused: boolean;
  /** Runs it in a process, and resolves with the processor time that it took, in milliseconds. */
  run: (remote: ReaderProcess) => Promise<number>;
  refuse: (problem: Problem) => void;
  reject: (error: unknown) => void;
}

interface Reader {
  child: ChildProcess;
  /** Undefined until the process is ready. */
  remote?: ReaderProcess;
  /** Undefined while it is idle. */
  read?: Read | undefined;
  /** When it started its read, in milliseconds of `performance.now()`. */
  startedAt: number;
}

const refused = (detail: string, retryAfterSeconds: number) =>
  new Problem('unavailable', detail, { headers: { 'Retry-After': String(retryAfterSeconds) } });
const tooManyWait = () =>
  refused(`Too many reads are waiting. Retry after ${limits.retryAfterSeconds} s.`, limits.retryAfterSeconds);
const waitedTooLong = () =>
  refused(
    `The read waited longer than ${deadlineMs / 1_000} s for its turn. Retry after ${limits.unavailableRetryAfterSeconds} s.`,
    limits.unavailableRetryAfterSeconds,
  );
const outOfTime = () =>
  refused(
    `The read took longer than ${deadlineMs / 1_000} s. Retry after ${limits.unavailableRetryAfterSeconds} s, or search for something more specific.`,
    limits.unavailableRetryAfterSeconds,
  );
const interrupted = () =>
  refused(`The read was interrupted. Retry after ${limits.retryAfterSeconds} s.`, limits.retryAfterSeconds);

/**
 * Runs reads that can be slow in processes of their own, so that they never delay the accepting thread, and ends those
 * that take too long. They are processes because SQLite, as Node.js offers it, cannot be interrupted: a thread in the
 * middle of a query only ends with the query, a process can be killed (docs/decisions/0014-reader-processes.md).
 *
 * Waiting reads are taken from the applications round-robin. At most one read of an application runs at a time. However
 * many applications have slow reads, at most two processes work on them, and another one serves the rest.
 */
export class Readers {
  readonly #module: URL;
  readonly #data: ReaderData;
  readonly #ledger: LedgerReads;
  readonly #deadlineMs: number;
  readonly #readers = new Set<Reader>();
  readonly #waiting = new FairQueue<Read>(mostWaiting);
  readonly #isKnown: (token: string) => boolean;
  readonly #access: Pick<Access, 'callerOf'>;
  readonly #paces = new ReadingPaces();
  #minProcesses = 1;
  #check: NodeJS.Timeout | undefined;
  #failedStart: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #started = Promise.withResolvers<void>();

  /**
   * @param options.module what a process runs: local/reader.ts, or a test's own
   * @param options.isKnown whether an application has this token
   * @param options.access checks bearer tokens
   * @param options.deadlineMs only tests set it
   */
  constructor(options: {
    module?: URL;
    data: ReaderData;
    ledger: LedgerReads;
    isKnown: (token: string) => boolean;
    access: Pick<Access, 'callerOf'>;
    deadlineMs?: number;
  }) {
    // Asking for an application takes 3 to 16 µs. One that was read before is known, even if it is deleted by now.
    this.#isKnown = (token) => this.#paces.of(token) !== 'unknown' || options.isKnown(token);
    this.#access = options.access;
    this.#module = options.module ?? new URL('reader.ts', import.meta.url);
    this.#data = options.data;
    const { ledger } = options;
    this.#ledger = {
      application: (token) => ledger.application(token),
      chat: (token, chat) => ledger.chat(token, chat),
      hasMessage: (token, chat, number) => ledger.hasMessage(token, chat, number),
      accessGeneration: (token) => ledger.accessGeneration(token),
    };
    this.#deadlineMs = options.deadlineMs ?? deadlineMs;
    this.#startSpareProcesses();
  }

  /** Resolves when the first process is ready, or has failed to start, which is logged and retried. */
  started(): Promise<void> {
    return this.#started.promise;
  }

  /** Returns a handler that runs the route's own handler in a reader process. */
  handler(operation: OperationId): HttpHandler {
    return async (event, { awsRequestId: requestId }) => {
      let token: string;
      try {
        token = await this.#tokenOf(event);
      } catch (error) {
        return problemResponse(problemFor(error, requestId), requestId);
      }
      const { promise, resolve, reject } = Promise.withResolvers<APIGatewayProxyResult>();
      const application = applicationInQueue(token, this.#isKnown);
      const { method, path } = routes[operation];
      // No GET route reads a body.
      const withoutBody = { ...event, body: null, isBase64Encoded: false };
      this.#add({
        route: `${method} ${path}`,
        requestId,
        application,
        arrivedAt: performance.now(),
        isRefused: false,
        run: async (remote) => {
          const { result, cpuMs } = await remote.handle(operation, withoutBody, requestId);
          resolve(result);
          return cpuMs;
        },
        refuse: (problem) => resolve(problemResponse(problem, requestId)),
        reject,
      });
      return promise;
    };
  }

  /**
   * Reads what a follower missed. It waits in the same queue as the other reads of the application.
   *
   * @returns undefined when it was not read in time
   */
  missed(parent: Parent, after: number): Promise<MissedPart | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<MissedPart | undefined>();
    const { method, path } = routes.getFeed;
    this.#add({
      route: `${method} ${path}`,
      requestId: randomUUID(),
      application: parent.token,
      arrivedAt: performance.now(),
      isRefused: false,
      run: async (remote) => {
        const { part, cpuMs } = await remote.missed(parent, after);
        resolve(part);
        return cpuMs;
      },
      refuse: () => resolve(undefined),
      reject,
    });
    return promise;
  }

  /**
   * Returns the token of the application that a request is for, so that its reads with access tokens wait in the same
   * queue as its others. A bearer token is checked before the read takes a place in the queue. Otherwise anyone who has
   * an access token that has expired or was ended could delay the reads of the application.
   *
   * @throws Problem when the bearer token is refused; Unavailable
   */
  async #tokenOf({ pathParameters, headers, multiValueHeaders }: APIGatewayProxyEvent): Promise<string> {
    const token = pathParameters?.token ?? '';
    if (token !== self) return token;
    return (await callerOf(joinLines(headers, multiValueHeaders ?? {}), this.#access)).token;
  }

  /** Kills all processes. Reads in progress get 503. Resolves when the last process has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#check);
    clearTimeout(this.#failedStart);
    const left = this.#waiting.takeArrivedUntil(performance.now());
    const ended = [...this.#readers].map(async ({ child, read }) => {
      if (read) left.push(read);
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    });
    for (const read of left) this.#refuse(read, interrupted());
    await Promise.all(ended);
  }

  #add(read: Read): void {
    if (this.#stopping) this.#refuse(read, interrupted());
    else if (!this.#waiting.add(read)) this.#refuse(read, tooManyWait());
    else {
      this.#check ??= setInterval(() => this.#refuseOverdue(), checkEveryMs);
      this.#assign();
    }
  }

  /** Gives waiting reads to idle processes. */
  #assign(): void {
    for (const reader of this.#readers) {
      if (!reader.remote || reader.read) continue;
      const read = this.#takeNext();
      if (!read) break;
      void this.#run(reader, reader.remote, read);
    }
    this.#startSpareProcesses();
  }

  async #run(reader: Reader, remote: ReaderProcess, read: Read): Promise<void> {
    reader.read = read;
    reader.startedAt = performance.now();
    // When the process ends first, this stays pending, and #onExit or #refuseOverdue settles the read.
    const cpuMs = await read.run(remote).catch((error: unknown) => {
      read.reject(error);
      return 0;
    });
    this.#paces.note(read.application, { runMs: performance.now() - reader.startedAt, cpuMs });
    // A read of a slow application starts only while another process stays idle. With one process it would never start.
    if (this.#paces.of(read.application) === 'slow') this.#minProcesses = maxProcesses;
    reader.read = undefined;
    this.#assign();
  }

  /**
   * Takes the next read round-robin, and keeps a process free for fast applications:
   *
   * - A read of a slow application starts only if no read of another application of slow or unknown pace is running,
   *   and if another process stays idle.
   * - A read of an application of unknown pace may also start while one read of a slow application is running, if
   *   another process stays idle.
   *
   * The other process stays idle because a new one may take a second to start on a busy machine.
   */
  #takeNext(): Read | undefined {
    const now = performance.now();
    const atWork = [...this.#readers].flatMap(({ read, startedAt }): { application: string; pace: Pace }[] => {
      if (!read) return [];
      const { application } = read;
      return [{ application, pace: now - startedAt > slowReadMs ? 'slow' : this.#paces.of(application) }];
    });
    const fast = atWork.filter(({ pace }) => pace === 'fast').length;
    const others = atWork.length - fast;
    const isOneFree = fast + Math.min(others, 1) < maxConcurrentReads;
    const idle = [...this.#readers].filter(({ remote, read }) => remote && !read).length;
    const mayTake: Record<Pace, boolean> = {
      fast: isOneFree,
      // A read of an application of unknown pace may run beside a slow read, so that its pace becomes known.
      unknown:
        isOneFree && (others === 0 || (others === 1 && !atWork.some(({ pace }) => pace === 'unknown') && idle > 1)),
      slow: isOneFree && others === 0 && idle > 1,
    };
    return this.#waiting.take(
      (application) => mayTake[this.#paces.of(application)] && !atWork.some((read) => read.application === application),
    );
  }

  #runningReads(): Read[] {
    return [...this.#readers].flatMap(({ read }) => read ?? []);
  }

  /** Refuses every read that exceeded its deadline, and kills each process that has worked on one for long. */
  #refuseOverdue(): void {
    const now = performance.now();
    const arrivedBefore = now - this.#deadlineMs;
    const minRunningMs = this.#deadlineMs * minRunningShare;
    for (const read of this.#waiting.takeArrivedUntil(arrivedBefore)) this.#refuse(read, waitedTooLong());
    for (const reader of this.#readers) {
      const { read, startedAt, child } = reader;
      if (!read) continue;
      if (now - startedAt > slowReadMs) this.#minProcesses = maxProcesses;
      if (read.arrivedAt > arrivedBefore) continue;
      if (!read.isRefused) this.#refuse(read, outOfTime());
      if (now - startedAt < minRunningMs) continue;
      log.warn(logEvents.readTooSlow, { request_id: read.requestId, route: read.route });
      this.#paces.note(read.application, { runMs: now - startedAt, cpuMs: now - startedAt });
      this.#readers.delete(reader);
      child.kill('SIGKILL');
    }
    this.#assign();
    if (this.#waiting.length > 0 || this.#runningReads().length > 0) return;
    clearInterval(this.#check);
    this.#check = undefined;
  }

  /** Responds to a read with a problem. */
  #refuse(read: Read, problem: Problem): void {
    log.debug(logEvents.readRefused, { request_id: read.requestId });
    read.isRefused = true;
    read.refuse(problem);
  }

  /** Starts processes ahead of need: the next read, or the one after a kill, finds one ready. */
  #startSpareProcesses(): void {
    const wanted = Math.min(maxProcesses, Math.max(this.#minProcesses, this.#runningReads().length + 1));
    while (!this.#stopping && !this.#failedStart && this.#readers.size < wanted) this.#start();
  }

  #start(): void {
    const child = fork(this.#module, { execArgv: [...heapFlags, ...preload], serialization: 'advanced' });
    const reader: Reader = { child, startedAt: 0 };
    this.#readers.add(reader);
    child.on('error', (error) => this.#onExit(reader, { error }));
    child.on('exit', (code, signal) => this.#onExit(reader, { code, signal }));
    child.once('message', () => {
      reader.remote = createBirpc<ReaderProcess, LedgerReads>(this.#ledger, processChannel(child));
      this.#started.resolve();
      this.#assign();
    });
    if (child.pid === undefined) return;
    // If the host itself has a higher nice value, keep it, because only root may lower one.
    setPriority(child.pid, Math.max(getPriority(child.pid), niceValue));
    child.send(this.#data);
  }

  /** Handles a process that ended unexpectedly. */
  #onExit(reader: Reader, why: { error: Error } | { code: number | null; signal: string | null }): void {
    if (this.#stopping || !this.#readers.delete(reader)) return;
    log.error(logEvents.readerDied, why);
    if (reader.read) this.#refuse(reader.read, interrupted());
    if (!reader.remote) {
      this.#started.resolve();
      this.#failedStart ??= setTimeout(() => {
        this.#failedStart = undefined;
        this.#assign();
      }, failedStartDelayMs);
    }
    this.#assign();
  }
}
