import type { Parent } from '../model/keys.ts';
import { targetOf, type Write } from '../model/write.ts';
import { decodeWrites, UnreadableRecord } from '../queue/records.ts';
import type { Whereabouts } from './difference.ts';
import { NumberSet } from './number-set.ts';
import type { ReconcileServices } from './services.ts';

/** Stands for an application itself among the numbers of its chats. */
const itself = 0;

const keyOf = ({ token, chat = 0 }: Parent): string => `${token}/${chat}`;

/** The numbers that writes on their way to the store are about. Memory is taken by gaps between them, not by the numbers. */
export class WaitingNumbers {
  readonly #numbersAt: Record<Exclude<Whereabouts, 'nowhere'>, Map<string, NumberSet>> = {
    waiting: new Map(),
    'dead letter': new Map(),
  };
  /** Why dead letters could not be read. */
  readonly unreadable: string[] = [];

  /**
   * Reads everything that waits and, of the dead letters, all that the queue hands out.
   *
   * @param token the only application that is of interest
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
    // What waits may become a dead letter meanwhile, so those come last.
    for await (const body of waitingWrites.records()) {
      try {
        add('waiting', body);
      } catch (error) {
        // The store worker makes a dead letter of it, or retries it until a newer version runs.
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

  /** Where a write is that is about the number, of a message of the chat or a chat of the application. */
  find(parent: Parent, number: number): Whereabouts {
    const key = keyOf(parent);
    if (this.#numbersAt.waiting.get(key)?.has(number)) return 'waiting';
    return this.#numbersAt['dead letter'].get(key)?.has(number) ? 'dead letter' : 'nowhere';
  }

  /** Where a write is that is about an application or chat itself. */
  findParent({ token, chat = itself }: Parent): Whereabouts {
    return this.find({ token }, chat);
  }

  /** The highest number that any of them is about; 0 when there is none. */
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
