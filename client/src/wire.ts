import type { Versioned } from './sequence.ts';

/** The number under which an application's chats are followed: no chat has it. */
export const application = 0;

/** An event of a connection: about a followed chat, about the application's chats, or about the connection itself. */
export type WireEvent =
  /** The changes of one version; without `data` if they are too large to be sent. */
  | { type: 'step'; chat: number; change: number; data?: Versioned[] }
  /** The newest version of everything that is followed. */
  | { type: 'versions'; versions: [chat: number, version: number][] }
  /** The server ends the connection; with `chat`, only this chat ends, because it was deleted. */
  | { type: 'end'; code: string; chat?: number }
  /** The follower should reconnect, although nothing has failed. */
  | { type: 'reconnect' }
  /** The connection still works. */
  | { type: 'alive' };

/** A connection that delivers changes. */
export interface Connection {
  /**
   * Whether it first delivers what the follower missed, and then loses, repeats and reorders nothing. Otherwise the
   * follower must read what it missed.
   */
  isOrdered: boolean;
  /** Without an event for this many milliseconds, the connection is lost. */
  silenceMs: number;
  /**
   * The time between two reads of what the connection may have lost, in milliseconds. It begins with `first` and doubles
   * while nothing changes, up to `longest`. Absent if the connection reports versions itself.
   */
  checkMs?: { first: number; longest: number };
  /** Resolves with the next event; with undefined when none came for this many milliseconds. Rejects when it is lost. */
  next(ms: number): Promise<WireEvent | undefined>;
  close(): void;
}

/** The options of opening a connection. */
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
