import { operation } from '../runtime/http.ts';
import { requireChat } from '../runtime/parents.ts';
import { chatView } from '../runtime/views.ts';

export const getChat = operation('getChat', async ({ params: { token, chat_number } }, services) => ({
  json: chatView(await requireChat(services, token, chat_number)),
}));
