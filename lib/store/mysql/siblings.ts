import { targetOf, type Write } from '../../model/write.ts';
import { byKey } from './keys.ts';

/**
 * Writes that are counted in the same thing: those to a chat's messages, or to an application's chats, there with `chat`
 * 0, as have those to an application itself.
 */
export interface Siblings {
  token: string;
  chat: number;
  writes: Write[];
}

/** A batch by what its writes are about. */
export interface Batch {
  applications: Siblings[];
  chats: Siblings[];
  messages: Siblings[];
}

/** Looks at each write once: a batch has a thousand, mostly to few chats. */
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

  /** In the order of the primary keys, see {@link byKey}. */
  sorted(): Siblings[] {
    const all = [...this.#byToken.values()].flatMap((byChat) => [...byChat.values()]);
    for (const { writes } of all) writes.sort((a, b) => lastOf(a) - lastOf(b));
    return all.sort(byKey);
  }
}

/** What tells a write from its siblings. */
const lastOf = (write: Write): number => {
  const { chat, number } = targetOf(write);
  return number ?? chat ?? 0;
};

export const allWrites = (siblings: Siblings[]): Write[] => siblings.flatMap(({ writes }) => writes);
