import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** A request that has failed for this long, however often it was sent, is given up. */
const giveUpMs = 60_000;
/** Longer than the API takes for anything. */
const answerMs = 30_000;
const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** The API does not answer, or not as a chat system does; the message is a sentence for the user. */
export class Unreachable extends Error {}

/** The API's answer is a problem which sending the request again would not mend. */
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
  /** Undefined when it is no JSON. */
  json: unknown;
  retryAfterMs: number;
}

/** What came of sending a request once: an answer, a reason to send it again, or both. */
interface Attempt {
  answer?: Answer;
  trouble?: string;
}

/** An HTTP client for the chat system that sends again what may yet succeed. */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #onTrouble: (trouble: string) => void;

  /** @param onTrouble is told why a request has to be sent again */
  constructor(url: string, adminKey: string | undefined, onTrouble: (trouble: string) => void) {
    this.#url = url;
    this.#headers = { 'content-type': 'application/json', ...(adminKey && { 'x-api-key': adminKey }) };
    this.#onTrouble = onTrouble;
  }

  /** @throws Unreachable, at once, when no chat system answers */
  async greet(): Promise<void> {
    const { answer, trouble } = await this.#attempt('GET', '/health');
    if (!answer)
      throw new Unreachable(
        `No chat system answers at ${this.#url} (${trouble}): start one with script/start in another terminal, or name another with --url.`,
      );
    if (!trouble && !healthSchema.safeParse(answer.json).success)
      throw new Unreachable(
        `What answers at ${this.#url} is no chat system: give its base URL with --url, such as http://localhost:3000/v1.`,
      );
  }

  /** @throws Unreachable, Refused */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return this.#send('GET', path, schema);
  }

  /**
   * Creates something once, however often it has to be sent: that is what the Idempotency-Key is for.
   *
   * @throws Unreachable, Refused
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
      // Between half of the delay and all of it, so that requests which failed together don't come back together.
      const waitMs = Math.max(answer?.retryAfterMs ?? 0, delayMs * (1 + Math.random()) * 0.5);
      if (Date.now() + waitMs > giveUpAt)
        throw new Unreachable(
          `${this.#url} has failed for ${giveUpMs / 1_000} s (${trouble}). When it is back, run script/demo again: it goes on from here.`,
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
        : new Unreachable(`What answers at ${this.#url} is no chat system: ${request} got a bare ${status}.`);
    }
    const result = schema.safeParse(json);
    if (result.success) return result.data;
    throw new Unreachable(`What ${this.#url} answered to ${request} is not in the API's contract.`);
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
        signal: AbortSignal.timeout(answerMs),
      });
      const answer = {
        status: response.status,
        json: parsed(await response.text()),
        retryAfterMs: (Number(response.headers.get('retry-after')) || 0) * 1_000,
      };
      return mayYetSucceed(answer) ? { answer, trouble: `it answers ${answer.status}` } : { answer };
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

/** Too many requests, an outage, a gateway's own 502 and 504, or the same create still in flight. */
const mayYetSucceed = ({ status, json }: Answer): boolean =>
  [429, 502, 503, 504].includes(status) ||
  (status === 409 && problemSchema.safeParse(json).data?.code === 'idempotency_in_flight');

/** Why fetch failed, in a word or two; what is not the connection's fault is thrown again. */
function connectionTrouble(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no answer in ${answerMs / 1_000} s`;
  if (!cause) throw error;
  return cause.code ?? cause.message ?? String(cause);
}
