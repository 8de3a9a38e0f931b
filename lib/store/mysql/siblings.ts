import { targetOf, type Write } from '../../model/write.ts';
import { byKey } from './keys.ts';

/**
 * Writes that change the same count: those to the messages of a chat, or to the chats of an application. `chat` is 0
 * for writes to chats and for writes to an application itself.
 */
export interface Siblings {
  token: string;
  chat: number;
  writes: Write[];
}

/** Siblings with the version of their chat, or of the application's chats, that their transaction makes. */
export interface VersionedSiblings extends Siblings {
  version: number;
}

/** A write with the version that it makes. */
export interface VersionedWrite {
  write: Write;
  version: number;
}

/** The writes of a batch, by what they change. */
export interface Batch {
  applications: Siblings[];
  chats: Siblings[];
  messages: Siblings[];
}

/** Groups the writes of a batch. Visits each write once: a batch has a thousand, mostly to few chats. */
export function batchOf(writes: Write[]): Batch {
  const [applications, chats, messages] = [new Groups(), new Groups(), new Groups()];
  for (const write of writes) {
    const { token, chat, number } = targetOf(write);
    if (chat === undefined) applications.of(token, 0).push(write);
    else if (number === undefined) chats.of(token, 0).push(write);
    else messages.of(token, chat).push(write);
  }
  return { applications: applications.sorted(), chats: chats.sorted(), messages: messages.sorted() };
}

class Groups {
  readonly #byToken = new Map<string, Map<number, Siblings>>();

  of(token: string, chat: number): Write[] {
    const byChat = this.#byToken.get(token) ?? new Map<number, Siblings>();
    if (byChat.size === 0) this.#byToken.set(token, byChat);
    const siblings = byChat.get(chat) ?? { token, chat, writes: [] };
    if (siblings.writes.length === 0) byChat.set(chat, siblings);
    return siblings.writes;
  }

  /** Returns the siblings in the order of the primary keys, see {@link byKey}. */
  sorted(): Siblings[] {
    const all = [...this.#byToken.values()].flatMap((byChat) => [...byChat.values()]);
    for (const { writes } of all) writes.sort((a, b) => numberAmongSiblings(a) - numberAmongSiblings(b));
    return all.sort(byKey);
  }
}

/** Returns the number that distinguishes a write from its siblings. */
const numberAmongSiblings = (write: Write): number => {
  const { chat, number } = targetOf(write);
  return number ?? chat ?? 0;
};

export const allWrites = (siblings: Siblings[]): Write[] => siblings.flatMap(({ writes }) => writes);

export const versionedWrites = (siblings: VersionedSiblings[]): VersionedWrite[] =>
  siblings.flatMap(({ writes, version }) => writes.map((write) => ({ write, version })));
