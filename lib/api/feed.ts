import type { DocumentedResponse } from './responses.ts';

// How a client follows changes live. Each engine has its own transports; the HTTP contract of the route is the same.

/** One way to follow changes, as `GET …/feed` lists it. */
export type Transport = DocumentedResponse<'getFeed'>['transports'][number];

/** Who asks for the feed of an application. */
export interface FeedCaller {
  /** The application's token. */
  token: string;
  /** What the caller presented: the application's token, or an access token. */
  credential: string;
  /** The access generation of the access token; undefined for the application's own token. */
  generation: number | undefined;
}

/**
 * The versions after which a client wants changes. `undefined` stands for the current version: only what changes from
 * now on.
 */
export interface Followed {
  /** The version of each followed chat, by the number of the chat. */
  chats: ReadonlyMap<number, number | undefined>;
  /** The version of the list of the application's chats; undefined if the client does not follow the list. */
  application?: { after: number | undefined };
}

/** A client that wants a stream. Everything has been checked, and all chats exist. */
export interface StreamRequest {
  /** The application's token. */
  token: string;
  followed: Followed;
  /**
   * The access token of the client. The stream must end when the token expires or when the application's generation
   * differs from that of the token. Undefined for whoever has the application's own token.
   */
  access: { generation: number; expiresAt: number } | undefined;
  /**
   * Whether the path had `self`. When the application is deleted, a stream whose path had `self` ends with
   * `access_token_invalid`, and any other stream with `application_not_found`.
   */
  isSelf: boolean;
}

/** A stream of events that the host of the embedded engine begins when it has sent the head of the response. */
export interface EventStream {
  begin(client: EventClient): void;
}

/** The client's end of a stream. */
export interface EventClient {
  /** The number of sent bytes that this process still buffers, because the operating system has not taken them yet. */
  readonly unsent: number;
  send(bytes: Buffer): void;
  /** Calls the listener once the operating system has taken everything that was sent before. */
  onSent(listener: () => void): void;
  /** Sends the last bytes and closes the connection. */
  end(bytes: Buffer): void;
  onClosed(listener: () => void): void;
}

/** The feed of an engine. */
export interface Feed {
  /** The origins, other than that of the API, that a page must connect to when it follows changes. */
  origins: string[];
  /** Returns the transports for this caller in order of preference; none where the feed is off. */
  transports(caller: FeedCaller): Promise<Transport[]>;
  /** Returns a stream of server-sent events. Only an engine that lists `sse` has it. */
  stream?(request: StreamRequest): EventStream;
}
