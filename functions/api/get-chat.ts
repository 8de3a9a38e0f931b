import { operation } from '../runtime/http/operation.ts';
import { requireChat } from './shared/parents.ts';
import { chatView } from './shared/views.ts';

export const getChat = operation('getChat', async ({ params: { token, chat_number } }, services) => ({
  json: chatView(await requireChat(services, token, chat_number)),
}));
