import { ChatSystemError, parsed } from './error.ts';
import type { Requests } from './requests.ts';
import { within } from './time.ts';
import { application, type Connection, type Opening, stepEvent, type WireEvent } from './wire.ts';

/** A connection is lost after this many heartbeat intervals without any event. */
const lostHeartbeats = 2;

/** An event of a `text/event-stream`. */
interface ServerSentEvent {
  event: string;
  data: string;
}

/** Parses a `text/event-stream` that arrives in pieces (HTML standard, 9.2.6); only the fields that the feed uses. */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];

  /** Returns the events that are complete with this piece. */
  push(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    // A CR at the end of a piece may be the first half of a CRLF, so it waits for the next piece.
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push({ event: this.#event, data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
      }
      const [, field, value = ''] = /^([^:]+):? ?(.*)$/s.exec(line) ?? [];
      if (field === 'event') this.#event = value;
      if (field === 'data') this.#data.push(value);
    }
    return events;
  }
}

/** Connects to a stream of server-sent events. It uses `fetch`, so that the token stays in a header. */
export async function connectSse(
  requests: Requests,
  url: URL,
  { positions, heartbeatSeconds, signal }: Opening,
): Promise<Connection> {
  for (const [chat, at] of positions)
    if (chat === application) url.searchParams.append('application', `${at}`);
    else url.searchParams.append('chat', `${chat}:${at}`);

  const token = await requests.token(signal);
  const closing = new AbortController();
  const abort = () => closing.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const close = () => {
    signal?.removeEventListener('abort', abort);
    closing.abort();
  };
  const response = await requests.stream(url.href, 'text/event-stream', closing.signal).catch((error) => {
    close();
    if (error instanceof ChatSystemError && requests.renews(error)) requests.expire(token);
    throw error;
  });

  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const parser = new EventStreamParser();
  const events: WireEvent[] = [];
  // Read only when the consumer wants an event. So a slow consumer slows down the server instead of filling memory.
  let reading: Promise<{ done: boolean; value?: Uint8Array | undefined }> | undefined;

  return {
    isOrdered: true,
    silenceMs: heartbeatSeconds * lostHeartbeats * 1_000,
    close,
    async next(ms) {
      for (;;) {
        const event = events.shift();
        if (event?.type === 'end' && event.code.startsWith('access_token_')) requests.expire(token);
        if (event) return event;
        reading ??= reader.read();
        const piece = await within(ms, reading).catch((cause) => {
          throw signal?.aborted ? signal.reason : lost(String(cause), cause);
        });
        if (!piece) return undefined;
        reading = undefined;
        if (piece.done) throw lost('The server closed the stream.');
        for (const { event, data } of parser.push(decoder.decode(piece.value, { stream: true })))
          try {
            events.push(wireEvent(event, parsed(data)));
          } catch (cause) {
            throw lost('The server sent an unknown event.', cause);
          }
      }
    },
  };
}

const lost = (detail: string, cause?: unknown) =>
  new ChatSystemError({ status: 0, code: 'no_response', detail, cause });

function wireEvent(event: string, data: unknown): WireEvent {
  if (event === 'changes') return stepEvent(data as Parameters<typeof stepEvent>[0]);
  if (event === 'heartbeat') {
    const { changes = {}, application: list } = data as { changes?: Record<string, number>; application?: number };
    const versions = Object.entries(changes).map(([chat, at]): [number, number] => [Number(chat), at]);
    if (list !== undefined) versions.push([application, list]);
    return { type: 'versions', versions };
  }
  if (event === 'end') {
    const { code, chat_number: chat } = data as { code: string; chat_number?: number };
    return { type: 'end', code, ...(chat !== undefined && { chat }) };
  }
  return { type: 'alive' };
}
