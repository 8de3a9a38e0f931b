import { describe, expect, test, vi } from 'vitest';
import { type Answer, Client, expectGeneralRules, type Message } from '../support/client/client.ts';
import { RawConnection } from '../support/client/raw-http.ts';
import { dataFolder, hostOf } from '../support/servers/for-this-test.ts';
import { startHost } from '../support/servers/host.ts';

const waiting = { timeout: 30_000, interval: 50 };

/**
 * Returns the head of a POST with `Expect: 100-continue`. The host's 100 Continue shows that the request is in flight.
 */
const head = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  test('a host completes requests in flight, closes idle connections, and exits with 0 within five seconds after the signal', async () => {
    const folder = dataFolder();
    const started = await hostOf(startHost(folder));
    const client = await Client.connect(started.url);
    const chat = await client.newChat();
    const path = `/v1${chat}/messages`;
    const body = JSON.stringify({ body: 'In flight' });

    const idle = await Promise.all(Array.from({ length: 20 }, () => RawConnection.open(started.url)));
    for (const connection of idle) {
      connection.write('GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect((await connection.answer())?.status).toBe(200);
    }
    const uploads = await Promise.all(Array.from({ length: 10 }, () => RawConnection.open(started.url)));
    for (const connection of uploads) {
      connection.write(head(path, body.length));
      expect(await connection.answer()).toMatchObject({ status: 100 });
      connection.write(body.slice(0, 5));
    }

    const begun = performance.now();
    started.process.kill(signal);
    await Promise.all(idle.map(({ closed }) => closed));
    for (const connection of uploads) connection.write(body.slice(5));
    const numbers: number[] = [];
    for (const connection of uploads) {
      const answer = await connection.answer();
      expect(answer).toMatchObject({ status: 201 });
      numbers.push((answer as Answer<Message>).body.number);
    }
    expect(await started.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(started.stderr()).toBe('');

    const next = await Client.connect((await hostOf(startHost(folder))).url);
    await expect
      .poll(async () => (await next.all<Message>(`${chat}/messages`)).map(({ number }) => number), waiting)
      .toEqual(numbers.sort((a, b) => a - b));
  });
});

describe('a signal to stop', () => {
  test('a client that never finishes its request does not delay the stop of a host', async () => {
    const started = await hostOf(startHost(dataFolder()));
    const connection = await RawConnection.open(started.url);
    connection.write(head('/v1/applications', 100));
    expect(await connection.answer()).toMatchObject({ status: 100 });
    const begun = performance.now();
    expect(await started.stop('SIGTERM')).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('during a stop, a further request on an open connection gets a well-formed response', async () => {
    const started = await hostOf(startHost(dataFolder()));
    const connection = await RawConnection.open(started.url);
    const body = '{"name":"In flight"}';
    connection.write(head('/v1/applications', body.length));
    expect(await connection.answer()).toMatchObject({ status: 100 });
    started.process.kill('SIGTERM');
    await vi.waitFor(() => expect(fetch(`${started.url}/health`)).rejects.toThrow(), waiting);
    connection.write(`${body}${head('/v1/applications', body.length)}${body}`);
    const answers = (await connection.answers()).filter(({ status }) => status !== 100);
    expect(answers[0]?.status).toBe(201);
    for (const [i, answer] of answers.entries()) expectGeneralRules(answer, `answer ${i + 1}`);
    expect(await started.ended).toBe(0);
  });
});

describe.each(['SIGTERM', 'SIGKILL'] as const)('what is queued at %s', (signal) => {
  test('writes queued when the host ends are processed after the next start', async () => {
    const folder = dataFolder();
    const started = await hostOf(startHost(folder));
    const client = await Client.connect(started.url);
    const chat = await client.newChat();
    const batch = Array.from({ length: 1_000 }, (_, i) => `Queued ${i}`);
    for (let i = 0; i < 15; i++) await client.send(chat, ...batch);
    await client.patch(`${chat}/messages/15000`, { body: 'Edited last' });
    await client.delete(`${chat}/messages/1`);
    const seen = await client.get(`${chat}/messages/search?q=edited`);
    expect(seen.body).toMatchObject({ total: 0 });
    await started.stop(signal);

    const again = await Client.connect((await hostOf(startHost(folder, '--rollup-seconds', '1'))).url);
    await expect
      .poll(async () => (await again.get(`${chat}/messages/search?q=edited%20LAST`)).body, waiting)
      .toMatchObject({ total: 1, data: [{ number: 15_000 }] });
    const numbers = (await again.all<Message>(`${chat}/messages?limit=1000`)).map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 14_999 }, (_, i) => i + 2));
    await expect.poll(async () => (await again.get(chat)).body, waiting).toMatchObject({ messages_count: 14_999 });
  });
});
