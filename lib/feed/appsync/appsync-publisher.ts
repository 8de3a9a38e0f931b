import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod/mini';
import { limits } from '../../limits.ts';
import { Unavailable } from '../../model/errors.ts';
import { once } from '../../once.ts';
import type { NotPublished, Publisher } from '../publisher.ts';

/** Credentials of AWS that may publish. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

interface Settings {
  /** The address for publishing: `https://<id>.appsync-api.<region>.amazonaws.com/event`. */
  url: string;
  region: string;
  credentials: Credentials;
  fetch?: typeof fetch;
}

/** Codes of AppSync for a wrong event. A failure with any other code may be temporary. */
const finalCodes = [400, 413, 422];

/**
 * Publishes to an Event API of AWS AppSync over HTTPS, with requests that are signed with AWS's Signature Version 4
 * (https://docs.aws.amazon.com/appsync/latest/eventapi/publish-http.html).
 */
export class AppsyncPublisher implements Publisher {
  readonly #url: URL;
  readonly #signature: SignatureV4;
  readonly #fetch: typeof fetch;

  constructor({ url, region, credentials, fetch = globalThis.fetch }: Settings) {
    this.#url = new URL(url);
    this.#fetch = fetch;
    this.#signature = new SignatureV4({
      service: 'appsync',
      region,
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: credentials.secretAccessKey,
        ...(credentials.sessionToken && { sessionToken: credentials.sessionToken }),
      },
      sha256: Sha256,
    });
  }

  async publish(channel: string, events: string[]): Promise<NotPublished[]> {
    const response = await this.#post(JSON.stringify({ channel, events }));
    if (finalCodes.includes(response.status)) {
      // The response names no event, and all of them were refused. If events are sent one at a time, only the wrong one
      // is refused.
      const reason = `AppSync responded with ${response.status}: ${errorTypeOf(await response.text())}`;
      return events.length > 1
        ? await this.#oneByOne(channel, events)
        : events.map((_, index) => ({ index, reason, final: true }));
    }
    if (!response.ok)
      throw new Unavailable(
        new Error(`AppSync responded with ${response.status}: ${errorTypeOf(await response.text())}`),
      );
    const { data } = published().safeParse(await response.json());
    if (!data) throw new Unavailable(new Error('The response of AppSync does not have the documented format'));
    return data.failed.map(({ index, code, errorMessage }) => ({
      index,
      reason: `AppSync did not publish the event: ${code ?? ''} ${errorMessage ?? ''}`.trim(),
      final: finalCodes.includes(Number(code)),
    }));
  }

  async #oneByOne(channel: string, events: string[]): Promise<NotPublished[]> {
    const failed: NotPublished[] = [];
    for (const [index, event] of events.entries())
      failed.push(...(await this.publish(channel, [event])).map((each) => ({ ...each, index })));
    return failed;
  }

  /**
   * Posts the body, and retries once if the connection fails, because it may have been idle for too long. The events
   * may then be published twice, which `Publisher.publish` allows.
   */
  async #post(body: string): Promise<Response> {
    try {
      return await this.#send(body).catch(() => this.#send(body));
    } catch (error) {
      throw new Unavailable(error);
    }
  }

  async #send(body: string): Promise<Response> {
    const { protocol, hostname, port, pathname } = this.#url;
    const { headers } = await this.#signature.sign({
      method: 'POST',
      protocol,
      hostname,
      ...(port && { port: Number(port) }),
      path: pathname,
      query: {},
      headers: { host: this.#url.host, 'content-type': 'application/json' },
      body,
    });
    const signal = AbortSignal.timeout(limits.appsync.publishMs);
    return await this.#fetch(this.#url, { method: 'POST', headers, body, signal });
  }
}

// Returns the type of the error in a response of AppSync. The message is left out, because it may quote an event.
const errorTypeOf = (text: string): string => /"errorType": ?"(\w+)"/.exec(text)?.[1] ?? 'no error type';

const published = once(() =>
  z.object({
    failed: z.array(
      z.object({
        index: z.int().check(z.minimum(0)),
        code: z.optional(z.union([z.int(), z.string()])),
        errorMessage: z.optional(z.string()),
      }),
    ),
  }),
);

/** SHA-256 or, with a secret, HMAC-SHA-256. The class has the interface that `SignatureV4` requires. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('SignatureV4 uses each hash once');
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Buffer | string => {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
};
