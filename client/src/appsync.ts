import { ChatSystemError, parsed } from './error.ts';
import type { components } from './openapi.ts';
import { within } from './time.ts';
import { application, type Connection, type Opening, stepEvent, type WireEvent } from './wire.ts';

export type AppsyncTransport = components['schemas']['AppsyncEventsTransport'];

/** Milliseconds within which AppSync has to acknowledge the connection and all subscriptions. */
const acknowledgeMs = 30_000;
/** The steps that wait for a slow consumer with their data. Later ones are read when they are wanted. */
const waitingSteps = 100;
/** How many times longer than at first the time between two checks becomes while nothing changes. */
const longestCheck = 10;

/** A message of AppSync Events (https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-websocket-protocol.html). */
interface Received {
  type: string;
  id?: string;
  connectionTimeoutMs?: number;
  event?: unknown;
  errors?: { errorType?: string; message?: string }[];
}

/** Whether this is a place that can open WebSockets: browsers, and Node.js from 22. */
export const canConnectAppsync = (): boolean => typeof WebSocket === 'function';

/** Follows by AppSync Events, over its WebSocket protocol. What was missed has to be read once it is connected. */
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
      lost(`AppSync Events sent what it does not document: ${error}`);
    }
  };
  socket.onclose = ({ code }) => lost(`The WebSocket was closed with code ${code}.`);
  socket.onerror = () => lost('The WebSocket failed.');

  /** Resolves when something has come, or after this many milliseconds. */
  const news = (ms: number) =>
    within(
      ms,
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    );
  for (const end = performance.now() + acknowledgeMs; unconfirmed.size > 0 && !failure; ) {
    if (performance.now() >= end) lost('AppSync Events did not confirm the subscriptions.');
    else await news(end - performance.now());
  }
  if (failure) {
    close();
    throw failure;
  }

  const first = heartbeatSeconds * 1_000;
  return {
    isOrdered: false,
    silenceMs,
    checkMs: { first, longest: first * longestCheck },
    close,
    async next(ms) {
      if (events.length === 0 && !failure) await news(ms);
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
