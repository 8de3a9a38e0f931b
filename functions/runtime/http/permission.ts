import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { notAllowed } from '../../../lib/api/problems.ts';
import type { Allows, Route } from '../../../lib/api/routes.ts';
import { NotFound } from '../../../lib/model/errors.ts';
import type { Holder } from '../../../lib/model/holder.ts';
import type { ApiEvent } from './validation.ts';

/**
 * Decides whether the holder of an access token may call a route. That a holder edits only its own messages is checked
 * in functions/api/shared/messages.ts, because this rule needs the stored message.
 *
 * @param chat the number of the chat in the path, if there is one
 * @throws Problem not_allowed; NotFound for a chat outside of the holder's chats, as if the chat did not exist
 */
export function requireAllowed(allows: Allows, holder: Holder, chat: number | undefined): void {
  if (allows === 'application token only' || allows === 'no token')
    throw notAllowed("a right that only the application's own token has");
  const permission = allows === 'read all' ? 'read' : allows;
  if (!holder.can.includes(permission)) throw notAllowed(`the permission "${permission}"`);
  if (allows === 'read all' && holder.chats) throw notAllowed('access to all chats: it was created with `chats`');
  if (chat !== undefined && !isWithin(holder, chat)) throw new NotFound('chat', chat);
}

const isWithin = ({ chats }: Holder, chat: number): boolean => chats === null || chats.includes(chat);

/** Refuses what an access token does not allow. */
export const permission = ({ allows }: Route): MiddlewareObj<APIGatewayProxyEvent> => ({
  before: ({ event }) => {
    const { holder, params } = (event as ApiEvent<'getChat'>).request;
    if (holder) requireAllowed(allows, holder, params?.chat_number);
  },
});
