import { secretResponse } from '../../lib/api/headers.ts';
import { operation } from '../runtime/http/operation.ts';
import { timestamp } from './shared/views.ts';

export const createAccessToken = operation(
  'createAccessToken',
  async ({ params: { token }, body: { expires_in, ...holder } }, { access }) => {
    const { accessToken, expiresAt } = await access.grant(token, holder, expires_in);
    const json = { access_token: accessToken, ...holder, expires_at: timestamp(expiresAt) };
    return { json, headers: secretResponse };
  },
);
