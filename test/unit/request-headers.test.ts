import { expect, test } from 'vitest';
import { fallback } from '../../functions/api/fallback.ts';
import { getChat } from '../../functions/api/get-chat.ts';
import { getHealth } from '../../functions/api/get-health.ts';
import { noAccess } from '../support/client/access.ts';
import { answer, apiEvent } from '../support/client/api-event.ts';

test('a request without headers is handled like any other, because the test function of API Gateway’s console sends null', async () => {
  const withoutHeaders = (event: ReturnType<typeof apiEvent>) =>
    Object.assign(event, { headers: null, multiValueHeaders: null });
  expect(await answer(getHealth({}), withoutHeaders(apiEvent('getHealth')))).toMatchObject({ status: 200 });
  const toSelf = withoutHeaders(apiEvent('getChat', { params: { token: 'self' } }));
  const services = { access: noAccess } as Parameters<typeof getChat>[0];
  expect(await answer(getChat(services), toSelf)).toMatchObject({
    status: 401,
    json: { code: 'access_token_required' },
  });
  const unknown = withoutHeaders(apiEvent('getHealth', { path: '/unknown', resource: '/{proxy+}' }));
  expect(await answer(fallback(), unknown)).toMatchObject({ status: 404, json: { code: 'route_not_found' } });
});
