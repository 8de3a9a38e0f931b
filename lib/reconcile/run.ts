import type { ReconcileServices } from './services.ts';
import type { WaitingNumbers } from './waiting-numbers.ts';

/** The services, options and state of one reconcile run. */
export interface Run extends ReconcileServices {
  waiting: WaitingNumbers;
  /** The current time, in milliseconds since 1970. */
  now: number;
  /** Whether differences are repaired. */
  repair: boolean;
  /** Aborts the run between two pages; the run then throws the signal's reason. */
  signal: AbortSignal | undefined;
  /** Called after a chat was compared; `messages` is the number of message numbers compared. */
  onChat: (chat: { token: string; chat: number; messages: number }) => void;
}
