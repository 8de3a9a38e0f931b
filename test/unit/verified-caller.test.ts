import { expect, test } from 'vitest';
import { admission, type IncomingEvent } from '../../functions/runtime/http/admission.ts';
import { type BearerCaller, verifiedCaller } from '../../functions/runtime/http/bearer.ts';
import { routes } from '../../lib/api/routes.ts';
import { newToken } from '../../lib/model/token.ts';
import { noAccess } from '../support/client/access.ts';

test('a bearer token that the host verified before it read the body is not verified again', async () => {
  const holder = { sender: 'ada', chats: [1], can: ['create' as const], generation: 0, expiresAt: Date.now() + 60_000 };
  const caller: BearerCaller = { token: newToken(), holder, bearer: 'an access token' };
  const event = {
    resource: '/applications/{token}/chats/{chat_number}/messages',
    path: '/applications/self/chats/1/messages',
    headers: { authorization: `Bearer ${newToken()}` },
    pathParameters: { token: 'self', chat_number: '1' },
    body: null,
  } as unknown as IncomingEvent;
  const { before } = admission(routes.createMessage, undefined, noAccess);
  const admit = (admitted: IncomingEvent) => before?.({ event: admitted } as never);
  await expect(admit({ ...event })).rejects.toThrow('nobody has a bearer token');
  const verified = { ...event, [verifiedCaller]: caller };
  // An event that Lambda parses from JSON cannot have it.
  await expect(admit(JSON.parse(JSON.stringify(verified)))).rejects.toThrow('nobody has a bearer token');
  await admit(verified);
  expect(verified).toMatchObject({ caller, pathParameters: { token: caller.token, chat_number: '1' } });
});
