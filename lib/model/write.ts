import type { ChatChange, ContentChange } from './content.ts';

interface Revision {
  /** 0 for a creation; each edit takes the next one. The higher revision wins. */
  revision: number;
  /** When the write was accepted, in milliseconds since 1970. */
  at: number;
}

/**
 * One accepted write, as the ledger sends it to the store. A deletion has no revision, because it wins over every
 * revision. It deletes a message if it has `number`, a chat if it has only `chat`, and otherwise the application.
 *
 * A creation of a message has the whole content, an edit only the members that it sets.
 */
export type Write =
  | ({ kind: 'application'; token: string; name: string } & Revision)
  | ({ kind: 'chat'; token: string; chat: number } & ChatChange & Revision)
  | ({ kind: 'message'; token: string; chat: number; number: number; content: ContentChange } & Revision)
  | { kind: 'deletion'; token: string; chat?: number | undefined; number?: number | undefined; at: number };

/** Returns the key of what the write changes: an application, one of its chats, or a message of that chat. */
export const targetOf = (write: Write): { token: string; chat?: number | undefined; number?: number | undefined } =>
  write;
