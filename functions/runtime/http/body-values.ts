import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type Fault, validationFailed } from '../../../lib/api/problems.ts';
import type { Route } from '../../../lib/api/routes.ts';
import { tooManyMessages } from '../../../lib/api/schemas.ts';
import { limits } from '../../../lib/limits.ts';

const backslash = 0x5c;

/**
 * Returns the position of the quote that ends the string beginning at `start`, or the length of the text when none
 * does.
 */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === backslash) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** Returns the name of the member whose value begins at the position. */
const memberAt = (text: string, position: number): string | undefined =>
  /"(\w+)"\s*:\s*$/.exec(text.slice(Math.max(0, position - 64), position))?.[1];

/**
 * Returns the fault of a JSON text that has more values than {@link limits.bodyValues}; undefined for any other text.
 * The text need not be valid JSON: `JSON.parse` checks that later, once we know that the text has few values.
 */
function valuesFault(text: string, messagesAllowed: boolean): Fault | undefined {
  // Each value takes at least one character.
  if (text.length <= limits.bodyValues) return undefined;
  let values = 0;
  let level = 0;
  // Position and item count of the last array or object on the second level, such as the one in `{"messages": [`.
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
      : { pointer: '', detail: `must have at most ${limits.bodyValues} object members and array items in total` };
  }
  return undefined;
}

/**
 * Refuses a body with more values than any use of the API needs. `JSON.parse` creates all values before a schema sees
 * the first one, and takes up to 90 ms of processor time for a megabyte of them. This scan takes 5 ms at most.
 */
export function bodyValues(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  const messagesAllowed = 'messages' in (route.body?.().shape ?? {});
  return {
    before: ({ event: { body, isBase64Encoded } }) => {
      if (!route.body || !body) return;
      // The characters that matter are ASCII, so the bytes of UTF-8 can be scanned one by one.
      const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('latin1') : body;
      const fault = valuesFault(text, messagesAllowed);
      if (fault) throw validationFailed([fault]);
    },
  };
}
