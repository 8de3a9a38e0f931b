/** An event of a `text/event-stream`. */
export interface StreamEvent {
  type: string;
  data: Record<string, unknown>;
  /** The id of the last event that had one, this one included. */
  id: string | undefined;
}

/** Parses server-sent events as a browser does (HTML standard, section 9.2.6). */
export class EventParser {
  lastId: string | undefined;
  retry: string | undefined;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #type = '';
  #data: string[] = [];

  /** Returns the events that are complete with these bytes. */
  parse(bytes: Uint8Array): StreamEvent[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): StreamEvent[] {
    if (line !== '') {
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'event') this.#type = value;
      else if (field === 'data') this.#data.push(value);
      else if (field === 'id') this.lastId = value;
      else if (field === 'retry') this.retry = value;
      else throw new Error(`No event has the line ${line}`);
      return [];
    }
    const [type, data] = [this.#type, this.#data];
    [this.#type, this.#data] = ['', []];
    return data.length > 0 ? [{ type, data: JSON.parse(data.join('\n')), id: this.lastId }] : [];
  }
}

/** A stream of events from a server. */
export class EventStream {
  readonly response: Response;
  readonly events: StreamEvent[] = [];
  readonly parser = new EventParser();
  /** Resolves when the server has closed the stream, or `close` was called. */
  readonly closed: Promise<void>;
  readonly #abort: AbortController;
  #news = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.closed = this.#read();
  }

  /**
   * Opens a stream.
   *
   * @throws Error when the response is no stream
   */
  static async open(url: string | URL, headers: Record<string, string> = {}): Promise<EventStream> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal: abort.signal,
    });
    if (response.headers.get('content-type') !== 'text/event-stream')
      throw new Error(`No stream, but ${response.status}: ${await response.text()}`);
    return new EventStream(response, abort);
  }

  /** Returns the first event for which the condition holds, now or later. */
  async until(condition: (event: StreamEvent) => boolean, timeoutMs = 20_000): Promise<StreamEvent> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const timedOut = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve()));
    for (;;) {
      const found = this.events.find(condition);
      if (found) return found;
      if (this.#isClosed) throw new Error(`The stream was closed after ${this.#told()}`);
      if (timeout.aborted) throw new Error(`The event did not come within ${timeoutMs} ms, but ${this.#told()}`);
      await Promise.race([this.#news.promise, timedOut]);
    }
  }

  /** Returns the versions of the `changes` events of a chat, in order; without a chat, of the list of chats. */
  versions(chat?: number): number[] {
    return this.events
      .filter(({ type, data }) => type === 'changes' && data.chat_number === chat)
      .map(({ data }) => data.change as number);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.closed;
  }

  #told(): string {
    return JSON.stringify(this.events.slice(-3));
  }

  async #read(): Promise<void> {
    try {
      for await (const bytes of this.response.body ?? []) {
        this.events.push(...this.parser.parse(bytes));
        this.#tell();
      }
    } catch {
      // The connection was reset, or `close` was called.
    }
    this.#isClosed = true;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
