import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Link {
  client: Socket;
  server: Socket;
  silent: boolean;
}

/** A TCP proxy of a real server, on which a test can simulate network faults. */
export class FaultyProxy {
  readonly #target: { host: string; port: number };
  readonly #links = new Set<Link>();
  #listening: Server | undefined;
  #port = 0;
  #silent = false;
  /** Milliseconds by which each packet to the server is delayed. */
  delayMs = 0;

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port: Number(port) };
  }

  static async to(url: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(url);
    await proxy.restore();
    return proxy;
  }

  /** Returns the same URL with the address of the proxy. */
  through(url: string): string {
    const by = new URL(url);
    by.hostname = '127.0.0.1';
    by.port = String(this.#port);
    return by.href;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Refuses new connections and closes existing ones. */
  async refuse(): Promise<void> {
    const closed = this.#listening && once(this.#listening, 'close');
    this.#listening?.close();
    this.#listening = undefined;
    this.cut();
    await closed;
  }

  /** Accepts connections without responding, on new and existing ones, like the kernel of a stopped process. */
  silence(): void {
    this.#silent = true;
    this.silenceOpen();
  }

  /** Stops responding on existing connections, like a NAT that dropped them. New ones work. */
  silenceOpen(): void {
    for (const link of this.#links) link.silent = true;
  }

  cut(): void {
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
  }

  async restore(): Promise<void> {
    this.#silent = false;
    this.delayMs = 0;
    if (this.#listening) return;
    this.#listening = createServer((client) => this.#link(client)).listen(this.#port, '127.0.0.1');
    await once(this.#listening, 'listening');
    this.#port = (this.#listening.address() as AddressInfo).port;
  }

  #link(client: Socket): void {
    const link: Link = { client, server: connect(this.#target), silent: this.#silent };
    const { server } = link;
    this.#links.add(link);
    client.on('data', async (data) => {
      if (this.delayMs > 0) await sleep(this.delayMs);
      if (!link.silent) server.write(data);
    });
    server.on('data', (data) => {
      if (!link.silent) client.write(data);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // An error also closes the connection, and the close is passed on.
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#links.delete(link);
        if (!link.silent || one === client) other.destroy();
      });
    }
  }
}
