import type { Parent } from './keys.ts';

/**
 * A version of a chat or, without `chat`, of the list of an application's chats. Versions are integers from 1. Each
 * transaction of the store that changes messages of the chat, or chats of the application, makes the next one.
 */
export interface Version extends Parent {
  version: number;
}
