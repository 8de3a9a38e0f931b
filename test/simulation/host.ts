import type { Announcer } from '../../functions/runtime/services.ts';
import type { EventClient, Feed } from '../../lib/api/feed.ts';
import type { Publisher } from '../../lib/feed/publisher.ts';
import type { Ledger } from '../../lib/ledger/ledger.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import type { Changes } from '../../lib/store/changes.ts';
import { EmbeddedFeed } from '../../local/feed/embedded-feed.ts';
import { Hub } from '../../local/feed/hub.ts';
import { feedReads, missedPart } from '../../local/feed/store-reads.ts';
import { random } from './chance.ts';
import { sleep } from './determinism.ts';
import type { Faults } from './faults.ts';
import { Process } from './process.ts';

/** Longer than any simulation, in milliseconds. */
const foreverMs = 2 ** 31 - 1;

type Reads = { store: Changes; ledger: Pick<Ledger, 'chat' | 'accessGeneration'> };

/** A host with the hub of the embedded engine, which is told of versions late, twice, in another order or never. It may die. */
export class SimulatedHost {
  readonly #faults: Faults;
  readonly #reads: (process: Process) => Reads;
  readonly #streams = new Set<SimulatedStream>();
  #hub: Hub | undefined;

  constructor(faults: Faults, reads: (process: Process) => Reads) {
    this.#faults = faults;
    this.#reads = reads;
  }

  start(): void {
    const process = new Process(this.#faults, 'host');
    const { store, ledger } = this.#reads(process);
    this.#hub = new Hub(
      feedReads(store, ledger, async (parent, after) =>
        this.#faults.chance(0.05) ? undefined : missedPart(store, parent, after),
      ),
    );
    void process
      .run(foreverMs, () => new Promise<void>(() => {}))
      .then(async () => {
        this.#hub = undefined;
        for (const stream of [...this.#streams]) stream.lose();
        await sleep(random.between(500, 20_000));
        this.start();
      });
  }

  /** The feed of the host's current process. It is unavailable while no process is running. */
  get feed(): Feed {
    const hub = this.#hub;
    const down = () => Promise.reject(new Unavailable(new Error('down')));
    return hub ? new EmbeddedFeed(hub) : { origins: [], transports: down };
  }

  announcer(): Announcer {
    return {
      announce: async (versions) => {
        if (this.#faults.chance(0.1)) return;
        for (let copies = this.#faults.chance(0.1) ? 2 : 1; copies > 0; copies--)
          setTimeout(
            () => this.#hub?.announce(versions),
            this.#faults.chance(0.1) ? random.between(100, 30_000) : random.between(1, 10),
          );
      },
    };
  }

  publisher(): Publisher {
    return { publish: () => Promise.reject(new Error('There is no AppSync.')) };
  }

  /** Returns a new connection of a client, which may be lost. */
  connect(): SimulatedStream {
    const stream = new SimulatedStream(this.#faults, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    return stream;
  }
}

/** Both ends of a connection with a stream of events. */
class SimulatedStream implements EventClient {
  unsent = 0;
  readonly #faults: Faults;
  readonly #onGone: () => void;
  readonly #arrived: Uint8Array[] = [];
  #sent: Buffer[] = [];
  #state: 'open' | 'ended' | 'lost' = 'open';
  #wake = () => {};
  #whenSent = () => {};
  #whenClosed = () => {};

  constructor(faults: Faults, onGone: () => void) {
    this.#faults = faults;
    this.#onGone = onGone;
  }

  send(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    if (this.#faults.chance(0.03)) {
      this.lose();
      return;
    }
    this.#sent.push(bytes);
    this.unsent += bytes.length;
    if (this.#sent.length === 1) setTimeout(() => this.#arrive(), random.between(1, 20));
  }

  onSent(listener: () => void): void {
    if (this.unsent === 0) queueMicrotask(listener);
    else this.#whenSent = listener;
  }

  end(bytes: Buffer): void {
    this.send(bytes);
    setTimeout(() => this.#close('ended'), 30);
  }

  onClosed(listener: () => void): void {
    if (this.#state === 'open') this.#whenClosed = listener;
    else queueMicrotask(listener);
  }

  /** Loses the connection, with what is on the way. */
  lose(): void {
    this.#sent = [];
    this.#close('lost');
  }

  /** Reads as the reader of a response's body does. */
  async read(): Promise<{ done: boolean; value?: Uint8Array }> {
    for (;;) {
      const value = this.#arrived.shift();
      if (value) return { done: false, value };
      if (this.#state === 'ended') return { done: true };
      if (this.#state === 'lost') throw new TypeError('terminated');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #arrive(): void {
    this.#arrived.push(...this.#sent);
    this.#sent = [];
    this.unsent = 0;
    this.#wake();
    const listener = this.#whenSent;
    this.#whenSent = () => {};
    listener();
  }

  #close(state: 'ended' | 'lost'): void {
    if (this.#state !== 'open') return;
    this.#state = state;
    this.#onGone();
    this.#wake();
    this.#whenClosed();
  }
}
