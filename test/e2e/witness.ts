import { expect } from 'vitest';

/** The possible states of a message, according to its writers' responses. */
interface Testimony {
  /** The possible bodies: the last accepted one, and those of later edits without a response. */
  bodies: Set<string>;
  deleted: 'no' | 'perhaps' | 'yes';
  /** Whether a writer is working on it. Only one may, so that the last accepted edit is known. */
  busy: boolean;
}

/**
 * Records the responses to the writers of one chat, and compares the chat's messages with them at the end: every
 * acknowledged write exists under its number, and a write without a response exists completely or not at all.
 */
export class Witness {
  readonly chat: string;
  readonly #messages = new Map<number, Testimony>();
  /** Creates without a response, by their first body. */
  readonly #unanswered = new Map<string, string[]>();

  constructor(chat: string) {
    this.chat = chat;
  }

  /** Returns the numbers of messages that exist or may exist, and that no writer is working on. */
  free(): number[] {
    return [...this.#messages].flatMap(([number, { deleted, busy }]) => (deleted === 'yes' || busy ? [] : [number]));
  }

  /** Reserves the message for `work`, so that no other writer changes it meanwhile. */
  async alone(number: number, work: () => Promise<void>): Promise<void> {
    const message = this.#of(number);
    message.busy = true;
    await work();
    message.busy = false;
  }

  createAnswered(bodies: string[], numbers: number[]): void {
    expect(numbers, 'a create takes consecutive numbers').toEqual(bodies.map((_, i) => (numbers[0] ?? 0) + i));
    for (const [i, number] of numbers.entries()) {
      expect(this.#messages.has(number), `number ${number} was assigned twice`).toBe(false);
      this.#messages.set(number, { bodies: new Set([bodies[i] ?? '']), deleted: 'no', busy: false });
    }
  }

  createUnanswered(bodies: string[]): void {
    this.#unanswered.set(bodies[0] ?? '', bodies);
  }

  /** @param status undefined when there was no response */
  edited(number: number, body: string, status: number | undefined): void {
    const message = this.#of(number);
    if (status === undefined) message.bodies.add(body);
    else if (this.#isThere(number, status, 200)) message.bodies = new Set([body]);
  }

  /** @param status undefined when there was no response */
  deleted(number: number, status: number | undefined): void {
    const message = this.#of(number);
    if (status === undefined) message.deleted = 'perhaps';
    else if (this.#isThere(number, status, 204)) message.deleted = 'yes';
  }

  /**
   * Compares the chat's messages with everything that was recorded.
   *
   * @param highest the highest number that was assigned
   */
  confirms(found: { number: number; body: string }[], highest: number): void {
    const bodies = new Map(found.map(({ number, body }) => [number, body]));
    expect(bodies.size, 'no number occurs twice').toBe(found.length);
    for (const [number, { bodies: possible, deleted }] of this.#messages) {
      const body = bodies.get(number);
      if (deleted === 'yes') expect(body, `${number} was deleted`).toBeUndefined();
      else if (deleted === 'no') expect(body, `${number} was acknowledged`).toBeDefined();
      if (body !== undefined) expect([...possible], `${number} has its last accepted text`).toContain(body);
    }
    for (let number = 1; number <= highest; number++) {
      if (this.#messages.has(number)) continue;
      const first = bodies.get(number);
      const create = this.#unanswered.get(first ?? '');
      expect(create, `number ${number} is a gap, or has a text that nobody sent: ${first}`).toBeDefined();
      this.#unanswered.delete(first ?? '');
      const whole = create?.map((_, i) => bodies.get(number + i));
      expect(whole, 'an unanswered create exists completely or not at all').toEqual(create);
      number += (create?.length ?? 1) - 1;
    }
    expect(Math.max(0, ...bodies.keys()), 'no number is above the highest one').toBeLessThanOrEqual(highest);
  }

  #of(number: number): Testimony {
    const message = this.#messages.get(number);
    if (!message) throw new Error(`No create returned ${number}`);
    return message;
  }

  /** Returns whether the message existed. It may only be missing when a deletion of it had no response. */
  #isThere(number: number, status: number, done: number): boolean {
    const message = this.#of(number);
    if (status === 404) expect(message.deleted, `${number} is not found`).toBe('perhaps');
    else expect(status, `a write to ${number}`).toBe(done);
    message.deleted = status === 404 ? 'yes' : 'no';
    return status === done;
  }
}
