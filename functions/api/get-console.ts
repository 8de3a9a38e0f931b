import { connectingTo, consolePage } from '../../lib/api/console-page.ts';
import { operation } from '../runtime/http/operation.ts';

export const getConsole = operation('getConsole', async (_request, { feed }) => {
  const page = await consolePage();
  return { document: { ...page, headers: connectingTo(page.headers, feed.origins) } };
});
