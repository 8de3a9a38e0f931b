import type { OperationId } from '../../lib/api/routes.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';
import { random } from './chance.ts';
import type { Clients } from './clients.ts';
import { sleep } from './determinism.ts';
import { accepted } from './history.ts';
import { type Change, Known } from './known.ts';
import { operations } from './operations.ts';
import type { World } from './world.ts';

/** Milliseconds after which a function of the API is ended, from infra/sizes.ts. */
const functionMs = 10_000;
/** Maximum number of chats and applications that are followed in a simulation, because each takes time. */
const most = 2;

/**
 * Clients without the feed: they ask for the changes after the version that they have, whatever fails in between, and
 * sometimes lose a cursor. Their pages are small, so that a limit often cuts a version.
 */
export class Pollers {
  readonly #world: World;
  readonly #clients: Clients;
  readonly #pollers: Poller[] = [];
  #stopped = false;

  constructor(world: World, clients: Clients) {
    this.#world = world;
    this.#clients = clients;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      this.#begin();
      for (const poller of this.#pollers) await poller.poll(random.between(1, 5));
      await sleep(random.between(2_000, 40_000));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Follows to the end, when nothing fails any more. Returns what the pollers know of everything that exists. */
  async end(): Promise<Known[]> {
    this.#begin();
    for (const poller of this.#pollers) while (await poller.poll(100));
    return this.#pollers.filter(({ isGone }) => !isGone).map(({ known }) => known);
  }

  /** Follows what the clients have created since. */
  #begin(): void {
    for (const operation of this.#clients.history) {
      if (this.#pollers.length === most) return;
      const created = accepted(operation)?.json;
      if (!created) continue;
      if (operation.id === 'createApplication') this.#follow(String(created.token), undefined);
      if (operation.id === 'createChat') this.#follow(String(operation.token), Number(created.number));
    }
  }

  #follow(token: string, chat: number | undefined): void {
    if (!this.#pollers.some((one) => one.known.token === token && one.known.chat === chat))
      this.#pollers.push(new Poller(this.#world, new Known(token, chat)));
  }
}

class Poller {
  readonly known: Known;
  /** Whether the chat or application was deleted. */
  isGone = false;
  readonly #world: World;
  #cursor: string | undefined;
  #limit = 0;

  constructor(world: World, known: Known) {
    this.#world = world;
    this.known = known;
  }

  /** Asks once what changed. Returns whether there is more. */
  async poll(limit: number): Promise<boolean> {
    if (this.isGone) return false;
    if (this.#cursor && random.chance(0.2)) this.#cursor = undefined;
    // A cursor is valid only with the limit of the page that it came from.
    if (!this.#cursor) this.#limit = limit;
    const { status, json } = await this.#ask();
    this.isGone = status === 404;
    if (status === 422) this.known.broke(`was refused: ${JSON.stringify(json)}`);
    if (status !== 200) return false;
    const { data, change, more, cursor } = json as { data: Change[]; change: number; more: boolean; cursor?: string };
    this.known.take(data, change);
    this.#cursor = cursor;
    return more;
  }

  async #ask(): Promise<{ status: number; json: Record<string, unknown> }> {
    const { token, chat, version } = this.known;
    const id: OperationId = chat === undefined ? 'listApplicationChanges' : 'listChatChanges';
    const parts = {
      params: { token, chat_number: String(chat ?? 1) },
      query: {
        after: String(version),
        limit: String(this.#limit),
        ...(this.#cursor !== undefined && { cursor: this.#cursor }),
      },
    };
    const { ending } = await this.#world.invoke(
      'poller',
      functionMs,
      (services) => async (event, _context) => answer(operations[id](services), event, functionMs),
      apiEvent(id, parts),
    );
    if (ending.kind === 'failed') throw ending.error;
    return ending.kind === 'answered' ? ending.result : { status: 504, json: {} };
  }
}
