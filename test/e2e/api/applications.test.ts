import { describe, expect, test } from 'vitest';
import { concurrently } from '../../support/basics/concurrently.ts';
import type { Application, ApplicationPage } from '../../support/client/client.ts';
import { timestamp } from '../../support/client/openapi.ts';
import { atOnce, deployment, onStack, settled } from '../../support/servers/deployment.ts';
import '../../support/client/problem-matcher.ts';
import { acceptableTexts, refusedTexts } from '../../support/texts/names-and-bodies.ts';

const api = await deployment();

const create = (name: unknown) => api.post<Application>('/applications', { name });

describe('creating an application', () => {
  test('a create of an application returns its token, no chats, its times and its URL', async () => {
    const { status, body, headers } = await create('Support desk');
    expect(status).toBe(201);
    expect(body).toEqual({
      token: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      name: 'Support desk',
      chats_count: 0,
      created_at: expect.stringMatching(timestamp),
      updated_at: body.created_at,
    });
    expect(Math.abs(Date.parse(body.created_at) - Date.now())).toBeLessThan(60_000);
    expect(api.resolve('/applications', headers.get('location'))).toBe(`/applications/${body.token}`);
  });

  test('every application gets another token', async () => {
    const created = await concurrently(100, atOnce(20), (i) => api.newApplication(`Application ${i}`));
    expect(new Set(created).size).toBe(100);
  });

  test('an application is readable at once', async () => {
    const { body } = await create('Read me');
    expect(await api.get(`/applications/${body.token}`)).toMatchObject({ status: 200, body });
  });

  test.each(acceptableTexts(255))('an application keeps its name exactly as sent: $what', async ({ text }) => {
    const { status, body } = await create(text);
    expect([status, body.name]).toEqual([201, text]);
    await expect
      .poll(async () => (await api.get<Application>(`/applications/${body.token}`)).body.name, settled)
      .toBe(text);
  });

  test.each(refusedTexts(255))('an application is refused with a name that $what', async ({ json }) => {
    expect(await api.post('/applications', `{"name":${json}}`)).toBeProblem(422, 'validation_failed', '/name');
  });

  test.each(['7', 'true', '[]', '{}', 'null'])('an application is refused with a name that is %s', async (json) => {
    expect(await api.post('/applications', `{"name":${json}}`)).toBeProblem(422, 'validation_failed', '/name');
  });

  test('an application is refused without a name', async () => {
    expect(await api.post('/applications', {})).toBeProblem(422, 'validation_failed', '/name');
    expect(await api.post('/applications')).toBeProblem(422, 'validation_failed', '/name');
  });

  test('unknown members of an application are ignored', async () => {
    const { status, body } = await api.post('/applications', { name: 'Known', token: 'mine', chats_count: 9, x: [{}] });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'Known', chats_count: 0, token: expect.not.stringMatching(/^mine$/) });
  });
});

describe('renaming an application', () => {
  test.each(['PATCH', 'PUT'])(
    'a rename of an application with %s returns at once and is read soon after',
    async (method) => {
      const { body: before } = await create('Before');
      const path = `/applications/${before.token}`;
      const { status, body } = await api.call<Application>(method, path, { body: { name: 'After' } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ token: before.token, name: 'After', created_at: before.created_at });
      expect(body.updated_at >= before.updated_at).toBe(true);
      await expect
        .poll(async () => (await api.get(path)).body, settled)
        .toEqual({ ...before, name: 'After', updated_at: body.updated_at });
    },
  );

  test('the last accepted rename of an application wins', async () => {
    const path = await api.newApplication();
    for (let i = 1; i <= 20; i++) expect((await api.patch(path, { name: `Name ${i}` })).status).toBe(200);
    await expect.poll(async () => (await api.get<Application>(path)).body.name, settled).toBe('Name 20');
  });

  test.each(['PATCH', 'PUT'])('a rename of an application with %s needs a valid name', async (method) => {
    const path = await api.newApplication('Stays');
    for (const body of [{}, { name: null }, { name: ' ' }, { name: 5 }, { title: 'x' }])
      expect(await api.call(method, path, { body })).toBeProblem(422, 'validation_failed', '/name');
    expect(await api.call(method, path)).toBeProblem(422, 'validation_failed', '/name');
    expect((await api.get<Application>(path)).body.name).toBe('Stays');
  });
});

describe('listing applications', () => {
  test('applications are listed in the order of creation, page by page, and backwards with order=desc', async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 5; i++) tokens.push((await create(`Listed ${i}`)).body.token);
    const ours = async (query: string) =>
      (await api.all<Application>(`/applications?${query}`))
        .map(({ token }) => token)
        .filter((t) => tokens.includes(t));
    await expect.poll(() => ours('limit=1000'), settled).toHaveLength(5);
    // The other tests have created hundreds of applications on the stack. So a page has a twentieth of them.
    const limit = Math.ceil((await api.all('/applications?limit=1000')).length / 20);
    // Applications that are created in the same millisecond may come in either order.
    const all = await api.all<Application>(`/applications?limit=${limit}`);
    expect(all.map(({ created_at }) => created_at)).toEqual(all.map(({ created_at }) => created_at).sort());
    expect(new Set(all.map(({ token }) => token)).size).toBe(all.length);
    expect((await ours(`limit=${limit + 1}`)).sort()).toEqual([...tokens].sort());
    expect(await ours(`limit=${limit}&order=desc`)).toEqual((await ours(`limit=${limit}&order=asc`)).reverse());
  });

  test('the list shows each application as a read does', async () => {
    const { body } = await create('Seen twice');
    await expect.poll(() => api.all<Application>('/applications?limit=1000'), settled).toContainEqual(body);
  });

  test('a page of applications links to the next page', async () => {
    await expect
      .poll(async () => (await api.get<ApplicationPage>('/applications?limit=3')).body.data.length, settled)
      .toBe(3);
    const { body, headers } = await api.get<ApplicationPage>('/applications?limit=1&order=desc');
    const link = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const next = await api.get<ApplicationPage>(api.resolve('/applications?limit=1&order=desc', link));
    expect(next.body).toEqual(
      (await api.get(`/applications?limit=1&order=desc&cursor=${encodeURIComponent(body.next ?? '')}`)).body,
    );
    expect(next.body.data[0]?.token).not.toBe(body.data[0]?.token);
  });
});

describe('an unknown application', () => {
  const shapes = [
    'A'.repeat(22),
    'x',
    '1',
    'a'.repeat(100),
    'caf%C3%A9',
    '%00',
    // MiniStack decodes an encoded slash and treats it as a separator of path segments.
    ...(onStack ? [] : ['a%2Fb']),
    "'%20OR%201=1",
    '%F0%9F%98%80',
  ];
  test.each(shapes)('an unknown application is application_not_found on every route: %s', async (token) => {
    const path = `/applications/${token}`;
    const notFound = [404, 'application_not_found'] as const;
    expect(await api.get(path)).toBeProblem(...notFound);
    expect(await api.patch(path, { name: 'x' })).toBeProblem(...notFound);
    expect(await api.put(path, { name: 'x' })).toBeProblem(...notFound);
    expect(await api.delete(path)).toBeProblem(...notFound);
    expect(await api.get(`${path}/search?q=x`)).toBeProblem(...notFound);
    expect(await api.get(`${path}/chats`)).toBeProblem(...notFound);
    expect(await api.post(`${path}/chats`)).toBeProblem(...notFound);
    expect(await api.get(`${path}/chats/1`)).toBeProblem(...notFound);
    expect(await api.patch(`${path}/chats/1`, { name: 'x' })).toBeProblem(...notFound);
    expect(await api.delete(`${path}/chats/1`)).toBeProblem(...notFound);
    expect(await api.get(`${path}/chats/1/messages`)).toBeProblem(...notFound);
    expect(await api.post(`${path}/chats/1/messages`, { body: 'x' })).toBeProblem(...notFound);
    expect(await api.post(`${path}/chats/1/messages/batch`, { messages: [{ body: 'x' }] })).toBeProblem(...notFound);
    expect(await api.get(`${path}/chats/1/messages/search?q=x`)).toBeProblem(...notFound);
    expect(await api.get(`${path}/chats/1/messages/1`)).toBeProblem(...notFound);
    expect(await api.patch(`${path}/chats/1/messages/1`, { body: 'x' })).toBeProblem(...notFound);
    expect(await api.delete(`${path}/chats/1/messages/1`)).toBeProblem(...notFound);
  });
});
