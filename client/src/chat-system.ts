import { Feed } from './feed.ts';
import { Follower, type FollowStatus } from './follower.ts';
import { List, type Page } from './list.ts';
import { type CallOptions, type Query, Requests, type Settings } from './requests.ts';
import type {
  AccessToken,
  AccessTokenInput,
  Application,
  ApplicationMatch,
  ApplicationMatchPage,
  ApplicationPage,
  ChangesOptions,
  Chat,
  ChatChange,
  ChatChanges,
  ChatEdit,
  ChatInput,
  ChatMatch,
  ChatMatchPage,
  ChatPage,
  EditedApplication,
  EditedChat,
  EditedMessage,
  ListOptions,
  Message,
  MessageChange,
  MessageChanges,
  MessageEdit,
  MessageInput,
  MessagePage,
  NumberedListOptions,
  ReadApplication,
  SearchOptions,
} from './types.ts';
import { application } from './wire.ts';

/** Options of a create. */
export interface CreateOptions extends CallOptions {
  /**
   * Names the create, so that repeating it within 24 hours, even from another process, returns what was created first.
   * By default each call has a key of its own, under which the client repeats it.
   */
  idempotencyKey?: string | undefined;
}

export interface FollowOptions {
  /** Ends following, which then throws the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called when the client is connected, and when it has to reconnect. */
  onStatus?: ((status: FollowStatus) => void) | undefined;
}

/** A step: all changes since the step before. */
interface Step<Change> {
  /** The version that you have after this step. To continue later, pass it as `after`. */
  change: number;
  /** What changed, in order: each message or chat once, as it is now. */
  data: Change[];
  /** The system was restored from a backup: forget what you know. Everything comes again, from version 0. */
  reset?: true;
  /** The chat was deleted: this is its last step. */
  deleted?: true;
}
/** A step of a chat. */
export interface ChatStep extends Step<MessageChange> {
  chat_number: number;
}
/** A step of the application's chats: which were created, edited and deleted. */
export interface ApplicationStep extends Step<ChatChange> {
  chat_number?: undefined;
}

const self = '/applications/self';

/**
 * Sends the requests of {@link ChatSystem} and {@link ChatHandle}, with a function for each HTTP method, for creates, for
 * lists and for following.
 */
class Calls {
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  get<Body>(path: string, options: CallOptions = {}, query: Query = {}): Promise<Body> {
    return this.#requests.send('GET', path, { query }, options);
  }

  post<Body>(path: string, body: unknown, options?: CallOptions, headers: Record<string, string> = {}): Promise<Body> {
    return this.#requests.send('POST', path, { body, headers }, options);
  }

  create<Body>(path: string, body: unknown, options: CreateOptions = {}): Promise<Body> {
    const { idempotencyKey = newKey(), ...others } = options;
    return this.post(path, body, others, { 'idempotency-key': idempotencyKey });
  }

  patch<Body>(path: string, body: unknown, options?: CallOptions): Promise<Body> {
    return this.#requests.send('PATCH', path, { body }, options);
  }

  delete(path: string, options?: CallOptions): Promise<void> {
    return this.#requests.send('DELETE', path, {}, options);
  }

  list<Item, Of extends Page<Item>>(path: string, options: CallOptions = {}, more: Query = {}): List<Item, Of> {
    const { signal, retryMs, ...query } = options;
    return new List((cursor) => this.get<Of>(path, { signal, retryMs }, { ...query, ...more, cursor }));
  }

  async *follow<Of extends ChatStep | ApplicationStep>(
    from: [chat: number, after: number | undefined][],
    { signal, onStatus = () => {} }: FollowOptions = {},
  ): AsyncGenerator<Of, void, undefined> {
    const follower = new Follower(new Feed(this.#requests), onStatus, signal);
    for await (const { chat, ...step } of follower.follow(new Map(from)))
      yield { ...(chat !== application && { chat_number: chat }), ...step } as unknown as Of;
  }
}

/** An application of a chat system, as the holder of a token uses it. */
export class ChatSystem {
  readonly #calls: Calls;

  /** @throws TypeError when the URL is invalid */
  constructor(settings: Settings) {
    this.#calls = new Calls(new Requests(settings));
  }

  /** Creates an application. Needs the admin key if the deployment has one. */
  createApplication(name: string, options?: CreateOptions): Promise<Application> {
    return this.#calls.create('/applications', { name }, options);
  }

  /** Lists all applications of the deployment. Needs the admin key if the deployment has one. */
  applications(options?: ListOptions): List<Application, ApplicationPage> {
    return this.#calls.list('/applications', options);
  }

  getApplication(options?: CallOptions): Promise<ReadApplication> {
    return this.#calls.get(self, options);
  }

  editApplication(edit: { name: string }, options?: CallOptions): Promise<EditedApplication> {
    return this.#calls.patch(self, edit, options);
  }

  /** Deletes the application with all its chats. */
  deleteApplication(options?: CallOptions): Promise<void> {
    return this.#calls.delete(self, options);
  }

  /** Creates a limited, short-lived token for a browser or an app. */
  createAccessToken(input: AccessTokenInput = {}, options?: CallOptions): Promise<AccessToken> {
    return this.#calls.post(`${self}/access-tokens`, input, options);
  }

  /** Ends all access tokens that were created until now. */
  endAccessTokens(options?: CallOptions): Promise<void> {
    return this.#calls.delete(`${self}/access-tokens`, options);
  }

  createChat(input: ChatInput = {}, options?: CreateOptions): Promise<Chat> {
    return this.#calls.create(`${self}/chats`, input, options);
  }

  chats(options?: NumberedListOptions): List<Chat, ChatPage> {
    return this.#calls.list(`${self}/chats`, options);
  }

  /** Returns the calls of one chat. Sends nothing. */
  chat(number: number): ChatHandle {
    return new ChatHandle(this.#calls, number);
  }

  /** Searches the messages of all chats, newest first. */
  search(q: string, options?: SearchOptions): List<ApplicationMatch, ApplicationMatchPage> {
    return this.#calls.list(`${self}/search`, options, { q });
  }

  /** Reads one page of what changed in the list of chats. */
  changes({ signal, retryMs, ...query }: ChangesOptions = {}): Promise<ChatChanges> {
    return this.#calls.get(`${self}/changes`, { signal, retryMs }, query);
  }

  /** Follows the list of chats live, from a version on, or from now. Reconnects, and misses and repeats nothing. */
  follow({
    after,
    ...options
  }: FollowOptions & { after?: number | undefined } = {}): AsyncGenerator<ApplicationStep, void, undefined> {
    return this.#calls.follow([[application, after]], options);
  }

  /**
   * Follows several chats, and the list of chats too if `application` is given, over one connection: each from its version
   * on, or from `now`.
   */
  followAll(
    { chats = {}, application: list }: { chats?: Record<number, number | 'now'>; application?: number | 'now' },
    options?: FollowOptions,
  ): AsyncGenerator<ChatStep | ApplicationStep, void, undefined> {
    const from = Object.entries(chats).map(([chat, after]): [number, number | 'now'] => [Number(chat), after]);
    if (list !== undefined) from.push([application, list]);
    return this.#calls.follow(
      from.map(([chat, after]) => [chat, after === 'now' ? undefined : after]),
      options,
    );
  }

  /** Resolves when the API runs. */
  health(options?: CallOptions): Promise<{ status: 'ok' }> {
    return this.#calls.get('/health', options);
  }
}

/** One chat of the application. */
export class ChatHandle {
  readonly number: number;
  readonly #calls: Calls;
  readonly #path: string;
  readonly #messages: string;

  constructor(calls: Calls, number: number) {
    this.number = number;
    this.#calls = calls;
    this.#path = `${self}/chats/${number}`;
    this.#messages = `${this.#path}/messages`;
  }

  get(options?: CallOptions): Promise<Chat> {
    return this.#calls.get(this.#path, options);
  }

  /** Replaces the name, the metadata or both; null removes the name. */
  edit(edit: ChatEdit, options?: CallOptions): Promise<EditedChat> {
    return this.#calls.patch(this.#path, edit, options);
  }

  /** Deletes the chat with all its messages. */
  delete(options?: CallOptions): Promise<void> {
    return this.#calls.delete(this.#path, options);
  }

  /** Creates a message, exactly once however often the request is repeated. */
  send(
    body: string,
    { sender, metadata, ...options }: Omit<MessageInput, 'body'> & CreateOptions = {},
  ): Promise<Message> {
    return this.#calls.create(this.#messages, { body, sender, metadata }, options);
  }

  /** Creates up to 1,000 messages with consecutive numbers: all of them or none. */
  async sendAll(messages: readonly MessageInput[], options?: CreateOptions): Promise<Message[]> {
    const { data } = await this.#calls.create<{ data: Message[] }>(`${this.#messages}/batch`, { messages }, options);
    return data;
  }

  /** Lists the messages that are stored. A page's `pending` has the numbers of those that are only accepted. */
  messages(options?: NumberedListOptions): List<Message, MessagePage> {
    return this.#calls.list(this.#messages, options);
  }

  /** Reads a message, and waits for it if it is accepted but not stored yet. */
  message(number: number, options?: CallOptions): Promise<Message> {
    return this.#calls.get(`${this.#messages}/${number}`, options);
  }

  /** Replaces the body, the metadata or both. Returns what was replaced. */
  editMessage(number: number, edit: MessageEdit, options?: CallOptions): Promise<EditedMessage> {
    return this.#calls.patch(`${this.#messages}/${number}`, edit, options);
  }

  deleteMessage(number: number, options?: CallOptions): Promise<void> {
    return this.#calls.delete(`${this.#messages}/${number}`, options);
  }

  /** Searches the messages of the chat, newest first. */
  search(q: string, options?: SearchOptions): List<ChatMatch, ChatMatchPage> {
    return this.#calls.list(`${this.#messages}/search`, options, { q });
  }

  /** Reads one page of what changed. */
  changes({ signal, retryMs, ...query }: ChangesOptions = {}): Promise<MessageChanges> {
    return this.#calls.get(`${this.#path}/changes`, { signal, retryMs }, query);
  }

  /** Follows the messages live, from a version on, or from now. Reconnects, and misses and repeats nothing. */
  follow({
    after,
    ...options
  }: FollowOptions & { after?: number | undefined } = {}): AsyncGenerator<ChatStep, void, undefined> {
    return this.#calls.follow([[this.number, after]], options);
  }
}

/** Returns a new Idempotency-Key. `crypto.randomUUID` would be missing on pages without HTTPS. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
