import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type Fault, validationFailed } from '../../../lib/api/problems.ts';
import type { Route } from '../../../lib/api/routes.ts';
import { tooManyMessages } from '../../../lib/api/schemas.ts';
import { limits } from '../../../lib/limits.ts';

const backslash = 0x5c;

/** The position of the quote that ends the string which begins at `start`, or the length of a text without it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** The name of the member whose value begins at the position. */
const memberAt = (text: string, position: number): string | undefined =>
  /"(\w+)"\s*:\s*$/.exec(text.slice(Math.max(0, position - 64), position))?.[1];

/**
 * What is wrong with a JSON text that has more values than {@link limits.bodyValues}; undefined for any other text. The
 * text need not be valid JSON: `JSON.parse` judges that, once it is known to be cheap.
 */
function valuesFault(text: string, messagesAllowed: boolean): Fault | undefined {
  // Each value takes a character at least.
  if (text.length <= limits.bodyValues) return undefined;
  let values = 0;
  let level = 0;
  // Of the last array or object on the second level, such as the one in `{"messages": [`.
  let [opened, items] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i + 1);
        continue;
      case 0x5b: // [
      case 0x7b: // {
        level++;
        if (level === 2) [opened, items] = [i, 1];
        break;
      case 0x5d: // ]
      case 0x7d: // }
        level--;
        continue;
      case 0x2c: // ,
        if (level === 2) items++;
        break;
      default:
        continue;
    }
    values++;
    if (values <= limits.bodyValues) continue;
    const isBatch = messagesAllowed && items > limits.batchSize && memberAt(text, opened) === 'messages';
    return isBatch
      ? { pointer: '/messages', detail: tooManyMessages }
      : { pointer: '', detail: `must have at most ${limits.bodyValues} members and items in all` };
  }
  return undefined;
}

/**
 * Refuses a body of more values than any use of the API needs, because `JSON.parse` makes them all before a schema sees
 * the first: a megabyte of them takes it up to 90 ms of processor time. The scan takes 5 ms at most.
 */
export function bodyValues(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  const messagesAllowed = 'messages' in (route.body?.().shape ?? {});
  return {
    before: async ({ event: { body, isBase64Encoded } }) => {
      if (!route.body || !body) return;
      // The characters that count are ASCII, so the bytes of UTF-8 can be looked at one by one.
      const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('latin1') : body;
      const fault = valuesFault(text, messagesAllowed);
      if (fault) throw validationFailed([fault]);
    },
  };
}
