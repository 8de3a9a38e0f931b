import { expect } from 'vitest';
import type { Parent } from '../../../lib/model/keys.ts';
import type { Change, ChatState } from '../../../lib/store/changes.ts';
import type { StoredMessage } from '../../../lib/store/reads.ts';
import type { Store } from '../../../lib/store/store.ts';

export type AnyChange = Change<StoredMessage> | Change<ChatState>;

/** Follows a chat, or the chats of an application, as a client does: by asking again and again what changed. */
export class Follower {
  readonly #parent: Parent;
  #position = 0;
  readonly #known = new Map<number, AnyChange>();

  constructor(parent: Parent) {
    this.#parent = parent;
  }

  async poll(store: Store): Promise<void> {
    const { token, chat } = this.#parent;
    const upTo = await store.version(this.#parent);
    expect(upTo, 'the version').toBeGreaterThanOrEqual(this.#position);
    const range = { after: { version: this.#position }, upTo, limit: 10_000 };
    const { changes, next } = await (chat === undefined
      ? store.chatChanges(token, range)
      : store.messageChanges({ token, chat }, range));
    expect(next, 'changes beyond one page').toBeUndefined();
    for (const change of changes) this.#known.set(change.number, change);
    this.#position = upTo;
  }

  /** Returns what is not deleted, in the order of the numbers. */
  existing(): (StoredMessage | ChatState)[] {
    return [...this.#known.values()]
      .flatMap((change) => (change.type === 'deleted' ? [] : [change.stored]))
      .sort((a, b) => a.number - b.number);
  }
}
