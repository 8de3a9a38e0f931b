import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from './api.ts';
import type { Embedded } from './embedded.ts';

/** Connections that are opened at a time. */
const atOnce = 100;
/** How the time of a create is written into a message, in microseconds of `performance.now()`. */
const timePattern = /"body":"sent at (\d+)"/g;

/** Clients that follow chats as server-sent events. They parse as little as possible, to leave the processors to the server. */
export class Followers {
  /** The time from before the create to the arrival at a follower, of each delivery since `take`, in milliseconds. */
  #times: number[] = [];
  readonly #sockets: Socket[] = [];
  #closedByServer = false;
  readonly #host: Embedded;

  private constructor(host: Embedded) {
    this.#host = host;
  }

  /** Opens streams, each of which follows one chat. The streams are spread over the chats evenly. */
  static async open(host: Embedded, chats: string[], count: number): Promise<Followers> {
    const followers = new Followers(host);
    for (let opened = 0; opened < count; opened += atOnce)
      await Promise.all(
        Array.from({ length: Math.min(atOnce, count - opened) }, (_, i) =>
          followers.#openOne(chats[(opened + i) % chats.length] as string),
        ),
      );
    return followers;
  }

  async #openOne(chat: string): Promise<void> {
    const { origin, base } = this.#host;
    const [application, number] = chat.split('/chats/');
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    this.#sockets.push(socket);
    socket.setEncoding('latin1');
    socket.write(
      `GET ${base}${application}/feed?chat=${number} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`,
    );
    let received = '';
    while (!received.includes('\n\n')) received += (await once(socket, 'data'))[0];
    if (!received.startsWith('HTTP/1.1 200')) throw new Error(`No stream: ${received}`);
    socket.on('data', (text: string) => {
      const now = performance.now();
      for (const [, sentAt] of text.matchAll(timePattern)) this.#times.push(now - Number(sentAt) / 1_000);
    });
    socket.on('close', () => {
      if (this.#sockets.length > 0) this.#closedByServer = true;
    });
  }

  /** Creates a message whose body has the current time, so that a follower can compute the delay. */
  async send(chat: string): Promise<void> {
    await call(this.#host, `${chat}/messages`, { body: `sent at ${Math.round(performance.now() * 1_000)}` });
  }

  /** Creates messages in the chats in turn, at a steady rate. Resolves when the last one has been sent. */
  async sendSteadily(chats: string[], perSecond: number, seconds: number): Promise<void> {
    const begun = performance.now();
    const sending: Promise<void>[] = [];
    for (let i = 0; i < perSecond * seconds; i++) {
      const due = begun + (i * 1_000) / perSecond;
      if (due > performance.now()) await sleep(due - performance.now());
      sending.push(this.send(chats[i % chats.length] as string));
    }
    await Promise.all(sending);
  }

  /** Waits for this many deliveries, and returns and forgets the time of each, in milliseconds. */
  async take(count: number): Promise<number[]> {
    for (let waited = 0; this.#times.length < count && waited < 30_000; waited += 20) await sleep(20);
    const times = this.#times;
    this.#times = [];
    if (this.#closedByServer) throw new Error('The server closed a stream');
    if (times.length !== count) throw new Error(`${times.length} of ${count} deliveries`);
    return times;
  }

  async close(): Promise<void> {
    const closing = this.#sockets.splice(0);
    for (const socket of closing) socket.destroy();
    await sleep(1_000);
  }
}
