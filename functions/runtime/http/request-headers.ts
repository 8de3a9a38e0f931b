import type { MiddlewareObj } from '@middy/core';
import normalizeHeaders from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent } from 'aws-lambda';

type Values = Readonly<Record<string, string | string[] | undefined>>;
type Lines = Readonly<Record<string, string[] | undefined>>;

/**
 * Returns the headers with the lines of each repeated one joined by commas (RFC 9110, section 5.3). Equal lines count
 * once. Without this, Node.js would use only the first line of some headers, and API Gateway only the last line of
 * every header.
 */
export function joinLines<Headers extends Values>(headers: Headers, lines: Lines): Headers {
  const repeated = Object.entries(lines).filter(([, values = []]) => values.length > 1);
  if (repeated.length === 0) return headers;
  return {
    ...headers,
    ...Object.fromEntries(repeated.map(([name, values]) => [name, [...new Set(values)].join(', ')])),
  };
}

function isEmpty(lines: Lines): boolean {
  for (const _name in lines) return false;
  return true;
}

function areLowerCase(headers: Values): boolean {
  for (const name in headers) if (name !== name.toLowerCase()) return false;
  return true;
}

/**
 * Converts the names of an event's headers to lower case, and joins the lines of repeated headers, whose names may
 * differ in case. The test function of API Gateway's console sends null for no headers; they become an empty object.
 */
export function requestHeaders(): MiddlewareObj<APIGatewayProxyEvent> {
  const { before: toLowerCase } = normalizeHeaders();
  return {
    before: (request) => {
      const { event } = request;
      event.headers ??= {};
      const lines = event.multiValueHeaders ?? {};
      // Nothing to do, as for nearly every event of the embedded host.
      if (isEmpty(lines) && areLowerCase(event.headers)) return;
      for (const names of Map.groupBy(Object.keys(lines), (name) => name.toLowerCase()).values()) {
        if (names.length === 1) continue;
        const all = names.flatMap((name) => lines[name] ?? []);
        for (const name of names) lines[name] = all;
      }
      event.headers = joinLines(event.headers, lines);
      toLowerCase?.(request as never);
    },
  };
}
