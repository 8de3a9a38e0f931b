import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Answer } from './client.ts';

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/**
 * Returns the first complete response in the received bytes and its size in bytes, or undefined while it is incomplete.
 */
function takeAnswer(received: Buffer, withBody: boolean): { answer: Answer; bytes: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = received.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const bodyStart = headEnd + 4;
  const bodyEnd = bodyStart + (withBody ? Number(headers.get('content-length') ?? 0) : 0);
  if (received.length < bodyEnd) return undefined;
  const bytes = received.subarray(bodyStart, bodyEnd);
  const isCompressed = headers.get('content-encoding') === 'gzip' && bytes.length > 0;
  const body = parsed((isCompressed ? gunzipSync(bytes) : bytes).toString());
  return { answer: { status: Number(statusLine.split(' ')[1]), headers, body }, bytes: bodyEnd };
}

/** A connection on which a test writes any bytes, and reads HTTP responses. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the other side has ended or reset the connection. */
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #news = Promise.withResolvers<void>();

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port) });
    const news = () => {
      this.#news.resolve();
      this.#news = Promise.withResolvers();
    };
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      news();
    });
    this.closed = new Promise((resolve) => {
      const close = () => {
        this.#isClosed = true;
        news();
        resolve();
      };
      this.socket.on('end', close).on('close', close);
    });
    // A reset also closes the connection. A test that expects a reset waits for `closed`.
    this.socket.on('error', () => undefined);
  }

  static async open(url: string): Promise<RawConnection> {
    const connection = new RawConnection(url);
    await new Promise<void>((resolve, reject) => {
      connection.socket.once('connect', () => resolve()).once('error', reject);
    });
    return connection;
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Returns the next response, or undefined when the connection closes without one. */
  async answer(withBody = true): Promise<Answer | undefined> {
    for (;;) {
      const taken = takeAnswer(this.#received, withBody);
      if (taken) {
        this.#received = this.#received.subarray(taken.bytes);
        return taken.answer;
      }
      if (this.#isClosed) return undefined;
      await this.#news.promise;
    }
  }

  /** Returns all responses until the connection closes. */
  async answers(): Promise<Answer[]> {
    const all: Answer[] = [];
    for (let next = await this.answer(); next; next = await this.answer()) all.push(next);
    return all;
  }
}
