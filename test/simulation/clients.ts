import type { OperationId } from '../../lib/api/routes.ts';
import type { ChatChange } from '../../lib/model/content.ts';
import { parsedMetadata } from '../../lib/model/metadata.ts';
import { answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { random } from './chance.ts';
import { sleep } from './determinism.ts';
import { accepted, type Operation } from './history.ts';
import { operations } from './operations.ts';
import type { World } from './world.ts';

/** Milliseconds after which a function of the API is ended, from infra/sizes.ts. */
const functionMs = 10_000;
const attempts = 6;

interface Chat {
  number: number;
  messages: number[];
}
interface Application {
  token: string;
  chats: Chat[];
  deleted: boolean;
}

type Wanted = Omit<Operation, 'task' | 'attempts' | 'keyed'> & { parts: RequestParts };

/** The weight of each kind of request. */
const mix: [OperationId, number][] = [
  ['createMessage', 36],
  ['createMessages', 8],
  ['createChat', 9],
  ['createApplication', 2],
  ['editMessage', 18],
  ['editChat', 4],
  ['editApplication', 2],
  ['deleteMessage', 7],
  ['deleteChat', 2],
  ['deleteApplication', 1],
  ['getMessage', 4],
  ['getChat', 4],
  ['listMessages', 3],
];

/** Probability that a client creates an application for a short time instead of sending one request. */
const shortLived = 0.03;

/** Clients that work on the same applications concurrently, and record all requests and responses. */
export class Clients {
  readonly history: Operation[] = [];
  readonly #world: World;
  readonly #applications: Application[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Runs `clients` clients, each of which sends `requests` requests. */
  async run(clients: number, requests: number): Promise<void> {
    // Creates an application and a chat to work on.
    for (let i = 0; i < 3 && this.#applications.length === 0; i++) await this.#ask('createApplication');
    for (let i = 0; i < 3 && !this.#applications[0]?.chats.length; i++) await this.#ask('createChat');
    await Promise.all(
      Array.from({ length: clients }, async () => {
        for (let i = 0; i < requests; i++) {
          await sleep(random.chance(0.1) ? random.between(10_000, 90_000) : random.between(10, 4_000));
          if (random.chance(shortLived)) await this.#createAndDelete();
          else await this.#ask(pickWeighted(mix));
        }
      }),
    );
  }

  /** Creates, edits or deletes a message. */
  async send(): Promise<void> {
    await this.#ask(
      random.pick(['createMessage', 'createMessages', 'editMessage', 'deleteMessage'] as const) ?? 'createMessage',
    );
  }

  /**
   * Creates an application with chats, and deletes it while the chats are created or soon after. So a delayed call that
   * creates a chat may reach DynamoDB after the purge.
   */
  async #createAndDelete(): Promise<void> {
    const created = await this.#ask('createApplication');
    const token = created && accepted(created)?.json.token;
    const application = this.#applications.find((one) => one.token === token);
    if (!application) return;
    const creates = Array.from({ length: random.between(1, 3) }, () => this.#ask('createChat', application));
    await sleep(random.between(10, 8_000));
    await Promise.all([...creates, this.#ask('deleteApplication', application)]);
  }

  /** @param within the application that the request is for; by default, one of those that exist */
  async #ask(id: OperationId, within?: Application): Promise<Operation | undefined> {
    const task = `t${this.history.length + 1}`;
    const wanted = this.#wanted(id, task, within);
    if (!wanted) return undefined;
    const { parts, ...about } = wanted;
    const keyed = id.startsWith('create') && random.chance(0.5);
    const operation: Operation = { ...about, task, keyed, attempts: [] };
    this.history.push(operation);
    if (keyed) parts.headers = { 'Idempotency-Key': `the key of the client's task ${task}` };
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const again = this.#attempt(operation, parts);
      // An impatient client retries while its first request is still in progress.
      if (keyed && random.chance(0.1)) await Promise.all([again, this.#attempt(operation, parts)]);
      else await again;
      const { status } = operation.attempts.at(-1) ?? { status: 0 };
      if (accepted(operation) && !(keyed && random.chance(0.1))) break;
      if (!keyed || (status < 500 && status !== 409 && status !== 429)) break;
      await sleep(random.between(500, 40_000));
    }
    this.#learn(operation);
    return operation;
  }

  async #attempt(operation: Operation, parts: RequestParts): Promise<void> {
    const startedAt = Date.now();
    const { ending, process } = await this.#world.invoke(
      operation.task,
      functionMs,
      (services) => async (event, _context) => answer(operations[operation.id](services), event, functionMs),
      apiEvent(operation.id, parts),
    );
    const dynamodbFailed = process.failedParts.has('dynamodb');
    if (ending.kind === 'failed') throw ending.error;
    const { status, json } = ending.kind === 'answered' ? ending.result : { status: 504, json: {} };
    operation.attempts.push({ startedAt, endedAt: Date.now(), status, json, dynamodbFailed });
  }

  /** Returns a request of this kind for something that exists as far as the clients know. */
  #wanted(id: OperationId, task: string, within?: Application): Wanted | undefined {
    if (id === 'createApplication') return { id, texts: [task], parts: { body: { name: task } } };
    const existing = this.#applications.filter(({ deleted }) => !deleted);
    const application =
      within ?? random.pick(existing.length === 0 || random.chance(0.1) ? this.#applications : existing);
    if (!application) return undefined;
    const { token } = application;
    if (id === 'createChat')
      return { id, token, ...chatChange({ name: task, metadata: orNull(metadataOf(task)) }, { token }) };
    if (id === 'editApplication' || id === 'deleteApplication')
      return {
        id,
        token,
        texts: [task],
        parts: { params: { token }, ...(id === 'editApplication' && { body: { name: task } }) },
      };
    // Usually the same chat, so that requests conflict.
    const chat = random.chance(0.7) ? application.chats[0] : random.pick(application.chats);
    if (!chat) return undefined;
    const params = { token, chat_number: String(chat.number) };
    const about = { id, token, chat: chat.number, texts: [task] as (string | null)[] };
    if (id === 'createMessage') return { ...about, parts: { params, body: { body: task } } };
    if (id === 'createMessages') {
      const texts = Array.from({ length: random.between(1, 4) }, (_, i) => `${task}.${i + 1}`);
      return { ...about, texts, parts: { params, body: { messages: texts.map((body) => ({ body })) } } };
    }
    if (id === 'editChat') {
      const name = { name: orNull(task) };
      const metadata = { metadata: orNull(metadataOf(task)) };
      return { ...about, ...chatChange(random.pick([name, metadata, { ...name, ...metadata }]) ?? name, params) };
    }
    if (id === 'deleteChat' || id === 'getChat' || id === 'listMessages') return { ...about, parts: { params } };
    const number = random.chance(0.5) ? chat.messages.at(-1) : random.pick(chat.messages);
    if (number === undefined) return undefined;
    const ofMessage = { params: { ...params, message_number: String(number) } };
    return { ...about, number, parts: id === 'editMessage' ? { ...ofMessage, body: { body: task } } : ofMessage };
  }

  /**
   * Makes created resources available to later requests. Deleted ones stay, so that requests to them are tested too.
   */
  #learn(operation: Operation): void {
    const answered = accepted(operation)?.json;
    if (!answered) return;
    const application = this.#applications.find(({ token }) => token === operation.token);
    const chat = application?.chats.find(({ number }) => number === operation.chat);
    if (operation.id === 'createApplication')
      this.#applications.push({ token: String(answered.token), chats: [], deleted: false });
    if (operation.id === 'deleteApplication' && application) application.deleted = true;
    if (operation.id === 'createChat' && application) {
      const number = Number(answered.number);
      application.chats.push({ number, messages: [] });
      if (random.chance(0.1)) this.#world.addEarlierReservations(application.token, number, random.between(1, 800));
    }
    if (operation.id === 'createMessage') chat?.messages.push(Number(answered.number));
    if (operation.id === 'createMessages')
      for (const { number } of answered.data as { number: number }[]) chat?.messages.push(number);
  }
}

const orNull = (text: string): string | null => (random.chance(0.2) ? null : text);

const metadataOf = (task: string): string => JSON.stringify({ task });

/** Returns the request that sets these members of a chat, and what it writes. */
const chatChange = ({ name, metadata }: ChatChange, params: Record<string, string>) => ({
  texts: name === undefined ? [] : [name],
  metadata,
  parts: {
    params,
    body: {
      ...(name !== undefined && { name }),
      ...(metadata !== undefined && { metadata: parsedMetadata(metadata) }),
    },
  },
});

function pickWeighted<Item>(weighted: [Item, number][]): Item {
  let left = random.next() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [item, weight] of weighted) {
    left -= weight;
    if (left < 0) return item;
  }
  throw new Error('nothing to pick from');
}
