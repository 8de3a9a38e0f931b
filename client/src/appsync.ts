import { ChatSystemError, parsed } from './error.ts';
import type { components } from './openapi.ts';
import { within } from './time.ts';
import { application, type Connection, type Opening, stepEvent, type WireEvent } from './wire.ts';

export type AppsyncTransport = components['schemas']['AppsyncEventsTransport'];

/** How long AppSync may take to acknowledge the connection and all subscriptions, in milliseconds. */
const acknowledgeMs = 30_000;
/** Maximum number of steps that keep their data for a slow consumer. The data of further steps is read again. */
const waitingSteps = 100;
/** The time between two checks doubles while nothing changes, up to this multiple of the first one. */
const maxCheckFactor = 10;

/** A message of AppSync Events (https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-websocket-protocol.html). */
interface Received {
  type: string;
  id?: string;
  connectionTimeoutMs?: number;
  event?: unknown;
  errors?: { errorType?: string; message?: string }[];
}

/** Returns whether this environment has WebSockets: browsers, and Node.js from 22 on. */
export const canConnectAppsync = (): boolean => typeof WebSocket === 'function';

/** Connects to AppSync Events by its WebSocket protocol. The caller must then read what was missed. */
export async function connectAppsync(
  transport: AppsyncTransport,
  { positions, heartbeatSeconds, signal }: Opening,
): Promise<Connection> {
  const authorization = { host: new URL(transport.http_url).host, ...transport.authorization };
  const socket = new WebSocket(transport.url, [
    'aws-appsync-event-ws',
    `header-${base64url(JSON.stringify(authorization))}`,
  ]);
  const events: WireEvent[] = [];
  let failure: unknown;
  let wake = () => {};
  const fail = (error: unknown) => {
    failure ??= error;
    wake();
  };
  const lost = (detail: string) => fail(new ChatSystemError({ status: 0, code: 'no_response', detail }));
  const abort = () => fail(signal?.reason);
  const close = () => {
    signal?.removeEventListener('abort', abort);
    socket.close();
  };
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);

  let silenceMs = 300_000;
  const channels = new Map([...positions.keys()].map((chat) => [`${chat}`, channelOf(transport, chat)]));
  const unconfirmed = new Set(channels.keys());
  const receive = ({ type, id = '', connectionTimeoutMs, event, errors }: Received) => {
    if (type === 'connection_ack') {
      silenceMs = connectionTimeoutMs ?? silenceMs;
      for (const [id, channel] of channels)
        socket.send(JSON.stringify({ type: 'subscribe', id, channel, authorization }));
    } else if (type === 'subscribe_success') unconfirmed.delete(id);
    else if (type.endsWith('error')) {
      const [{ errorType = type, message = '' } = {}] = errors ?? [];
      lost(`AppSync Events: ${errorType} ${message}`);
    } else if (type === 'data')
      for (const each of [event].flat()) {
        const step = typeof each === 'string' ? parsed(each) : each;
        const { data: _, ...bare } = step as { change: number; data?: never[] };
        events.push(stepEvent(events.length < waitingSteps ? (step as typeof bare) : bare));
      }
    else events.push({ type: 'alive' });
    wake();
  };
  socket.onopen = () => socket.send('{"type":"connection_init"}');
  socket.onmessage = ({ data }) => {
    // In Node.js, an error that is thrown here ends the process.
    try {
      receive(parsed(data) as Received);
    } catch (error) {
      lost(`AppSync Events sent an undocumented message: ${error}`);
    }
  };
  socket.onclose = ({ code }) => lost(`The WebSocket was closed with code ${code}.`);
  socket.onerror = () => lost('The WebSocket failed.');

  /** Resolves when an event or a failure arrives, or after this many milliseconds. */
  const nextArrival = (ms: number) =>
    within(
      ms,
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    );
  for (const end = performance.now() + acknowledgeMs; unconfirmed.size > 0 && !failure; ) {
    if (performance.now() >= end) lost('AppSync Events did not confirm the subscriptions.');
    else await nextArrival(end - performance.now());
  }
  if (failure) {
    close();
    throw failure;
  }

  const first = heartbeatSeconds * 1_000;
  return {
    isOrdered: false,
    silenceMs,
    checkMs: { first, longest: first * maxCheckFactor },
    close,
    async next(ms) {
      if (events.length === 0 && !failure) await nextArrival(ms);
      const event = events.shift();
      if (!event && failure) throw failure;
      return event;
    },
  };
}

const channelOf = ({ channels }: AppsyncTransport, chat: number): string =>
  chat === application ? channels.application : channels.chat.replace('{chat_number}', `${chat}`);

const base64url = (ascii: string): string =>
  btoa(ascii).replace(/[+/=]/g, (character) => ({ '+': '-', '/': '_' })[character] ?? '');
