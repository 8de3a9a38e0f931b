import type { MiddlewareObj } from '@middy/core';
import jsonBodyParser from '@middy/http-json-body-parser';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Problem } from '../../../lib/api/problems.ts';
import type { Route } from '../../../lib/api/routes.ts';

// An event has its body in Base64 when it is not plain UTF-8 text. Only then can the encoding be invalid.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses the body of routes that take one; a missing body counts as an empty object. */
export function jsonBody(route: Route): MiddlewareObj<APIGatewayProxyEvent> {
  // `admission` has checked the content type.
  const { before: parse } = jsonBodyParser({ disableContentTypeCheck: true });
  return {
    before: async (request) => {
      const { event } = request;
      if (!route.body) return;
      if (!event.body) {
        Object.assign(event, { body: {} });
        return;
      }
      try {
        if (event.isBase64Encoded) {
          event.body = decoder.decode(Buffer.from(event.body, 'base64'));
          event.isBase64Encoded = false;
        }
        await parse?.(request as never);
      } catch (cause) {
        throw new Problem('malformed_json', 'The body is not JSON in UTF-8.', { cause });
      }
    },
  };
}
