import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { CommandProblem } from '../cli/problem.ts';

/** Milliseconds after the first failure of a request until the client stops retrying it. */
const giveUpMs = 60_000;
/** The longest time to wait for a response, in milliseconds. The API takes less for every request. */
const responseMs = 30_000;
/** The time before the first retry; it doubles with each retry. */
const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** The API refused the request with a problem that a retry cannot solve. */
export class Refused extends Error {
  readonly code: string;

  constructor(request: string, status: number, code: string, detail: string) {
    super(`The API refused ${request} with ${status} ${code}: ${detail}`);
    this.code = code;
  }
}

const problemSchema = z.object({ code: z.string(), detail: z.string() });
const healthSchema = z.object({ status: z.literal('ok') });

interface Answer {
  status: number;
  /** Undefined when the body is not JSON. */
  json: unknown;
  retryAfterMs: number;
}

/** The result of sending a request once: a response, a reason to retry, or both. */
interface Attempt {
  answer?: Answer;
  trouble?: string;
}

/** An HTTP client for the chat system that retries requests that may still succeed. */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #onTrouble: (trouble: string) => void;

  /** @param onTrouble called before each retry with its reason */
  constructor(url: string, adminKey: string | undefined, onTrouble: (trouble: string) => void) {
    this.#url = url;
    this.#headers = { 'content-type': 'application/json', ...(adminKey && { 'x-api-key': adminKey }) };
    this.#onTrouble = onTrouble;
  }

  /** Checks that a chat system responds. @throws CommandProblem without a retry when none does */
  async greet(): Promise<void> {
    const { answer, trouble } = await this.#attempt('GET', '/health');
    if (!answer)
      throw new CommandProblem(
        `No chat system responds at ${this.#url} (${trouble}): start one with script/start in another terminal, or name another one with --url.`,
      );
    if (!trouble && !healthSchema.safeParse(answer.json).success)
      throw new CommandProblem(
        `The server at ${this.#url} is not a chat system: give the base URL of one with --url, such as http://localhost:3000/v1.`,
      );
  }

  /** @throws CommandProblem, Refused */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#send('GET', path, schema);
  }

  /**
   * Creates something exactly once, even when the request is retried, because of the Idempotency-Key.
   *
   * @throws CommandProblem, Refused
   */
  post<Schema extends z.ZodType>(path: string, body: unknown, key: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#send('POST', path, schema, { headers: { 'idempotency-key': key }, body: JSON.stringify(body) });
  }

  async #send<Schema extends z.ZodType>(
    method: string,
    path: string,
    schema: Schema,
    init?: { headers: Record<string, string>; body: string },
  ): Promise<z.output<Schema>> {
    let giveUpAt: number | undefined;
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      const { answer, trouble } = await this.#attempt(method, path, init);
      if (answer && !trouble) return this.#read(`${method} ${path}`, answer, schema);

      giveUpAt ??= Date.now() + giveUpMs;
      // A random time between half the delay and the whole delay, so that requests that failed together do not retry
      // together.
      const waitMs = Math.max(answer?.retryAfterMs ?? 0, delayMs * (1 + Math.random()) * 0.5);
      if (Date.now() + waitMs > giveUpAt)
        throw new CommandProblem(
          `${this.#url} has failed for ${giveUpMs / 1_000} s (${trouble}). When it is back, run script/demo again: it continues from here.`,
        );
      this.#onTrouble(trouble ?? '');
      await sleep(waitMs);
    }
  }

  #read<Schema extends z.ZodType>(request: string, { status, json }: Answer, schema: Schema): z.output<Schema> {
    if (status >= 300) {
      const problem = problemSchema.safeParse(json);
      throw problem.success
        ? new Refused(request, status, problem.data.code, problem.data.detail)
        : new CommandProblem(
            `The server at ${this.#url} is not a chat system: it responded to ${request} with status ${status} but without a problem document.`,
          );
    }
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    throw new CommandProblem(`The response of ${this.#url} to ${request} does not follow the API's contract.`);
  }

  async #attempt(
    method: string,
    path: string,
    init?: { headers: Record<string, string>; body: string },
  ): Promise<Attempt> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: { ...this.#headers, ...init?.headers },
        ...(init && { body: init.body }),
        signal: AbortSignal.timeout(responseMs),
      });
      const answer = {
        status: response.status,
        json: parsed(await response.text()),
        retryAfterMs: (Number(response.headers.get('retry-after')) || 0) * 1_000,
      };
      return mayStillSucceed(answer) ? { answer, trouble: `status ${answer.status}` } : { answer };
    } catch (error) {
      return { trouble: connectionTrouble(error) };
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns whether a retry may succeed: after a rate limit, an outage, a gateway's own 502 or 504, or while the same
 * create is in flight.
 */
const mayStillSucceed = ({ status, json }: Answer): boolean =>
  [429, 502, 503, 504].includes(status) ||
  (status === 409 && problemSchema.safeParse(json).data?.code === 'idempotency_in_flight');

/** Returns in a word or two why fetch failed. @throws the error when the connection is not the cause */
function connectionTrouble(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no response within ${responseMs / 1_000} s`;
  if (!cause) throw error;
  return cause.code ?? cause.message ?? String(cause);
}
