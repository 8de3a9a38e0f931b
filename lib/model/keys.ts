/** Names one message. */
export interface MessageKey {
  token: string;
  chat: number;
  number: number;
}

/** Names an application or, with `chat`, one of its chats. */
export interface Parent {
  token: string;
  chat?: number;
}
