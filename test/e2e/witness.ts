import { expect } from 'vitest';

/** What may have become of a message, from what its writers were answered. */
interface Testimony {
  /** The bodies it may have: the last accepted one, and those of edits after it that were never answered. */
  bodies: Set<string>;
  deleted: 'no' | 'perhaps' | 'yes';
  /** Whether a writer is at it: one at a time, so that the last accepted edit is known. */
  busy: boolean;
}

/**
 * Notes what the writers of one chat were answered, and at the end holds the chat's messages against it: every answered
 * write is there under its number, and what was never answered is there whole or not at all.
 */
export class Witness {
  readonly chat: string;
  readonly #messages = new Map<number, Testimony>();
  /** Creates that were never answered, by their first body. */
  readonly #unanswered = new Map<string, string[]>();

  constructor(chat: string) {
    this.chat = chat;
  }

  /** The numbers of messages that are there, or may be, and nobody is at. */
  free(): number[] {
    return [...this.#messages].flatMap(([number, { deleted, busy }]) => (deleted === 'yes' || busy ? [] : [number]));
  }

  /** Keeps other writers off the message while `work` is at it. */
  async alone(number: number, work: () => Promise<void>): Promise<void> {
    const message = this.#of(number);
    message.busy = true;
    await work();
    message.busy = false;
  }

  createAnswered(bodies: string[], numbers: number[]): void {
    expect(numbers, 'a create takes consecutive numbers').toEqual(bodies.map((_, i) => (numbers[0] ?? 0) + i));
    for (const [i, number] of numbers.entries()) {
      expect(this.#messages.has(number), `number ${number} was given twice`).toBe(false);
      this.#messages.set(number, { bodies: new Set([bodies[i] ?? '']), deleted: 'no', busy: false });
    }
  }

  createUnanswered(bodies: string[]): void {
    this.#unanswered.set(bodies[0] ?? '', bodies);
  }

  /** @param status undefined when no answer came */
  edited(number: number, body: string, status: number | undefined): void {
    const message = this.#of(number);
    if (status === undefined) message.bodies.add(body);
    else if (this.#isThere(number, status, 200)) message.bodies = new Set([body]);
  }

  /** @param status undefined when no answer came */
  deleted(number: number, status: number | undefined): void {
    const message = this.#of(number);
    if (status === undefined) message.deleted = 'perhaps';
    else if (this.#isThere(number, status, 204)) message.deleted = 'yes';
  }

  /**
   * Holds the chat's messages against all that was noted; answers how many there are.
   *
   * @param highest the highest number that was ever given
   */
  confirms(found: { number: number; body: string }[], highest: number): void {
    const bodies = new Map(found.map(({ number, body }) => [number, body]));
    expect(bodies.size, 'no number comes twice').toBe(found.length);
    for (const [number, { bodies: possible, deleted }] of this.#messages) {
      const body = bodies.get(number);
      if (deleted === 'yes') expect(body, `${number} was deleted`).toBeUndefined();
      else if (deleted === 'no') expect(body, `${number} was answered`).toBeDefined();
      if (body !== undefined) expect([...possible], `${number} as it was last accepted`).toContain(body);
    }
    for (let number = 1; number <= highest; number++) {
      if (this.#messages.has(number)) continue;
      const first = bodies.get(number);
      const create = this.#unanswered.get(first ?? '');
      expect(create, `number ${number} is a gap, or holds what nobody sent: ${first}`).toBeDefined();
      this.#unanswered.delete(first ?? '');
      const whole = create?.map((_, i) => bodies.get(number + i));
      expect(whole, 'what was not answered is there whole or not at all').toEqual(create);
      number += (create?.length ?? 1) - 1;
    }
    expect(Math.max(0, ...bodies.keys()), 'nothing lies beyond').toBeLessThanOrEqual(highest);
  }

  #of(number: number): Testimony {
    const message = this.#messages.get(number);
    if (!message) throw new Error(`Nobody was answered ${number}`);
    return message;
  }

  /** Whether the message turned out to be there; it may only be missing when a delete of it was not answered. */
  #isThere(number: number, status: number, done: number): boolean {
    const message = this.#of(number);
    if (status === 404) expect(message.deleted, `${number} is not found`).toBe('perhaps');
    else expect(status, `a write to ${number}`).toBe(done);
    message.deleted = status === 404 ? 'yes' : 'no';
    return status === done;
  }
}
