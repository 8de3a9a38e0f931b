import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type ChatHandle, ChatSystem, ChatSystemError } from '../../client/src/index.ts';
import type { Random } from '../../tools/statistics/random.ts';
import type { Chat, ChatMatchPage, Client, Message } from '../support/client/client.ts';
import { Witness } from './witness.ts';

const settled = { timeout: 60_000, interval: 100 };

/** A create with an Idempotency-Key, which is retried until it is acknowledged, and sometimes again after that. */
interface Keyed {
  witness: Witness;
  key: string;
  bodies: string[];
  /** Set when it is acknowledged. */
  numbers?: number[];
}

/**
 * Clients that create, edit and delete at random in one application, on a host that may die at any moment, and record
 * the responses.
 */
export class Writers {
  /** The current base URL of the host. */
  url: string;
  /** Number of texts that were generated. */
  texts = 0;
  readonly #random: Random;
  readonly #application: string;
  readonly #witnesses: Witness[] = [];
  readonly #keyed: Keyed[] = [];
  readonly #chats = { answered: new Map<number, string>(), unanswered: new Set<string>() };

  private constructor(url: string, application: string, random: Random) {
    this.url = url;
    this.#application = application;
    this.#random = random;
  }

  static async on(client: Client, random: Random): Promise<Writers> {
    const writers = new Writers(client.base, await client.newApplication(), random);
    for (let i = 0; i < 3; i++) writers.#witnesses.push(new Witness(await client.newChat(writers.#application)));
    return writers;
  }

  /** Runs `count` writers until they are stopped. */
  async write(count: number, stop: { now: boolean }): Promise<void> {
    const writer = async () => {
      while (!stop.now) await this.#writeOne();
    };
    await Promise.all(Array.from({ length: count }, writer));
  }

  /** Retries the creates with a key that had no response, and a few that had one. */
  async repeat(): Promise<void> {
    const chosen = this.#keyed.filter(({ numbers }) => !numbers || this.#random.chance(0.02));
    await Promise.all(chosen.map((keyed) => this.#createOnce(keyed)));
  }

  /** Compares everything that can be read, listed, found and counted with the recorded responses. */
  async confirm(client: Client): Promise<void> {
    for (const { numbers } of this.#keyed) expect(numbers, 'each retried create got a response').toBeDefined();
    for (const witness of this.#witnesses) await this.#confirmChat(client, witness);
    await this.#confirmChats(client);
  }

  async #confirmChat(client: Client, witness: Witness): Promise<void> {
    const { chat } = witness;
    const { body: last } = await client.post<Message>(`${chat}/messages`, { body: this.#text('end') });
    witness.createAnswered([last.body], [last.number]);
    await expect.poll(async () => (await client.get(`${chat}/messages/${last.number}`)).body, settled).toEqual(last);
    const stored = await client.all<Message>(`${chat}/messages?limit=1000`);
    witness.confirms(stored, last.number);
    const search = `${chat}/messages/search?q=durable&limit=100`;
    await expect
      .poll(async () => {
        const matches = await client.all<ChatMatchPage['data'][0]>(search);
        return matches.map(({ highlight: _, ...message }) => message).reverse();
      }, settled)
      .toEqual(stored);
    await expect
      .poll(async () => (await client.get(chat)).body, settled)
      .toMatchObject({ messages_count: stored.length });
  }

  async #confirmChats(client: Client): Promise<void> {
    const { answered, unanswered } = this.#chats;
    const chats = await client.all<Chat>(`${this.#application}/chats?limit=1000`);
    expect(chats.map(({ number }) => number)).toEqual(Array.from({ length: chats.length }, (_, i) => i + 1));
    expect(Math.max(0, ...answered.keys())).toBeLessThanOrEqual(chats.length);
    for (const { number, name } of chats.slice(this.#witnesses.length)) {
      const expected = answered.get(number);
      if (expected !== undefined) expect(name).toBe(expected);
      else expect(unanswered.delete(name ?? ''), `chat ${number} was sent by a writer`).toBe(true);
    }
    await expect
      .poll(async () => (await client.get(this.#application)).body, settled)
      .toMatchObject({ chats_count: chats.length });
  }

  async #writeOne(): Promise<void> {
    const witness = this.#random.pick(this.#witnesses) as Witness;
    const number = this.#random.pick(witness.free());
    const choice = this.#random.next();
    if (choice < 0.02) return this.#createChat();
    if (number !== undefined && choice < 0.25) return witness.alone(number, () => this.#edit(witness, number));
    if (number !== undefined && choice < 0.4) return witness.alone(number, () => this.#delete(witness, number));
    const bodies = Array.from({ length: choice < 0.6 ? this.#random.between(2, 20) : 1 }, () => this.#text('message'));
    if (this.#random.chance(0.4)) {
      const keyed: Keyed = { witness, key: randomUUID(), bodies };
      this.#keyed.push(keyed);
      return this.#createOnce(keyed);
    }
    const numbers = await this.#create(witness, bodies);
    if (numbers) witness.createAnswered(bodies, numbers);
    else witness.createUnanswered(bodies);
  }

  async #edit(witness: Witness, number: number): Promise<void> {
    const body = this.#text('edit');
    const outcome = await outcomeOf(this.#chat(witness).editMessage(number, { body }));
    witness.edited(number, body, outcome?.status);
  }

  async #delete(witness: Witness, number: number): Promise<void> {
    const outcome = await outcomeOf(this.#chat(witness).deleteMessage(number));
    witness.deleted(number, outcome?.status);
  }

  async #createOnce(keyed: Keyed): Promise<void> {
    const numbers = await this.#create(keyed.witness, keyed.bodies, keyed.key);
    if (!numbers) return;
    if (keyed.numbers) expect(numbers, 'a retried create returns its first numbers').toEqual(keyed.numbers);
    else keyed.witness.createAnswered(keyed.bodies, numbers);
    keyed.numbers = numbers;
  }

  /** Returns the created numbers, or undefined when there was no response. */
  async #create(witness: Witness, bodies: string[], idempotencyKey?: string): Promise<number[] | undefined> {
    const chat = this.#chat(witness);
    const [body = ''] = bodies;
    const created =
      bodies.length === 1
        ? chat.send(body, { idempotencyKey }).then((message) => [message])
        : chat.sendAll(
            bodies.map((each) => ({ body: each })),
            { idempotencyKey },
          );
    const outcome = await outcomeOf(created);
    return outcome && successOf(outcome).map(({ number }) => number);
  }

  async #createChat(): Promise<void> {
    const name = this.#text('chat');
    const outcome = await outcomeOf(this.#system().createChat({ name }));
    if (outcome) this.#chats.answered.set(successOf(outcome).number, name);
    else this.#chats.unanswered.add(name);
  }

  /** Returns a client that does not retry, because the witness must know of every request. */
  #system(): ChatSystem {
    return new ChatSystem({ url: this.url, token: this.#application.replace('/applications/', ''), retryMs: 0 });
  }

  #chat({ chat }: Witness): ChatHandle {
    return this.#system().chat(Number(chat.split('/').at(-1)));
  }

  #text(what: string): string {
    return `durable ${what} ${++this.texts}`;
  }
}

/** What a call returned, or the error with which the API refused it. */
type Outcome<Result> = { status: number; result: Result } | { status: number; error: ChatSystemError };

/** Returns the outcome of a call, or undefined when the host died before it responded. */
async function outcomeOf<Result>(call: Promise<Result>): Promise<Outcome<Result> | undefined> {
  try {
    const result = await call;
    // The client returns nothing for a 204.
    return { status: result === undefined ? 204 : 200, result };
  } catch (error) {
    if (!(error instanceof ChatSystemError)) throw error;
    return error.status === 0 ? undefined : { status: error.status, error };
  }
}

/** Returns what a call returned. Fails the test when it was refused. */
function successOf<Result>(outcome: Outcome<Result>): Result {
  if ('error' in outcome) return expect.fail(outcome.error.message);
  return outcome.result;
}
