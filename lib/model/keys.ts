/** Names one chat. */
export interface ChatKey {
  token: string;
  chat: number;
}

/** Names one message. */
export interface MessageKey extends ChatKey {
  number: number;
}

/** Names an application or, with `chat`, one of its chats. */
export interface Parent {
  token: string;
  chat?: number;
}
