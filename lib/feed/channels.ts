import { createHash } from 'node:crypto';
import type { Parent } from '../model/keys.ts';

/** The namespaces of the channels on AppSync Events: one for the changes of chats, one for those of applications. */
export const namespaces = { chat: 'chats', application: 'applications' } as const;

/** Half of a SHA-256, in hexadecimal digits: 128 bits, like a token. A segment of a channel has at most 50 characters. */
const idLength = 32;

/**
 * Returns the id of an application in the names of its channels. A token has 128 random bits, so a hash without a key
 * cannot be reversed, and the publisher needs no secret. Knowing the id allows neither subscribing nor publishing.
 *
 * @param generation for followers with an access token: the application's access generation. Undefined for followers
 *   with the application's own token. Nothing is published to the channels of an earlier generation, so a follower whose
 *   access token was ended gets nothing more, although AppSync keeps the subscription
 */
export const feedId = (token: string, generation?: number): string =>
  createHash('sha256')
    .update(JSON.stringify(['chat-system feed', token, generation ?? null]))
    .digest('hex')
    .slice(0, idLength);

/** Returns the channel with the changes of a chat or, without `chat`, of the application itself. */
export const channelOf = (id: string, { chat }: Pick<Parent, 'chat'>): string =>
  chat === undefined ? `/${namespaces.application}/${id}` : `/${namespaces.chat}/${id}/${chat}`;

/** Returns the template of the channels of all chats, in which clients put the number of a chat. */
export const chatChannels = (id: string): string => `/${namespaces.chat}/${id}/{chat_number}`;

/** What a channel's name says. */
export interface Channel {
  id: string;
  chat?: number;
}

/**
 * Returns what a channel's name says; undefined for any other text, wildcards included. AppSync accepts several
 * spellings of a name, and only that of `channelOf` is accepted here.
 */
export function parseChannel(name: string): Channel | undefined {
  const [, namespace, id = '', chat] = name.split('/');
  const channel = namespace === namespaces.chat ? { id, chat: Number(chat) } : { id };
  return channelOf(id, channel) === name && /^[0-9a-f]+$/.test(id) && isChat(channel) ? channel : undefined;
}

const isChat = ({ chat }: Channel): boolean => chat === undefined || (Number.isSafeInteger(chat) && chat > 0);
