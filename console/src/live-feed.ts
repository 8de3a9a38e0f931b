import { type ApplicationStep, type ChatStep, type ChatSystem, ChatSystemError } from '../../client/src/index.ts';

/** What is followed: a chat by its number, or the list of chats. */
export type Topic = number | 'chats';
export type Step = ChatStep | ApplicationStep;

/** `connecting` before the first connection; `catching up` after a break. */
export type LiveStatus =
  | { state: 'off' | 'connecting' | 'live' }
  | { state: 'catching up' | 'ended'; error: ChatSystemError };

interface Following {
  at: number;
  onStep: (step: Step) => void;
}

/**
 * Follows all that the page shows over one connection, because a browser opens only six to a server. When the page shows
 * something else, it connects again and continues from the versions that it has.
 */
export class LiveFeed {
  status: LiveStatus = { state: 'off' };
  readonly #system: ChatSystem;
  readonly #onStatus: (status: LiveStatus) => void;
  readonly #topics = new Map<Topic, Following>();
  #connection = new AbortController();

  constructor(system: ChatSystem, onStatus: (status: LiveStatus) => void) {
    this.#system = system;
    this.#onStatus = onStatus;
  }

  /** Follows a topic from a version on, until the returned function is called. */
  follow(topic: Topic, at: number, onStep: (step: Step) => void): () => void {
    const following = { at, onStep };
    this.#topics.set(topic, following);
    this.#connect();
    return () => {
      if (this.#topics.get(topic) !== following) return;
      this.#topics.delete(topic);
      this.#connect();
    };
  }

  #connect(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    // In the next turn of the event loop, because topics often change together.
    setTimeout(() => {
      if (!signal.aborted) void this.#run(signal);
    });
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (this.#topics.size === 0) return this.#tell({ state: 'off' });
    if (this.status.state !== 'live') this.#tell({ state: 'connecting' });
    const list = this.#topics.get('chats');
    const numbers = [...this.#topics].filter(([topic]) => topic !== 'chats');
    const from = {
      chats: Object.fromEntries(numbers.map(([topic, { at }]) => [topic, at])),
      ...(list && { application: list.at }),
    };
    try {
      const onStatus = (status: { live: true } | { live: false; error: ChatSystemError }) => {
        if (!signal.aborted)
          this.#tell(status.live ? { state: 'live' } : { state: 'catching up', error: status.error });
      };
      for await (const step of this.#system.followAll(from, { signal, onStatus })) {
        const topic = step.chat_number ?? 'chats';
        const following = this.#topics.get(topic);
        if (!following) continue;
        following.at = step.change;
        if (step.deleted) this.#topics.delete(topic);
        following.onStep(step);
      }
      if (!signal.aborted) this.#tell({ state: 'off' });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ChatSystemError)) throw error;
      this.#tell({ state: 'ended', error });
    }
  }

  #tell(status: LiveStatus): void {
    this.status = status;
    this.#onStatus(status);
  }
}
