import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createApplication } from '../../functions/api/create-application.ts';
import { createChat } from '../../functions/api/create-chat.ts';
import { createMessage } from '../../functions/api/create-message.ts';
import { createMessages } from '../../functions/api/create-messages.ts';
import { editChat } from '../../functions/api/edit-chat.ts';
import { getChat } from '../../functions/api/get-chat.ts';
import { listApplications } from '../../functions/api/list-applications.ts';
import { listChats } from '../../functions/api/list-chats.ts';
import { setLogLevel } from '../../functions/runtime/observe/log.ts';
import type { Services } from '../../functions/runtime/services.ts';
import type { CreateContext, IdempotencyKey, Ledger } from '../../lib/ledger/ledger.ts';
import { limits } from '../../lib/limits.ts';
import type { MessageContent } from '../../lib/model/content.ts';
import { NotFound } from '../../lib/model/errors.ts';
import type { ChatKey } from '../../lib/model/keys.ts';
import { newToken } from '../../lib/model/token.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent, type RequestParts } from '../support/client/api-event.ts';
import { testCursors } from '../support/client/cursors.ts';

setLogLevel('silent');

const refuse = async () => {
  throw new NotFound('application');
};
/** Services without any data, so that a valid request reaches the check of existence, which is the last. */
const nothing = {
  ledger: {
    createApplication: refuse,
    createChat: refuse,
    createMessages: refuse,
    chat: async () => undefined,
    application: async () => undefined,
    editChat: refuse,
  },
  store: {
    applications: async () => ({ rows: [], more: false }),
    application: async () => 'unknown',
    chat: async () => 'unknown',
  },
  cursors: testCursors(),
} as unknown as Services;

const adminKey = 'the admin key';
const handlers = {
  createApplication: createApplication({ ...nothing, adminKey }),
  createChat: createChat(nothing),
  createMessage: createMessage(nothing),
  createMessages: createMessages(nothing),
  editChat: editChat(nothing),
  getChat: getChat(nothing),
  listChats: listChats(nothing),
};
const send = (id: keyof typeof handlers, parts: RequestParts) => answer(handlers[id], apiEvent(id, parts));
const codeOf = async (id: keyof typeof handlers, parts: RequestParts) => (await send(id, parts)).json.code;
const faultsOf = async (id: keyof typeof handlers, parts: RequestParts) => {
  const { status, json } = await send(id, parts);
  expect(status).toBe(422);
  return (json.errors as { pointer: string; detail: string }[]).map(({ pointer, detail }) => `${pointer}: ${detail}`);
};

describe('a request is checked in the order of the contract', () => {
  const good = { 'x-api-key': adminKey, 'content-type': 'application/json' };
  const tooLarge = `{${' '.repeat(limits.requestBytes)}`;

  // Each request has the faults of the requests below it, and one that is checked before them.
  test.for<[code: string, parts: RequestParts]>([
    ['route_not_found', { path: '/applications/', headers: { 'content-type': 'text/plain' }, body: tooLarge }],
    ['admin_key_required', { headers: { 'content-type': 'text/plain' }, body: tooLarge }],
    ['unsupported_media_type', { headers: { ...good, 'content-type': 'text/plain' }, body: tooLarge }],
    ['unsupported_media_type', { headers: { ...good, 'content-encoding': 'gzip' }, body: tooLarge }],
    ['payload_too_large', { headers: good, body: tooLarge }],
    ['malformed_json', { headers: { ...good, 'idempotency-key': 'é' }, body: '{' }],
    ['validation_failed', { headers: good, body: { name: ' ' } }],
    ['application_not_found', { headers: good, body: { name: 'fine' } }],
  ])('%s is checked before everything that follows it in the contract', async ([code, parts]) => {
    expect(await codeOf('createApplication', parts)).toBe(code);
  });

  test('validation precedes existence, in path and query too', async () => {
    expect(await codeOf('getChat', { params: { chat_number: '0' } })).toBe('validation_failed');
    expect(await codeOf('getChat', { params: { token: 'unknown' } })).toBe('application_not_found');
    expect(await codeOf('listChats', { query: { limit: '0' } })).toBe('validation_failed');
    expect(await codeOf('listChats', { query: { cursor: 'none of mine' } })).toBe('validation_failed');
    expect(await codeOf('listChats', {})).toBe('application_not_found');
  });
});

describe('the admin key', () => {
  test.for([undefined, '', 'wrong', `${adminKey} `, adminKey.toUpperCase()])(
    'the admin key is refused when it is %j',
    async (key) => {
      const { status, json } = await send('createApplication', {
        headers: key === undefined ? {} : { 'X-API-Key': key },
        body: { name: 'x' },
      });
      expect([status, json.code]).toEqual([401, 'admin_key_required']);
    },
  );

  test('the admin key is required only on its routes, and only when one is set', async () => {
    expect(await codeOf('createChat', {})).toBe('application_not_found');
    const open = createApplication(nothing);
    const event = apiEvent('createApplication', { body: { name: 'x' } });
    expect((await answer(open, event)).json.code).toBe('application_not_found');
  });

  test('the admin key is found whatever the case of the header’s name', async () => {
    for (const name of ['x-api-key', 'X-API-KEY', 'X-Api-Key'])
      expect(await codeOf('createApplication', { headers: { [name]: adminKey }, body: { name: 'x' } })).toBe(
        'application_not_found',
      );
  });
});

describe('a web page without an admin key', () => {
  const open = { createApplication: createApplication(nothing), listApplications: listApplications(nothing) };
  const from = async (id: keyof typeof open, headers: Record<string, string>) => {
    const event = apiEvent(id, { headers, ...(id === 'createApplication' && { body: { name: 'x' } }) });
    const { status, json } = await answer(open[id], event);
    return status === 200 ? 200 : json.code;
  };

  test.for([
    { Origin: 'https://evil.example', Host: 'api.example' },
    { Origin: 'http://localhost:8080', Host: 'localhost:3000' },
    { Origin: 'http://localhost.evil.example:3000', Host: 'localhost:3000' },
    { Origin: 'null', Host: 'localhost:3000' },
    { Origin: '', Host: 'localhost:3000' },
    { Origin: 'file://', Host: '' },
    { Origin: 'https://evil.example' },
  ])(
    'a page of another origin may neither create nor list applications: %j',
    async (headers: Record<string, string>) => {
      expect(await from('createApplication', headers)).toBe('not_allowed');
      expect(await from('listApplications', headers)).toBe('not_allowed');
    },
  );

  test.for([
    { Origin: 'http://localhost:3000', Host: 'localhost:3000' },
    { Origin: 'http://API.example', Host: 'api.example:80' },
    { Origin: 'https://api.example', Host: 'api.example' },
    { Origin: 'http://[::1]:3000', Host: '[::1]:3000' },
    { Host: 'localhost:3000' },
  ])(
    'a page of the server itself, or a caller that is not a page, may create and list applications: %j',
    async (headers: Record<string, string>) => {
      expect(await from('createApplication', headers)).toBe('application_not_found');
      expect(await from('listApplications', headers)).toBe(200);
    },
  );

  test('a page of another origin may do everything else, and with an admin key create and list applications too', async () => {
    const foreign = { origin: 'https://evil.example', host: 'api.example' };
    expect(await codeOf('createChat', { headers: foreign })).toBe('application_not_found');
    expect(
      await codeOf('createApplication', { headers: { ...foreign, 'x-api-key': adminKey }, body: { name: 'x' } }),
    ).toBe('application_not_found');
  });
});

describe('the content type', () => {
  const typed = (type: string) => codeOf('createMessage', { headers: { 'Content-Type': type }, body: { body: 'x' } });

  test.for([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset="UTF-8"; profile=x',
    'application/merge-patch+json',
  ])('the content type %s is accepted', async (type) => {
    expect(await typed(type)).toBe('application_not_found');
  });

  test.for([
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/ld+json',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'json',
    `application/json;${' '.repeat(16_000)}charset=utf-8`,
  ])('the content type %j is refused', async (type) => {
    expect(await typed(type)).toBe('unsupported_media_type');
  });

  test('the content type is ignored without a body, and on routes that take none', async () => {
    expect(await codeOf('createChat', { headers: { 'Content-Type': 'text/plain' } })).toBe('application_not_found');
    expect(await codeOf('getChat', { headers: { 'Content-Type': 'text/plain' }, body: 'x' })).toBe(
      'application_not_found',
    );
  });
});

describe('the content coding', () => {
  const coded = (coding: string) =>
    send('createMessage', { headers: { 'Content-Encoding': coding }, body: { body: 'x' } });

  test.for([
    'gzip',
    'GZIP',
    'br',
    'deflate',
    'zstd',
    'unheard-of',
    'identity, gzip',
    'x-gzip',
    'gzip;q=0',
    '*',
    'identity;x',
  ])('a body in the content coding %s is refused, and the response names identity', async (coding) => {
    const { status, headers, json } = await coded(coding);
    expect([status, json.code]).toEqual([415, 'unsupported_media_type']);
    expect(headers['accept-encoding']).toBe('identity');
  });

  test.for(['identity', 'Identity', '', ' identity , identity', 'identity,'])(
    'a body in the content coding %j is accepted',
    async (coding) => {
      expect((await coded(coding)).json.code).toBe('application_not_found');
    },
  );

  test('a coding is refused in any of several lines, and ignored without a body', async () => {
    const lines = { 'Content-Encoding': ['gzip', 'identity'] };
    expect(await codeOf('createMessage', { lines, body: { body: 'x' } })).toBe('unsupported_media_type');
    expect(await codeOf('createChat', { headers: { 'Content-Encoding': 'gzip' } })).toBe('application_not_found');
    expect(await codeOf('getChat', { headers: { 'Content-Encoding': 'gzip' }, body: 'x' })).toBe(
      'application_not_found',
    );
  });
});

describe('the path', () => {
  test.for([
    ['createApplication', '/applications/'],
    ['createApplication', '//applications'],
    ['createChat', `/applications/t/chats/`],
    ['createChat', `/applications//chats`],
    ['createMessage', `/applications/t/chats/1/messages/`],
    ['getChat', `/applications/t/chats/1/`],
    ['listChats', `/applications/t/chats//`],
  ] as const)(
    'a path with an empty segment has no route, although API Gateway calls the function: %s %s',
    async ([id, path]) => {
      expect(await codeOf(id, { path, headers: { 'x-api-key': adminKey }, body: {} })).toBe('route_not_found');
    },
  );

  test('a path behind the base path mapping of a custom domain has its route', async () => {
    expect(await codeOf('getChat', { path: '/chat/applications/t/chats/1' })).toBe('application_not_found');
  });
});

describe('the size', () => {
  const padded = (bytes: number, text: string) => `"${text}${'x'.repeat(bytes - 2 - Buffer.byteLength(text))}"`;

  test('the size of a body is counted in bytes of UTF-8, and 1 MiB is still accepted', async () => {
    expect(await faultsOf('createMessage', { body: padded(limits.requestBytes, '') })).toEqual([
      ': must be a JSON object',
    ]);
    expect(await faultsOf('createMessage', { body: padded(limits.requestBytes, 'é\u{1F600}') })).toHaveLength(1);
    expect(await codeOf('createMessage', { body: padded(limits.requestBytes + 1, '') })).toBe('payload_too_large');
    expect(await codeOf('createMessage', { body: padded(limits.requestBytes + 1, 'é\u{1F600}') })).toBe(
      'payload_too_large',
    );
  });

  test('the size of a body in Base64 is that of its bytes', async () => {
    const bytes = (count: number) => ({ bytes: Buffer.from(padded(count, '')) });
    expect(await codeOf('createMessage', bytes(limits.requestBytes))).toBe('validation_failed');
    expect(await codeOf('createMessage', bytes(limits.requestBytes + 1))).toBe('payload_too_large');
  });
});

describe('the body', () => {
  test.for(['{', '{"body":"x"', "{'body':'x'}", '{"body":"x",}', 'undefined', '{"body": NaN}', ' ', 'null null'])(
    'a body that is not JSON is refused: %j',
    async (body) => {
      const { status, json } = await send('createMessage', { body });
      expect([status, json.code]).toEqual([400, 'malformed_json']);
      // The parser's own message is not shown.
      expect(json.detail).toBe('The body is not JSON in UTF-8.');
    },
  );

  test('a body with a byte order mark is refused, and the problem names the mark', async () => {
    for (const parts of [{ body: '\ufeff{"body":"x"}' }, { bytes: Buffer.from('\ufeff{"body":"x"}') }]) {
      const { status, json } = await send('createMessage', parts);
      expect([status, json.code]).toEqual([400, 'malformed_json']);
      expect(json.detail).toContain('byte order mark');
    }
  });

  test.for(['null', ' null\r\n', ' ', '\t\n'])(
    'where a body may be missing, null and white space count as missing: %j',
    async (body) => {
      expect(await codeOf('createChat', { body })).toBe('application_not_found');
      expect(await codeOf('createChat', { bytes: Buffer.from(body) })).toBe('application_not_found');
      expect((await send('createMessage', { body })).status).toBeOneOf([400, 422]);
    },
  );

  test('a body in Base64 is read as UTF-8, and refused when it is not UTF-8', async () => {
    expect(await codeOf('createMessage', { bytes: Buffer.from('{"body":"é"}') })).toBe('application_not_found');
    expect(await codeOf('createMessage', { bytes: Buffer.from('{"body":"é"}', 'latin1') })).toBe('malformed_json');
    expect(await codeOf('createMessage', { bytes: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]) })).toBe(
      'malformed_json',
    );
  });

  test('a missing body counts as an empty object', async () => {
    expect(await codeOf('createChat', {})).toBe('application_not_found');
    expect(await faultsOf('createMessage', {})).toEqual(['/body: is required']);
    expect(await faultsOf('editChat', {})).toEqual([': must have at least one member that can be edited']);
  });

  test('a body may name __proto__ and the like, which are unknown members', async () => {
    expect(await faultsOf('createMessage', { body: '{"__proto__":{"body":"x"}}' })).toEqual(['/body: is required']);
    expect(await codeOf('createMessage', { body: '{"body":"x","__proto__":{"body":1},"constructor":1}' })).toBe(
      'application_not_found',
    );
  });

  test('a deeply nested body is handled like any other', async () => {
    const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    expect((await send('createMessage', { body: deep })).status).toBeLessThan(500);
    expect(await codeOf('createMessage', { body: `{"body":"x","more":${deep}}` })).toBe('validation_failed');
    const lessDeep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    expect(await codeOf('createMessage', { body: `{"body":"x","more":${lessDeep}}` })).toBe('application_not_found');
  });

  test.for(['null', '[]', '"x"', '1', 'true'])('a body that is not a JSON object is refused: %s', async (body) => {
    expect(await faultsOf('createMessage', { body })).toEqual([': must be a JSON object']);
  });
});

describe('all faults are named at once', () => {
  test('all faults of a request are named at once, each with a JSON Pointer into the body or the name of a parameter or header', async () => {
    expect(
      await faultsOf('createMessages', {
        params: { chat_number: '0' },
        headers: { 'Idempotency-Key': 'ü' },
        body: { messages: [{ body: 'fine' }, { body: '' }, {}] },
      }),
    ).toEqual([
      'chat_number: must be a whole number from 1',
      'Idempotency-Key: must be 1 to 255 printable ASCII characters',
      '/messages/1/body: must not be blank',
      '/messages/2/body: is required',
    ]);
    expect(await faultsOf('listChats', { query: { limit: 'x', order: 'up', after: '-1', unknown: '1' } })).toEqual([
      'limit: must be a whole number from 1 to 1000',
      'order: must be asc or desc',
      'after: must be a whole number',
    ]);
  });
});

describe('an Idempotency-Key', () => {
  const keys: (IdempotencyKey | undefined)[] = [];
  const ledger = {
    createMessages: async (_chat: ChatKey, _contents: MessageContent[], { key }: CreateContext = {}) => {
      keys.push(key);
      return { first: 1, at: 0 };
    },
    createChat: async (_token: string, _name: string | null, { key }: CreateContext = {}) => {
      keys.push(key);
      return { number: 1, at: 0 };
    },
    editChat: async () => ({ createdAt: 0, at: 0 }),
  } as unknown as Ledger;
  const keyOf = async (key: string, parts: RequestParts = {}, id: 'createMessage' | 'createChat' = 'createMessage') => {
    const handler =
      id === 'createMessage' ? createMessage({ ledger, access: noAccess }) : createChat({ ledger, access: noAccess });
    const body = id === 'createMessage' ? { body: 'x' } : { name: 'x' };
    const headers = parts.lines ? {} : { 'Idempotency-Key': key };
    const { status } = await answer(handler, apiEvent(id, { body, ...parts, headers }));
    expect(status).toBe(201);
    return keys.at(-1) as IdempotencyKey;
  };

  test('an Idempotency-Key is the same quoted or bare', async () => {
    expect(await keyOf('"abc"')).toEqual(await keyOf('abc'));
  });

  test.for<Record<string, string[]>>([
    { 'Idempotency-Key': ['one', 'two'] },
    { 'Idempotency-Key': ['one', 'one', 'two'] },
    { 'Idempotency-Key': ['one'], 'idempotency-key': ['two'] },
    { 'Idempotency-Key': ['one', ''] },
  ])('several lines of Idempotency-Key with different values are refused: %j', async (lines) => {
    expect(await faultsOf('createMessage', { lines, body: { body: 'x' } })).toContain(
      'Idempotency-Key: must have one value',
    );
  });

  test.for<Record<string, string[]>>([
    { 'Idempotency-Key': ['one', 'one'] },
    { 'Idempotency-Key': ['one', '"one"'] },
    { 'Idempotency-Key': ['one'], 'idempotency-key': ['one'] },
  ])('several lines of Idempotency-Key with one value count as one: %j', async (lines) => {
    expect(await keyOf('ignored', { lines })).toEqual(await keyOf('one'));
  });

  test('an Idempotency-Key is scoped to method and path', async () => {
    const ids = [
      await keyOf('abc'),
      await keyOf('abd'),
      await keyOf('abc', { params: { chat_number: '2' } }),
      await keyOf('abc', { params: { token: newToken() } }),
      await keyOf('abc', {}, 'createChat'),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the payload of an Idempotency-Key is compared by its content, not by its spelling', async () => {
    const first = await keyOf('abc', { body: '{"body":"x"}' });
    expect(await keyOf('abc', { body: ' { "body" : "\\u0078" } ' })).toEqual(first);
    const other = await keyOf('abc', { body: '{"body":"y"}' });
    expect(other.id).toBe(first.id);
    expect(other.payload).not.toBe(first.payload);
  });

  test('the payload of an Idempotency-Key is all that was sent, unknown members included, in any order', async () => {
    const payload = async (body: unknown) => (await keyOf('abc', { body })).payload;
    const first = await payload('{"body":"x","more":{"b":[1,{"d":2,"c":"\\u0041"}],"a":null}}');
    expect(await payload('{"more":{"a":null,"b":[1.0,{"c":"A","d":20e-1}]},"body":"x"}')).toBe(first);
    const others = new Set<string>();
    const different = [
      '{"body":"x"}',
      '{"body":"x","more":{"b":[1,{"d":2,"c":"A"}],"a":0}}',
      '{"body":"x","more":{"b":[{"d":2,"c":"A"},1],"a":null}}',
      '{"body":"x","more":"{\\"b\\":[1,{\\"d\\":2}]}"}',
      '{"body":"x","more":[[],[]]}',
      '{"body":"x","more":[[[]]]}',
      '{"body":"x","more":[null]}',
      '{"body":"x","more":[1e999]}',
      '{"body":"x","__proto__":{"a":1}}',
      '{"body":"x","__proto__":{"a":2}}',
    ];
    for (const body of different) others.add(await payload(body));
    expect(others.size).toBe(different.length);
    expect(others).not.toContain(first);
  });

  test('the payload of an Idempotency-Key may be nested deeply', async () => {
    const depth = 29_000;
    for (const deep of [`${'['.repeat(depth)}${']'.repeat(depth)}`, `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`])
      expect((await keyOf('abc', { body: `{"body":"x","more":${deep}}` })).payload).toMatch(/^[\w-]{43}$/);
  });

  test('the payload of a missing body is that of null, of white space and of an empty object', async () => {
    const first = await keyOf('abc', { body: '' }, 'createChat');
    for (const body of ['{}', 'null', ' ']) expect(await keyOf('abc', { body }, 'createChat')).toEqual(first);
  });

  describe('for creating an application', () => {
    const given: (IdempotencyKey | undefined)[] = [];
    const registry = {
      createApplication: async (_name: string, { key }: CreateContext = {}) => {
        given.push(key);
        return { token: newToken(), at: 0 };
      },
    } as unknown as Ledger;
    const create = (key: string, admin?: string) =>
      answer(
        createApplication({ ledger: registry, adminKey: admin }),
        apiEvent('createApplication', {
          body: { name: 'x' },
          headers: { 'Idempotency-Key': key, ...(admin && { 'x-api-key': admin }) },
        }),
      );

    test('an Idempotency-Key for creating an application is scoped to the admin key', async () => {
      const key = randomUUID();
      for (const admin of ['one', 'one', 'another', undefined]) expect((await create(key, admin)).status).toBe(201);
      const [first, again, another, open] = given.slice(-4).map((each) => each?.id);
      expect(again).toBe(first);
      expect(new Set([first, another, open]).size).toBe(3);
    });

    test.for([
      '1',
      'test',
      'create-application-1',
      'k'.repeat(255),
      '00000000-0000-0000-0000-000000000000',
      '"123451234512345123451"',
    ])('an Idempotency-Key that can be guessed is refused without an admin key: %s', async (key) => {
      const { status, json } = await create(key);
      expect([status, json.code]).toEqual([422, 'validation_failed']);
      expect(json.errors).toEqual([
        {
          pointer: 'Idempotency-Key',
          detail: expect.stringMatching(/^must be hard to guess while no admin key is set/),
        },
      ]);
      expect((await create(key, 'admin')).status).toBe(201);
    });

    test.for([randomUUID(), `"${randomUUID()}"`, randomBytes(16).toString('hex'), newToken()])(
      'an Idempotency-Key with 128 bits, or a UUID, is accepted without an admin key: %s',
      async (key) => {
        expect((await create(key)).status).toBe(201);
      },
    );

    test('a fault of the Idempotency-Key is named with all other faults', async () => {
      const parts = { body: { name: '' }, headers: { 'Idempotency-Key': '1' } };
      const { json } = await answer(createApplication({ ledger: registry }), apiEvent('createApplication', parts));
      expect(json.errors).toMatchObject([{ pointer: 'Idempotency-Key' }, { pointer: '/name' }]);
    });
  });

  test('an Idempotency-Key is ignored where nothing is created, and may be absent', async () => {
    const parts = { body: { name: 'x' }, headers: { 'Idempotency-Key': 'é' } };
    expect((await answer(editChat({ ledger, access: noAccess }), apiEvent('editChat', parts))).status).toBe(200);
    await answer(createMessage({ ledger, access: noAccess }), apiEvent('createMessage', { body: { body: 'x' } }));
    expect(keys.at(-1)).toBeUndefined();
  });
});
