import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';

type Values = Readonly<Record<string, string | string[] | undefined>>;
type Lines = Readonly<Record<string, string[] | undefined>>;

/**
 * Returns the headers with the lines of each repeated one joined by commas (RFC 9110, section 5.3). Equal lines count
 * once. Otherwise Node.js would take the first line of some headers, and API Gateway the last line of all.
 */
export function joinLines<Headers extends Values>(headers: Headers, lines: Lines): Headers {
  const repeated = Object.entries(lines).filter(([, values = []]) => values.length > 1);
  if (repeated.length === 0) return headers;
  return {
    ...headers,
    ...Object.fromEntries(repeated.map(([name, values]) => [name, [...new Set(values)].join(', ')])),
  };
}

/** Joins the lines of repeated headers, whose names may differ in case. */
export const headerLines = (): MiddlewareObj<APIGatewayProxyEvent> => ({
  before: async ({ event }) => {
    const byName = Map.groupBy(Object.keys(event.multiValueHeaders ?? {}), (name) => name.toLowerCase());
    for (const names of byName.values()) {
      if (names.length === 1) continue;
      const lines = names.flatMap((name) => event.multiValueHeaders[name] ?? []);
      for (const name of names) event.multiValueHeaders[name] = lines;
    }
    event.headers = joinLines(event.headers, event.multiValueHeaders ?? {});
  },
});
