import { expect } from 'vitest';
import type { Client, Message } from './client.ts';

export interface Change {
  change: number;
  type: 'message.created' | 'message.edited' | 'message.deleted';
  message: Partial<Message> & { number: number };
}

/** What a follower receives for a version. */
export interface StepEvent {
  chat_number?: number;
  change: number;
  data?: Change[];
  truncated?: true;
}

/**
 * Follows a chat as the contract tells clients to: it applies each version once and in order, and reads the changes when
 * a version is missing or was too large.
 */
export class ChatFollower {
  readonly #client: Client;
  readonly #path: string;
  #work = Promise.resolve();
  /** The last version that was applied. */
  version = 0;
  readonly messages = new Map<number, Change['message']>();
  /** The versions whose changes were applied, in order. */
  readonly applied: number[] = [];
  /** How often the changes were read, because events did not suffice. */
  reads = 0;

  constructor(client: Client, chatPath: string) {
    this.#client = client;
    this.#path = chatPath;
  }

  /** Takes an event, at any time and in any order. */
  take(event: StepEvent): void {
    this.#then(async () => {
      if (event.change <= this.version) return;
      if (event.change === this.version + 1 && event.data) this.#apply(event.data, event.change);
      else await this.#read();
    });
  }

  /** Reads what was missed, as after each connection. Resolves when everything that was taken before is applied. */
  catchUp(): Promise<void> {
    this.#then(() => this.#read());
    return this.#work;
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
  }

  async #read(): Promise<void> {
    this.reads++;
    for (let more = true, cursor = ''; more; ) {
      const answer = await this.#client.get<{ data: Change[]; change: number; more: boolean; cursor?: string }>(
        `${this.#path}/changes?after=${this.version}${cursor && `&cursor=${cursor}`}`,
      );
      expect(answer.status).toBe(200);
      const { data, change } = answer.body;
      this.#apply(data, change);
      ({ more } = answer.body);
      cursor = answer.body.cursor ?? '';
    }
  }

  #apply(changes: Change[], version: number): void {
    for (const { change, type, message } of changes) {
      expect(change).toBeGreaterThanOrEqual(this.applied.at(-1) ?? 0);
      this.applied.push(change);
      if (type === 'message.deleted') this.messages.delete(message.number);
      else this.messages.set(message.number, message);
    }
    this.version = Math.max(this.version, version);
  }
}
