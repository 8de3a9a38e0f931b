import type { OperationId } from '../../lib/api/routes.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { random } from './chance.ts';
import type { Clients } from './clients.ts';
import { sleep } from './determinism.ts';
import { accepted } from './history.ts';
import { operations } from './operations.ts';
import type { World } from './world.ts';

/** Milliseconds after which a function of the API is ended, from infra/sizes.ts. */
const functionMs = 10_000;
/** Chats and applications that are followed in a simulation, because each takes time. */
const most = 4;

/** A change as the API returns it. */
interface Change {
  change: number;
  type: string;
  message?: { number: number; body?: string };
  chat?: { number: number; name?: string | null };
}

/** What a follower knows at the end. */
export interface Followed {
  token: string;
  /** Undefined when the chats of the application are followed. */
  chat: number | undefined;
  /** The last change of each message or chat, by its number. */
  known: Map<number, Change>;
  /** The promises that a response broke. */
  violations: string[];
}

/**
 * Clients that follow chats and applications as the contract says: they ask for the changes after the version that they
 * have, whatever fails in between, and sometimes lose a cursor.
 */
export class Followers {
  readonly #world: World;
  readonly #clients: Clients;
  readonly #followers: Follower[] = [];
  #stopped = false;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#begin();
      for (const follower of this.#followers) await follower.poll(random.between(1, 5));
      await sleep(random.between(2_000, 40_000));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Follows to the end, when nothing fails any more. Returns what each follower knows; nothing of what was deleted. */
  async end(): Promise<Followed[]> {
    this.#begin();
    for (const follower of this.#followers) while (await follower.poll(100));
    return this.#followers.filter(({ isGone }) => !isGone);
  }

  /** Follows what the clients have created since. */
  #begin(): void {
    for (const operation of this.#clients.history) {
      if (this.#followers.length === most) return;
      const created = accepted(operation)?.json;
      if (!created) continue;
      if (operation.id === 'createApplication') this.#follow(String(created.token), undefined);
      if (operation.id === 'createChat') this.#follow(String(operation.token), Number(created.number));
    }
  }

  #follow(token: string, chat: number | undefined): void {
    if (!this.#followers.some((one) => one.token === token && one.chat === chat))
      this.#followers.push(new Follower(this.#world, token, chat));
  }
}

class Follower implements Followed {
  readonly token: string;
  readonly chat: number | undefined;
  readonly known = new Map<number, Change>();
  readonly violations: string[] = [];
  /** Whether the chat or application was deleted. */
  isGone = false;
  readonly #world: World;
  #after = 0;
  #cursor: string | undefined;
  #limit = 0;

  constructor(world: World, token: string, chat: number | undefined) {
    this.#world = world;
    this.token = token;
    this.chat = chat;
  }

  /** Asks once what changed. Returns whether there is more. */
  async poll(limit: number): Promise<boolean> {
    if (this.isGone) return false;
    if (this.#cursor && random.chance(0.2)) this.#cursor = undefined;
    // A cursor belongs to its limit.
    if (!this.#cursor) this.#limit = limit;
    const { status, json } = await this.#ask();
    this.isGone = status === 404;
    if (status === 422) this.#broke(`was refused: ${JSON.stringify(json)}`);
    if (status !== 200) return false;
    const { data, change, more, cursor } = json as { data: Change[]; change: number; more: boolean; cursor?: string };
    if (change < this.#after) this.#broke(`went back from version ${this.#after} to ${change}`);
    for (const each of data) this.#take(each);
    this.#after = change;
    this.#cursor = cursor;
    return more;
  }

  #take(change: Change): void {
    const { number } = (change.message ?? change.chat) as { number: number };
    const former = this.known.get(number);
    const version = change.change;
    if (version <= this.#after) this.#broke(`got version ${version} after version ${this.#after}`);
    if (
      former &&
      former.change !== version &&
      JSON.stringify({ ...former, change: version }) === JSON.stringify(change)
    )
      this.#broke(`was told in version ${version} of a change of ${number} that version ${former.change} had made`);
    this.known.set(number, change);
  }

  async #ask(): Promise<{ status: number; json: Record<string, unknown> }> {
    const id: OperationId = this.chat === undefined ? 'listApplicationChanges' : 'listChatChanges';
    const parts = {
      params: { token: this.token, chat_number: String(this.chat ?? 1) },
      query: {
        after: String(this.#after),
        limit: String(this.#limit),
        ...(this.#cursor !== undefined && { cursor: this.#cursor }),
      },
    };
    const { ending } = await this.#world.invoke(
      'follower',
      functionMs,
      (services) => async (event, _context) => answer(operations[id](services), event, functionMs),
      apiEvent(id, parts),
    );
    if (ending.kind === 'failed') throw ending.error;
    return ending.kind === 'answered' ? ending.result : { status: 504, json: {} };
  }

  #broke(promise: string): void {
    const what = this.chat === undefined ? this.token : `${this.token}/${this.chat}`;
    this.violations.push(`the follower of ${what} ${promise}`);
  }
}
