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
