import { createHash } from 'node:crypto';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import { type Fault, validationFailed } from '../../../lib/api/problems.ts';
import { type OperationId, type Route, type Routes, takesKey } from '../../../lib/api/routes.ts';
import { idempotencyKey } from '../../../lib/api/schemas.ts';
import type { IdempotencyKey } from '../../../lib/ledger/ledger.ts';
import type { CurrentHolder } from '../../../lib/model/holder.ts';
import type { AdmittedEvent } from './admission.ts';
import { canonicalJson } from './canonical-json.ts';
import { idempotencyScope } from './idempotency-scope.ts';
import { withoutSenders } from './ignored-sender.ts';
import { requestIdOf } from './request-id.ts';

type Parsed<Id extends OperationId, Part extends string> =
  Routes[Id] extends Record<Part, infer Schema extends () => z.ZodMiniType> ? z.output<ReturnType<Schema>> : undefined;

/** A valid request. */
export interface ApiRequest<Id extends OperationId> {
  params: Parsed<Id, 'params'>;
  query: Parsed<Id, 'query'>;
  body: Parsed<Id, 'body'>;
  /** The Idempotency-Key of a POST that has one. */
  key: IdempotencyKey | undefined;
  /** The holder of the access token; undefined if the request has the application's own token. */
  holder: CurrentHolder | undefined;
  /** The bearer token of a request for `self`; undefined when the path has the application's token. */
  bearer: string | undefined;
  /** The headers of the request, by their names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Stored with the writes of the request, so that logs can be searched for it. */
  requestId: string;
  /** Returns the URL of the list's page at the cursor: a query string, relative to the URL of the request. */
  pageAt: (cursor: string) => string;
}

/** The proxy event after validation. */
export type ApiEvent<Id extends OperationId> = AdmittedEvent & { request: ApiRequest<Id> };

const jsonPointer = (path: PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Returns the different lines of `Idempotency-Key`; undefined if there is none. */
function keyLines({ headers, multiValueHeaders }: APIGatewayProxyEvent): string[] | undefined {
  const one = headers['idempotency-key'];
  return one === undefined ? undefined : [...new Set(multiValueHeaders?.['idempotency-key'] ?? [one])];
}

/** Returns the parameters of the query: the last value of each, or all values of those that may occur several times. */
function queryOf(
  { queryStringParameters, multiValueQueryStringParameters }: APIGatewayProxyEvent,
  route: Route,
): object {
  const query: Record<string, unknown> = { ...queryStringParameters };
  for (const name of route.repeated ?? []) {
    const last = queryStringParameters?.[name];
    if (last !== undefined) query[name] = multiValueQueryStringParameters?.[name] ?? [last];
  }
  return query;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * Parses the parts of a request with the route's schemas. A request that is not valid is refused with all its faults at
 * once.
 */
export function validation(
  id: OperationId,
  route: Route,
  adminKey: string | undefined,
): MiddlewareObj<APIGatewayProxyEvent> {
  const schemas = { params: route.params?.(), query: route.query?.(), body: route.body?.() };
  const keySchema = takesKey(route) ? idempotencyKey() : undefined;
  const filters = Object.keys(schemas.query?.shape ?? {}).filter((parameter) => parameter !== 'cursor');
  const scope = idempotencyScope(route, adminKey);
  return {
    before: ({ event, context }) => {
      const faults: Fault[] = [];
      const parse = (schema: z.ZodMiniType | undefined, value: unknown, pointer: (path: PropertyKey[]) => string) => {
        const result = schema?.safeParse(value);
        for (const issue of result?.error?.issues ?? [])
          faults.push({ pointer: pointer(issue.path), detail: issue.message });
        return result?.data;
      };
      const name = (path: PropertyKey[]) => String(path[0]);
      const params = parse(schemas.params, event.pathParameters ?? {}, name);
      const query = parse(schemas.query, queryOf(event, route), name);
      const lines = keySchema && keyLines(event);
      const keys = lines && new Set(lines.map((line) => parse(keySchema, line, () => 'Idempotency-Key')));
      const [key] = keys ?? [];
      const keyFault = keys && keys.size > 1 ? 'must have one value' : typeof key === 'string' && scope.faultOf(key);
      if (keyFault) faults.push({ pointer: 'Idempotency-Key', detail: keyFault });
      const { caller } = event as AdmittedEvent;
      const holder = caller?.holder;
      const content = holder && route.allows === 'create' ? withoutSenders(event.body) : event.body;
      const body = parse(schemas.body, content, jsonPointer);
      if (faults.length > 0) throw validationFailed(faults);

      const request = {
        params,
        query,
        body,
        key: key && {
          id: sha256(JSON.stringify([id, params, key, ...scope.identityOf(holder)])),
          // The body as it was sent, not as the schema returns it. So unknown members count too, and the payload stays
          // the same when a later release adds a member with a default.
          payload: sha256(canonicalJson(event.body)),
        },
        holder,
        bearer: caller?.bearer,
        headers: event.headers,
        requestId: requestIdOf({ context }),
        pageAt: (cursor: string) => {
          const asked = event.queryStringParameters ?? {};
          const next = new URLSearchParams();
          for (const filter of filters) {
            const value = asked[filter];
            if (value !== undefined) next.append(filter, value);
          }
          next.append('cursor', cursor);
          return `?${next}`;
        },
      };
      Object.assign(event, { request });
    },
  };
}
