import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import * as z from 'zod';
import { type Api, type ApiResponse, expectProblem, expectStatus, expectThat, jsonOf } from './api.ts';

/** A check of a deployed system. It throws `Unexpected` when a response is not as the contract says. */
export type Check = [name: string, run: (api: Api) => Promise<void>];

/** How long an accepted write may take until it can be read and found. */
const settleMs = 60_000;

/** The API takes bodies up to 1 MiB; API Gateway takes up to 10 MB, and Lambda up to about 4.5 MB. */
const tooLarge = { function: 5_000_000, gateway: 11_000_000 };

const unknown = '/applications/AAAAAAAAAAAAAAAAAAAAAA';

/** The checks that change nothing. */
export const readingChecks: Check[] = [
  [
    'health has a request id, and web pages of any origin may read it',
    async (api) => {
      const response = await api.call('GET', '/health');
      expectStatus(response, 200);
      expectThat(z.object({ status: z.literal('ok') }).safeParse(jsonOf(response)).success, 'expected {"status":"ok"}');
      expectThat(response.headers['x-request-id'] !== undefined, 'expected the header x-request-id');
      expectThat(response.headers['access-control-allow-origin'] === '*', 'expected Access-Control-Allow-Origin: *');
    },
  ],
  [
    'HEAD responds as GET, without a body',
    async (api) => {
      const response = await api.call('HEAD', '/openapi.json');
      expectStatus(response, 200);
      expectThat(response.body === '', 'expected no body');
      expectThat(response.headers.etag !== undefined, 'expected the header ETag');
    },
  ],
  [
    'a document is not sent again to a client that has it (304)',
    async (api) => {
      const { headers } = await api.call('GET', '/openapi.json');
      const response = await api.call('GET', '/openapi.json', { headers: { 'if-none-match': headers.etag ?? '' } });
      expectStatus(response, 304);
      expectThat(response.body === '', 'expected no body');
    },
  ],
  ['the docs page responds', async (api) => expectStatus(await api.call('GET', '/docs'), 200)],
  [
    'an unknown path is 404 route_not_found',
    async (api) => expectProblem(await api.call('GET', '/no/such/route'), 404, 'route_not_found'),
  ],
  [
    'an unknown application is 404 application_not_found',
    async (api) => expectProblem(await api.call('GET', unknown), 404, 'application_not_found'),
  ],
  [
    'a wrong method is 405, with Allow',
    async (api) => {
      const response = await api.call('DELETE', '/health');
      expectProblem(response, 405, 'method_not_allowed');
      expectThat(
        /\bGET\b/.test(response.headers.allow ?? ''),
        `expected Allow to name GET, got ${response.headers.allow}`,
      );
    },
  ],
  [
    'the preflight of a browser is 204',
    async (api) => {
      const headers = {
        origin: 'https://page.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'content-type',
      };
      const response = await api.call('OPTIONS', `${unknown}/chats/1`, { headers });
      expectStatus(response, 204);
      const allowed = response.headers['access-control-allow-methods'] ?? '';
      expectThat(/\bPATCH\b|\*/.test(allowed), `expected PATCH to be allowed, got ${allowed}`);
    },
  ],
  [
    'a body above the limit gets 413, whichever part of the system refuses it',
    async (api) => {
      const path = `${unknown}/chats/1/messages`;
      const response = await api.call('POST', path, { body: jsonOfSize(tooLarge.function) });
      expectProblem(response, 413, 'payload_too_large');
      // API Gateway refuses a body above 10 MB with a response of its own (docs/deploying.md).
      expectStatus(await api.call('POST', path, { body: jsonOfSize(tooLarge.gateway) }), 413);
    },
  ],
];

const jsonOfSize = (bytes: number): string => JSON.stringify({ body: 'x'.repeat(bytes) });

/** A text with everything that a gateway might change on the way: encodings, reserved characters, scripts. */
const text =
  'Smoke 100% {a|b}; c+d & e=f #g "h" \\i\\ <j> \u00e4\u00df \u65e5\u672c\u8a9e \u{1f600} \u{1f468}\u200d\u{1f469} \t\u007f';

/** Query strings, as sent, of texts that the message contains. */
const queries = [
  'q=100%25',
  'q=%7Ba%7Cb%7D',
  'q={a|b}',
  'q=%3B%20c%2Bd',
  'q=;',
  'q=;+c%2Bd',
  'q=%26%20e%3Df',
  'q=%23g',
  'q=%22h%22',
  'q=%5Ci%5C',
  'q=%E6%97%A5%E6%9C%AC',
  'q=%F0%9F%98%80',
];

/** Query strings that have no meaning or a disputed one. Any response is fine except one that says to try again. */
const oddQueries = ['q=%', 'q=%zz', 'q=%FF', 'q=%C3%28', 'q', 'q=', 'q=a&q=b', '&&&', 'q=%00'];

const created = z.object({ number: z.number() });

/** The checks that write below an application of their own. */
export const writingChecks = (application: string): Check[] => {
  const messages = `${application}/chats/1/messages`;
  return [
    [
      'a chat and messages get the numbers 1, 2, 3',
      async (api) => {
        expectNumber(await api.call('POST', `${application}/chats`), 1);
        expectNumber(await api.call('POST', messages, { body: { body: text } }), 1);
        const batch = await api.call('POST', `${messages}/batch`, {
          body: { messages: [{ body: 'two' }, { body: 'three' }] },
        });
        expectStatus(batch, 201);
        const { data } = z.object({ data: z.array(created) }).parse(jsonOf(batch));
        expectThat(
          data.map(({ number }) => number).join() === '2,3',
          `expected the numbers 2 and 3, got ${batch.body}`,
        );
      },
    ],
    [
      'a create that is repeated with its Idempotency-Key has one effect',
      async (api) => {
        const said = { headers: { 'idempotency-key': `"${randomUUID()}"` }, body: { body: 'four' } };
        const [first, second] = [await api.call('POST', messages, said), await api.call('POST', messages, said)];
        expectNumber(first, 4);
        expectThat(
          second.status === 201 && second.body === first.body,
          `expected ${first.body} again, got ${second.body}`,
        );
      },
    ],
    [
      'a message is read exactly as it was sent, and not sent again to a client that has it (304)',
      async (api) => {
        const response = await settledResponse(
          () => api.call('GET', `${messages}/1`),
          ({ status }) => status === 200,
        );
        const message = z.object({ body: z.string() }).parse(jsonOf(response));
        expectThat(message.body === text, `expected ${JSON.stringify(text)}, got ${JSON.stringify(message.body)}`);
        const again = await api.call('GET', `${messages}/1`, {
          headers: { 'if-none-match': response.headers.etag ?? '' },
        });
        expectStatus(again, 304);
      },
    ],
    [
      'a page links to the next one, and the link leads there',
      async (api) => {
        const page = z.object({ data: z.array(created), next: z.string().nullable() });
        const first = await settledResponse(
          () => api.call('GET', `${messages}?limit=2`),
          (response) => page.safeParse(jsonOf(response)).data?.data.length === 2,
        );
        const { next } = page.parse(jsonOf(first));
        const second = await api.call('GET', `${messages}?limit=2&cursor=${encodeURIComponent(next ?? '')}`);
        expectStatus(second, 200);
        const numbers = page.parse(jsonOf(second)).data.map(({ number }) => number);
        expectThat(numbers[0] === 3, `expected the page to begin with 3, got ${numbers}`);
      },
    ],
    [
      'a search finds every character, however the query string is encoded',
      async (api) => {
        const search = (query: string) => api.call('GET', `${messages}/search?${query}`);
        const isFound = (response: ApiResponse) =>
          response.status === 200 && z.object({ total: z.number() }).parse(jsonOf(response)).total >= 1;
        await settledResponse(() => search('q=Smoke'), isFound);
        for (const query of queries) {
          const response = await search(query);
          expectThat(
            isFound(response),
            `expected ?${query} to find the message, got ${response.status} ${response.body}`,
          );
        }
        for (const query of oddQueries) {
          const { status, body } = await search(query);
          expectThat(status < 500 && status !== 429, `expected ?${query} to get no 5xx or 429, got ${status} ${body}`);
        }
      },
    ],
    [
      'a body that is not UTF-8 or not JSON is refused, and a compressed one is refused or read whole',
      async (api) => {
        const invalid = Buffer.concat([Buffer.from('{"body":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
        expectProblem(await api.call('POST', messages, { body: invalid }), 400, 'malformed_json');
        expectProblem(await api.call('POST', messages, { body: '{"body":' }), 400, 'malformed_json');
        const body = gzipSync(JSON.stringify({ body: 'compressed' }));
        const response = await api.call('POST', messages, { headers: { 'content-encoding': 'gzip' }, body });
        if (response.status !== 201) {
          expectThat(
            response.status >= 400 && response.status < 500,
            `expected 201 or a 4xx, got ${response.status} ${response.body}`,
          );
          return;
        }
        const message = z.object({ body: z.string() }).parse(jsonOf(response));
        expectThat(message.body === 'compressed', `expected the decompressed text, got ${response.body}`);
      },
    ],
    [
      'an edit is readable, and a deleted message is gone',
      async (api) => {
        const edited = await api.call('PATCH', `${messages}/2`, { body: { body: 'two, edited' } });
        expectStatus(edited, 200);
        await settledResponse(
          () => api.call('GET', `${messages}/2`),
          ({ body }) => body.includes('two, edited'),
        );
        expectStatus(await api.call('DELETE', `${messages}/2`), 204);
        await settledResponse(
          () => api.call('GET', `${messages}/2`),
          ({ status }) => status === 404,
        );
        expectProblem(await api.call('DELETE', `${messages}/2`), 404, 'message_not_found');
      },
    ],
  ];
};

/** The largest number of requests that the check of throttling sends. */
const floodRequests = 10_000;
const atOnce = 100;

/** Sends requests until one is throttled. It uses up the limit of other clients for a moment. */
export const throttlingCheck: Check = [
  'a throttled request is 429, with Retry-After',
  async (api) => {
    for (let sent = 0; sent < floodRequests; sent += atOnce) {
      const responses = await Promise.all(Array.from({ length: atOnce }, () => api.call('GET', '/health')));
      const throttled = responses.find(({ status }) => status !== 200);
      if (!throttled) continue;
      expectProblem(throttled, 429, 'too_many_requests');
      expectThat(/^[0-9]+$/.test(throttled.headers['retry-after'] ?? ''), 'expected the header Retry-After in seconds');
      return;
    }
    expectThat(false, `expected a 429 within ${floodRequests} requests, got none`);
  },
];

function expectNumber(response: ApiResponse, number: number): void {
  expectStatus(response, 201);
  expectThat(created.parse(jsonOf(response)).number === number, `expected the number ${number}, got ${response.body}`);
}

/** Repeats a request until the response is as wanted. */
async function settledResponse(
  ask: () => Promise<ApiResponse>,
  isWanted: (response: ApiResponse) => boolean,
): Promise<ApiResponse> {
  const end = performance.now() + settleMs;
  for (;;) {
    const response = await ask();
    if (isWanted(response)) return response;
    expectThat(
      performance.now() < end,
      `not as expected after ${settleMs / 1_000} s: ${response.status} ${response.body.slice(0, 200)}`,
    );
    await sleep(250);
  }
}
