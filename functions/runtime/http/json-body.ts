import type { MiddlewareObj } from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Problem } from '../../../lib/api/problems.ts';
import type { Route } from '../../../lib/api/routes.ts';

// API Gateway passes every body in Base64, and the embedded host every body that is not valid UTF-8. So only a body in
// Base64 has to be checked.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses the body of routes that take one; a missing body counts as an empty object. Where the body may be missing,
 * `null` and white space count as missing, because HTTP clients send them when they are given no data.
 */
export function jsonBody(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  // `admission` has checked the content type.
  const { before: parse } = jsonBodyParser({ disableContentTypeCheck: true });
  const isOptional = route.body?.().safeParse({}).success;
  return {
    before: (request) => {
      const { event } = request;
      if (!route.body) return;
      const text = textOf(event);
      if (!text || (isOptional && /^[ \t\r\n]*(?:null[ \t\r\n]*)?$/.test(text))) {
        Object.assign(event, { body: {} });
        return;
      }
      try {
        event.body = text;
        event.isBase64Encoded = false;
        parse?.(request as never);
      } catch (cause) {
        throw malformed(text, cause);
      }
    },
  };
}

/** @throws Problem malformed_json for a body that is not UTF-8 */
function textOf({ body, isBase64Encoded }: APIGatewayProxyEvent): string | null {
  if (!body || !isBase64Encoded) return body;
  try {
    return decoder.decode(Buffer.from(body, 'base64'));
  } catch (cause) {
    throw malformed('', cause);
  }
}

const malformed = (text: string, cause: unknown) =>
  new Problem(
    'malformed_json',
    text.startsWith('\ufeff')
      ? 'The body begins with a byte order mark (U+FEFF). Send the JSON without it.'
      : 'The body is not JSON in UTF-8.',
    { cause },
  );
