import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppsyncPublisher } from '../../lib/feed/appsync/appsync-publisher.ts';
import { limits } from '../../lib/limits.ts';
import { Unavailable } from '../../lib/model/errors.ts';
import { EventApi } from '../support/servers/event-api.ts';

const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' };
const tooLarge = JSON.stringify('x'.repeat(limits.appsync.eventBytes));

describe('the publisher of AppSync Events', () => {
  let api: EventApi;
  let publisher: AppsyncPublisher;
  beforeAll(async () => {
    api = await EventApi.start();
    publisher = new AppsyncPublisher({ url: api.url, region: 'eu-central-1', credentials });
  });
  beforeEach(() => {
    api.fault = () => undefined;
    api.requests.length = 0;
    api.accepted.length = 0;
  });
  afterAll(() => api.stop());

  test('the publisher sends the events as they are, signed for AppSync with the role of the function', async () => {
    expect(await publisher.publish('/chats/id/1', ['{"a":1}', '"ü🎉"'])).toEqual([]);
    expect(api.accepted).toEqual(['{"a":1}', '"ü🎉"'].map((event) => ({ channel: '/chats/id/1', event })));
    const headers = api.requests[0]?.headers;
    expect(headers?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/appsync\/aws4_request, SignedHeaders=content-type;host;x-amz-[a-z0-9-;]*, Signature=[0-9a-f]{64}$/,
    );
    expect(headers).toMatchObject({ host: new URL(api.url).host, 'x-amz-security-token': 'session' });
  });

  test.each([429, 500, 503, 401, 403, 404])(
    'the publisher is unavailable when AppSync responds with %i',
    async (status) => {
      api.fault = () => ({ status });
      const publishing = publisher.publish('/chats/id/1', ['"secret text"']);
      await expect(publishing).rejects.toThrow(Unavailable);
      await expect(publishing).rejects.toThrow(`AppSync responded with ${status}: Refused`);
    },
  );

  test('the publisher returns the events that AppSync did not take, and whether it ever will', async () => {
    api.fault = () => ({ failing: [1], code: 500 });
    expect(await publisher.publish('/chats/id/1', ['1', '2', '3'])).toEqual([
      { index: 1, reason: 'AppSync did not publish the event: 500', final: false },
    ]);
    api.fault = () => ({ failing: [0, 2], code: 400 });
    expect(await publisher.publish('/chats/id/1', ['1', '2', '3'])).toMatchObject([
      { index: 0, final: true },
      { index: 2, final: true },
    ]);
  });

  test('when AppSync refuses a request as invalid, the events are sent one by one, and only the invalid one is lost', async () => {
    expect(await publisher.publish('/chats/id/1', ['1', tooLarge, '3'])).toEqual([
      { index: 1, reason: 'AppSync responded with 400: Refused', final: true },
    ]);
    expect(api.accepted.map(({ event }) => event)).toEqual(['1', '3']);
  });

  test('the publisher tries once more when the connection was closed', async () => {
    let requests = 0;
    api.fault = () => (++requests === 1 ? 'close' : undefined);
    expect(await publisher.publish('/chats/id/1', ['1'])).toEqual([]);
    expect(api.requests).toHaveLength(2);
    api.fault = () => 'close';
    await expect(publisher.publish('/chats/id/1', ['1'])).rejects.toThrow(Unavailable);
    expect(api.requests).toHaveLength(4);
  });

  test('the publisher is unavailable when nothing listens, and when the response is not the documented one', async () => {
    const nowhere = new AppsyncPublisher({ url: 'http://127.0.0.1:1/event', region: 'eu-central-1', credentials });
    await expect(nowhere.publish('/chats/id/1', ['1'])).rejects.toThrow(Unavailable);
    const odd = new AppsyncPublisher({
      url: api.url,
      region: 'eu-central-1',
      credentials,
      fetch: async () => Response.json({ ok: true }),
    });
    await expect(odd.publish('/chats/id/1', ['1'])).rejects.toThrow(Unavailable);
  });
});
