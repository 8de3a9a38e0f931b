import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** Longer than any response takes: API Gateway ends a request after 29 s. */
const timeoutMs = 35_000;

export interface ApiResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** The headers and the body of a request. */
export interface Sent {
  headers?: Record<string, string>;
  /** Sent as JSON if it is neither text nor bytes. */
  body?: unknown;
}

/** The HTTP API of a deployed system. */
export class Api {
  readonly #base: URL;
  readonly #adminKey: string | undefined;

  /** @param url the base URL, such as `https://….execute-api.eu-central-1.amazonaws.com/v1` */
  constructor(url: string, adminKey: string | undefined) {
    this.#base = new URL(url);
    this.#adminKey = adminKey;
  }

  /**
   * Sends a request, and returns the response whatever its status is. Unlike `fetch`, it sends the path as it is.
   *
   * @param path the path below the base URL, with its query
   * @throws Error when there is no response
   */
  async call(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<ApiResponse> {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const bytes = body === undefined ? undefined : Buffer.from(isRaw ? body : JSON.stringify(body));
    const { hostname, port, protocol, pathname } = this.#base;
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = (protocol === 'https:' ? https : http).request(
        {
          method,
          hostname: hostname.replace(/^\[|\]$/g, ''),
          port,
          path: `${pathname.replace(/\/$/, '')}${path}`,
          headers: {
            ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
            ...(this.#adminKey && { 'x-api-key': this.#adminKey }),
            ...headers,
          },
          timeout: timeoutMs,
          agent: false,
        },
        resolve,
      );
      request.on('timeout', () => request.destroy(new Error(`no response within ${timeoutMs / 1_000} s`)));
      request.on('error', reject);
      request.end(bytes);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }
}

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  request_id: z.string(),
});

/** A response that is not as the contract says. The message says what was expected. */
export class Unexpected extends Error {}

export function expectThat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw new Unexpected(expected);
}

/** Describes a response in one line. */
const describe = ({ status, body }: ApiResponse): string => `${status} ${body.slice(0, 200)}`;

/** @throws Unexpected unless the response has the status */
export function expectStatus(response: ApiResponse, status: number): void {
  expectThat(response.status === status, `expected ${status}, got ${describe(response)}`);
}

/** @throws Unexpected unless the response is a problem with this status and code (RFC 9457) */
export function expectProblem(response: ApiResponse, status: number, code: string): void {
  const expected = `expected the problem ${status} ${code}, got ${describe(response)}`;
  expectThat(response.status === status, expected);
  expectThat(
    /^application\/problem\+json\b/.test(response.headers['content-type'] ?? ''),
    `${expected} as ${response.headers['content-type']}`,
  );
  const read = problem.safeParse(jsonOf(response));
  expectThat(read.success && read.data.code === code && read.data.status === status, expected);
}

/** @throws Unexpected when the body is not JSON */
export function jsonOf(response: ApiResponse): unknown {
  try {
    return JSON.parse(response.body);
  } catch {
    throw new Unexpected(`expected JSON, got ${describe(response)}`);
  }
}
