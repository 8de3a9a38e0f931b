import type { Parent } from '../model/keys.ts';
import { targetOf, type Write } from '../model/write.ts';
import { decodeWrites, UnreadableRecord } from '../queue/records.ts';
import type { Whereabouts } from './difference.ts';
import { NumberSet } from './number-set.ts';
import type { ReconcileServices } from './services.ts';

/** Stands for the application itself in the set of its chats' numbers, which begin at 1. */
const itself = 0;

const keyOf = ({ token, chat = 0 }: Parent): string => `${token}/${chat}`;

/**
 * The numbers of the writes that the store may not have yet: those that wait (parked or queued), and those in dead
 * letters. It takes memory for each gap between the numbers, not for each number.
 */
export class WaitingNumbers {
  readonly #numbersAt: Record<Exclude<Whereabouts, 'nowhere'>, Map<string, NumberSet>> = {
    waiting: new Map(),
    'dead letter': new Map(),
  };
  /** Why dead letters could not be read. */
  readonly unreadable: string[] = [];

  /**
   * Reads all waiting records, and all dead letters that the queue returns.
   *
   * @param token limits the numbers to one application
   */
  static async read(
    { storeQueue, waitingWrites }: Pick<ReconcileServices, 'storeQueue' | 'waitingWrites'>,
    token?: string,
  ): Promise<WaitingNumbers> {
    const numbers = new WaitingNumbers();
    const add = (where: Exclude<Whereabouts, 'nowhere'>, body: string) => {
      for (const write of decodeWrites(body))
        if (token === undefined || write.token === token) numbers.#add(where, write);
    };
    // Dead letters are read last, because a waiting record may become one meanwhile.
    for await (const body of waitingWrites.records()) {
      try {
        add('waiting', body);
      } catch (error) {
        // The store worker will move it to the dead letters, or retry it until a newer version runs.
        numbers.#note(error);
      }
    }
    for (const { body } of await storeQueue.deadLetters(Number.MAX_SAFE_INTEGER)) {
      try {
        add('dead letter', body);
      } catch (error) {
        numbers.#note(error);
      }
    }
    return numbers;
  }

  /**
   * Returns where a write for the number is. If the parent is a chat, the number is that of a message, otherwise that
   * of a chat.
   */
  find(parent: Parent, number: number): Whereabouts {
    const key = keyOf(parent);
    if (this.#numbersAt.waiting.get(key)?.has(number)) return 'waiting';
    return this.#numbersAt['dead letter'].get(key)?.has(number) ? 'dead letter' : 'nowhere';
  }

  /** Returns where a write for an application or chat itself is. */
  findParent({ token, chat = itself }: Parent): Whereabouts {
    return this.find({ token }, chat);
  }

  /**
   * Returns the highest number below the application or chat that has a waiting write or a dead letter; 0 when there is
   * none.
   */
  highest(parent: Parent): number {
    return Math.max(...Object.values(this.#numbersAt).map((sets) => sets.get(keyOf(parent))?.highest() ?? 0));
  }

  #add(where: Exclude<Whereabouts, 'nowhere'>, write: Write): void {
    const { token, chat, number } = targetOf(write);
    const key = keyOf(number === undefined || chat === undefined ? { token } : { token, chat });
    let numbers = this.#numbersAt[where].get(key);
    if (!numbers) {
      numbers = new NumberSet();
      this.#numbersAt[where].set(key, numbers);
    }
    numbers.add(number ?? chat ?? itself);
  }

  #note(error: unknown): void {
    if (!(error instanceof UnreadableRecord)) throw error;
    this.unreadable.push(error.message);
  }
}
