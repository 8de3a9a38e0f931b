import { describe, expect, test } from 'vitest';
import { channelOf, feedId, parseChannel } from '../../lib/feed/channels.ts';
import { limits } from '../../lib/limits.ts';
import { newToken } from '../../lib/model/token.ts';

describe('the channels of the feed', () => {
  const token = newToken();

  test('the id of an application does not contain its token, and differs for each generation of access tokens', () => {
    const ids = [feedId(token), feedId(token, 0), feedId(token, 1), feedId(newToken()), feedId(newToken(), 0)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).not.toContain(token);
    expect(feedId(token, 1)).toBe(feedId(token, 1));
  });

  test('every segment of a channel is one that AppSync accepts: at most 50 letters, digits and hyphens', () => {
    for (const channel of [
      channelOf(feedId(token), {}),
      channelOf(feedId(token, Date.now()), { chat: limits.highestNumber }),
    ])
      for (const segment of channel.split('/').slice(1))
        expect(segment).toMatch(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$/);
  });

  test('a channel is read back from its name', () => {
    const id = feedId(token);
    expect(parseChannel(channelOf(id, {}))).toEqual({ id });
    expect(parseChannel(channelOf(id, { chat: 7 }))).toEqual({ id, chat: 7 });
  });

  test.each([
    '',
    '/',
    '/*',
    '/chats/*',
    '/chats/ID',
    '/chats/ID/',
    '/chats/ID/*',
    '/chats/ID/0',
    '/chats/ID/-1',
    '/chats/ID/01',
    '/chats/ID/1.0',
    '/chats/ID/1e3',
    '/chats/ID/1/2',
    '/chats/ID/9007199254740993',
    'chats/ID/1',
    '/chats/ID/1/',
    '//chats/ID/1',
    '/Chats/ID/1',
    '/applications/ID/1',
    '/applications/ID/',
    '/applications/*',
    '/applications/',
    '/others/ID',
  ])('the name %s is no channel of the feed', (name) => {
    expect(parseChannel(name.replace('ID', feedId(token)))).toBeUndefined();
  });
});
