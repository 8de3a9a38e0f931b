import type { ReconcileServices } from './services.ts';
import type { WaitingNumbers } from './waiting-numbers.ts';

/** What a run works with. */
export interface Run extends ReconcileServices {
  waiting: WaitingNumbers;
  /** Milliseconds since 1970. */
  now: number;
  repair: boolean;
  /** Ends the run with its reason between two pages. */
  signal: AbortSignal | undefined;
  /** Called when a chat has been compared, with how many numbers of messages it has. */
  onChat: (chat: { token: string; chat: number; messages: number }) => void;
}
