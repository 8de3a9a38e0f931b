import { ChatSystemError, errorOf, parsed } from './error.ts';
import { after, jittered, limited, sleep, unlessAborted } from './time.ts';

/** A token, or a function that returns one: the first time, and again whenever the API no longer takes the last one. */
export type Token = string | (() => string | Promise<string>);

export interface Settings {
  /** The base URL of the API, such as `https://chat.example.com/v1`. */
  url: string;
  /**
   * An application's token or an access token. If it is a function, it is called for the first token, and again when the
   * API responds that the token has expired or was ended. Only the operator's calls need none.
   */
  token?: Token;
  /** The operator's key, for creating and listing applications where the deployment has one. */
  adminKey?: string;
  /** How long a request that fails temporarily is repeated, in milliseconds: 60,000 by default; 0 never repeats it. */
  retryMs?: number;
  /** How long to wait for a response before the request counts as failed, in milliseconds: 30,000 by default. */
  timeoutMs?: number;
  /** Called before each repetition, with the reason and the milliseconds until then. */
  onRetry?: (error: ChatSystemError, delayMs: number) => void;
  /** Sends the requests, instead of the global `fetch`. */
  fetch?: typeof fetch;
}

/** Options of every call. */
export interface CallOptions {
  /** Ends the call, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Overrides the setting of the same name. */
  retryMs?: number | undefined;
}

export type Query = Record<string, string | number | undefined>;

interface Content {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Milliseconds before the first retry; they double with each retry up to the longest. */
const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** Sends requests below the base URL, with the token, and repeats those that may still succeed. */
export class Requests {
  readonly base: string;
  readonly #settings: Settings;
  #token: string | undefined;
  #renewal: Promise<string> | undefined;

  constructor(settings: Settings) {
    // In a browser, the URL may be relative to the page.
    const { location } = globalThis as { location?: { href: string } };
    this.base = new URL(settings.url, location?.href).href.replace(/\/+$/, '');
    this.#settings = settings;
  }

  /**
   * Sends a request, and repeats it while it fails temporarily. A repetition does no harm: a create has an
   * Idempotency-Key, and a repeated edit or delete changes nothing.
   *
   * @param path below the base URL
   * @returns the JSON of the response; undefined when it has no body
   */
  async send<Body>(method: string, path: string, content: Content, options: CallOptions = {}): Promise<Body> {
    const { retryMs = 60_000, onRetry } = this.#settings;
    // Serialize now: the caller may change the objects while the request waits, and all attempts must be alike.
    const sent = { ...content, body: JSON.stringify(content.body) as string | undefined };
    const patience = options.retryMs ?? retryMs;
    let [giveUpAt, mayBeDone, wasRenewed] = [0, false, false];
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      const token = await this.token(options.signal);
      try {
        return await this.#once<Body>(method, path, sent, token, options.signal);
      } catch (error) {
        if (!(error instanceof ChatSystemError)) throw error;
        // An earlier attempt has deleted it, although its response said otherwise or was lost. The token of a deleted
        // application is no longer valid.
        const gone = path === '/applications/self' ? 'access_token_invalid' : /^(chat|message)_not_found$/;
        if (mayBeDone && method === 'DELETE' && error.code.match(gone)) return undefined as Body;
        if (!wasRenewed && this.renews(error)) {
          wasRenewed = true;
          this.expire(token);
          continue;
        }
        if (!error.isTemporary) throw error;
        mayBeDone ||= error.status !== 429 && error.status !== 404;
        const waitMs = Math.max(error.retryAfterMs, jittered(delayMs));
        giveUpAt ||= performance.now() + patience;
        if (performance.now() + waitMs > giveUpAt) throw error;
        onRetry?.(error, waitMs);
        await sleep(waitMs, options.signal);
      }
    }
  }

  /** Returns the response to a request for a stream, once it has begun. The signal also ends the stream. */
  async stream(url: string, accept: string, signal: AbortSignal): Promise<Response> {
    const headers = { accept, ...bearer(await this.token(signal)) };
    // The time limit is only for the head of the response, because a stream may stay open.
    const slow = new AbortController();
    const abort = () => slow.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    const { timeoutMs = 30_000 } = this.#settings;
    const timer = after(timeoutMs, () => slow.abort());
    try {
      const response = await this.#fetch(url, { headers, cache: 'no-store', signal: slow.signal });
      if (response.status !== 200) throw errorOf(response, await response.text());
      return response;
    } catch (error) {
      throw failure(error, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the current token: the first one, or another one after {@link expire}. */
  async token(signal?: AbortSignal): Promise<string | undefined> {
    const { token } = this.#settings;
    if (typeof token !== 'function') return token;
    // Concurrent requests that need a new token share one call. The call continues if one of them is aborted.
    this.#renewal ??= this.#renew(token);
    return unlessAborted(this.#renewal, signal);
  }

  async #renew(renew: () => string | Promise<string>): Promise<string> {
    try {
      // Called only after the promise is stored, because the function may throw synchronously.
      const renewed = await Promise.resolve().then(renew);
      this.#token = renewed;
      return renewed;
    } catch (error) {
      this.#renewal = undefined;
      throw error;
    }
  }

  /** Returns whether a new token may help. */
  renews({ code }: ChatSystemError): boolean {
    return typeof this.#settings.token === 'function' && code.startsWith('access_token_');
  }

  /** Returns whether this is still the newest token. */
  isCurrent(token: string | undefined): boolean {
    return typeof this.#settings.token !== 'function' || token === this.#token;
  }

  /** Forgets the token, unless another request has replaced it in the meantime. */
  expire(token: string | undefined): void {
    if (token !== this.#token) return;
    this.#token = undefined;
    this.#renewal = undefined;
  }

  async #once<Body>(
    method: string,
    path: string,
    { query, body, headers }: Omit<Content, 'body'> & { body: string | undefined },
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Body> {
    const { adminKey, timeoutMs = 30_000 } = this.#settings;
    const search = queryOf(query);
    const init = {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(path === '/applications' ? adminKey !== undefined && { 'x-api-key': adminKey } : bearer(token)),
        ...headers,
      },
      ...(body !== undefined && { body }),
    };
    try {
      return await limited(timeoutMs, signal, async (limit) => {
        const response = await this.#fetch(this.base + path + search, { ...init, signal: limit });
        const text = await response.text();
        const json = response.ok && text !== '' ? parsed(text) : undefined;
        if (!response.ok || (text !== '' && json === undefined)) throw errorOf(response, text);
        return json as Body;
      });
    } catch (error) {
      throw failure(error, signal);
    }
  }

  #fetch(url: string, init: RequestInit): Promise<Response> {
    const { fetch: send = fetch } = this.#settings;
    return send(url, init);
  }
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given as [string, string][])}` : '';
}

/** Returns what a failed request throws: the reason of an aborted signal, or the one class of errors. */
function failure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof ChatSystemError) return error;
  // In Node.js, the reason is in the cause, and its code says more than its message.
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const detail = typeof code === 'string' ? code : String(message ?? cause);
  return new ChatSystemError({ status: 0, code: 'no_response', detail, cause: error });
}
