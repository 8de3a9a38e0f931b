import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { limits } from '../../../lib/limits.ts';

/** A request to publish, as the server got it. */
export interface Published {
  channel: string;
  events: string[];
  headers: IncomingMessage['headers'];
}

/** How the server treats a request: it refuses the whole request, closes the connection, or fails some of its events. */
type Fault = { status: number } | 'close' | { failing: number[]; code: number };

/**
 * The HTTP endpoint of an Event API with the limits of AWS, which MiniStack does not enforce, and with faults. It does not
 * check signatures.
 */
export class EventApi {
  readonly requests: Published[] = [];
  /** The events that were accepted, in order. */
  readonly accepted: { channel: string; event: string }[] = [];
  /** The fault of each request, or undefined for none. */
  fault: (request: Published) => Fault | undefined = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await text(request);
      const published: Published = { ...JSON.parse(body), headers: request.headers };
      this.requests.push(published);
      const fault = this.fault(published) ?? limitOf(published);
      if (fault === 'close') {
        request.socket.destroy();
        return;
      }
      if (fault && 'status' in fault) {
        response.writeHead(fault.status).end(JSON.stringify({ errors: [{ errorType: 'Refused', message: body }] }));
        return;
      }
      const failing = fault?.failing ?? [];
      for (const [i, event] of published.events.entries())
        if (!failing.includes(i)) this.accepted.push({ channel: published.channel, event });
      const outcome = (index: number) => ({ identifier: `${index}`, index });
      const indexes = published.events.map((_, i) => i);
      response.end(
        JSON.stringify({
          successful: indexes.filter((i) => !failing.includes(i)).map(outcome),
          failed: failing.map((i) => ({ ...outcome(i), code: fault && 'code' in fault && fault.code })),
        }),
      );
    });
  }

  static async start(): Promise<EventApi> {
    const api = new EventApi();
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/event`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Refuses what AWS documents as too much. */
const limitOf = ({ events }: Published): Fault | undefined =>
  events.length > limits.appsync.eventsPerPublish ||
  events.some((event) => Buffer.byteLength(event) > limits.appsync.eventBytes)
    ? { status: 400 }
    : undefined;
