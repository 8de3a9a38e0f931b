import type { Versioned } from './sequence.ts';

/** The number under which an application's chats are followed: no chat has it. */
export const application = 0;

/** What a connection brings about one of the followed chats, or about the application's chats. */
export type WireEvent =
  /** What one version changed; without `data` when that was too large to be sent. */
  | { type: 'step'; chat: number; change: number; data?: Versioned[] }
  /** The newest versions, of all that is followed. */
  | { type: 'versions'; versions: [chat: number, version: number][] }
  /** The server ends the connection; with `chat`, only this chat ends, because it was deleted. */
  | { type: 'end'; code: string; chat?: number }
  /** It is time to connect again, although nothing has failed. */
  | { type: 'again' }
  /** The connection still works. */
  | { type: 'alive' };

/** A connection that brings what changes. */
export interface Connection {
  /**
   * Whether it begins with what was missed since the positions, and then loses, repeats and reorders nothing. Otherwise
   * what was missed has to be read once it is connected.
   */
  isOrdered: boolean;
  /** Without an event for this many milliseconds, the connection is lost. */
  silenceMs: number;
  /**
   * How often to read what the connection may have lost, if it does not tell versions itself, in milliseconds: at first,
   * and at most, because the time doubles while nothing changes.
   */
  checkMs?: { first: number; longest: number };
  /** Resolves with the next event; with undefined when none came for this many milliseconds. Rejects when it is lost. */
  next(ms: number): Promise<WireEvent | undefined>;
  close(): void;
}

/** What a connection is opened with. */
export interface Opening {
  /** The version that the follower has of each chat. */
  positions: ReadonlyMap<number, number>;
  heartbeatSeconds: number;
  signal: AbortSignal | undefined;
}

interface StepJson {
  chat_number?: number;
  change: number;
  data?: Versioned[];
}

/** Returns the event of a step as every transport sends it. */
export const stepEvent = ({ chat_number: chat = application, change, data }: StepJson): WireEvent => ({
  type: 'step',
  chat,
  change,
  ...(data && { data }),
});
