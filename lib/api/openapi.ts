import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { limits } from '../limits.ts';
import { descriptions } from './descriptions.ts';
import { documentOf } from './documents.ts';
import { type ProblemCode, problems } from './problems.ts';
import { ProblemDocument, responseSchemas } from './responses.ts';
import { type JsonOperation, type OperationId, type Route, routes, takesKey, takesSelf } from './routes.ts';
import { documented } from './schema-parts.ts';
import { idempotencyKey } from './schemas.ts';

const json = (schema: z.core.$ZodType) => ({ 'application/json': { schema } });
const requestId = z
  .string()
  .meta({ description: 'Identifies this request in problems and logs.', header: { id: 'RequestId' } });
const text = (description: string) => z.string().meta({ description });

/** Returns the problems of a route: its own, and those that all routes of its kind have. */
function problemsOf(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = [...route.problems, 'malformed_request', 'headers_too_large', 'request_timeout'];
  if (takesSelf(route))
    codes.push('access_token_required', 'access_token_invalid', 'access_token_expired', 'not_allowed');
  if (route.admin) codes.push('admin_key_required', 'not_allowed');
  if (route.body) codes.push('malformed_json', 'unsupported_media_type', 'payload_too_large');
  if (route.params || route.query || route.body) codes.push('validation_failed');
  return [...codes, 'too_many_requests', 'internal_error', 'unavailable'];
}

/** Returns the headers of a route's successful response. */
function headersOf(route: Route): z.ZodObject {
  return z.object({
    'x-request-id': requestId,
    ...(takesKey(route) && !route.path.endsWith('/batch')
      ? { Location: text('The URL of the new resource, relative to the URL of the request.') }
      : {}),
    ...(route.etag ? { ETag: text('A weak ETag of the response, for `If-None-Match`.') } : {}),
    ...(route.query && route.tag !== 'changes'
      ? { Link: text('The URL of the next page, with `rel="next"`, relative to the URL of the request.').optional() }
      : {}),
  });
}

const streamExample = `retry: 1000
id: 2-17

event: changes
data: {"chat_number":2,"change":18,"data":[{"change":18,"type":"message.created","message":{"number":9,"sender":"user-17","body":"Hello, world","metadata":{},"created_at":"2026-11-21T09:30:00.123Z","updated_at":"2026-11-21T09:30:00.123Z"}}]}
id: 2-18

event: heartbeat
data: {"changes":{"2":18}}

`;

/** Returns the OpenAPI content of a route's successful response; undefined when it has no body. */
function responseContentOf(id: OperationId, { response }: Route): ZodOpenApiResponseObject['content'] {
  if (response.document === 'text/html') return { 'text/html': { schema: z.string() } };
  if (response.document === 'application/json') return json(z.looseObject({}));
  // A 204 has no content. Every remaining operation returns JSON.
  if (response.status === 204) return undefined;
  return {
    ...json(responseSchemas[id as JsonOperation]),
    ...(response.stream && { [response.stream]: { schema: z.string(), example: streamExample } }),
  };
}

function responsesOf(id: OperationId, route: Route): ZodOpenApiOperationObject['responses'] {
  const { status } = route.response;
  const content = responseContentOf(id, route);
  const byStatus = Map.groupBy(new Set(problemsOf(route)), (code) => problems[code].status);
  return {
    [`${status}`]: { description: route.summary, headers: headersOf(route), ...(content && { content }) },
    ...(route.etag && { '304': { description: 'Not modified: the client already has this response' } }),
    ...Object.fromEntries(
      [...byStatus]
        .sort(([a], [b]) => a - b)
        .map(([problemStatus, codes]) => [`${problemStatus}`, problemResponse(codes)]),
    ),
  };
}

const problemResponses = new Map<string, ZodOpenApiResponseObject>();

/** Returns the response for any of these problems. Operations with the same problems share it. */
function problemResponse(codes: ProblemCode[]): ZodOpenApiResponseObject {
  const sorted = codes.toSorted();
  const id = sorted.join('.or.');
  const known = problemResponses.get(id);
  if (known) return known;
  const response = {
    id,
    description: sorted.map((code) => `\`${code}\`: ${problems[code].title}`).join('\n\n'),
    headers: problemHeadersOf(sorted),
    content: { 'application/problem+json': { schema: ProblemDocument } },
  };
  problemResponses.set(id, response);
  return response;
}

/** Temporary problems. Their responses have `Retry-After`. */
const temporaryProblems: ProblemCode[] = [
  'message_pending',
  'idempotency_in_flight',
  'too_many_requests',
  'unavailable',
];

const problemHeadersOf = (codes: ProblemCode[]): z.ZodObject =>
  z.object({
    'x-request-id': requestId,
    ...(codes.some((code) => code.startsWith('access_token_')) && {
      'WWW-Authenticate': text('How to authenticate: `Bearer` (RFC 6750).').optional(),
    }),
    ...(codes.some((code) => temporaryProblems.includes(code)) && {
      'Retry-After': text('Seconds to wait before a retry.').optional(),
    }),
  });

/**
 * Returns the documented Idempotency-Key of a request that creates an application. Its schema is that of every other
 * Idempotency-Key. The stricter rule is only in its description, because it applies only to deployments without an admin
 * key.
 */
function applicationIdempotencyKey(): z.core.$ZodType {
  const { description, ...facts } = z.globalRegistry.get(idempotencyKey()) ?? {};
  const { length, characters } = limits.unguessableKey;
  const scope = `Each admin key has its own Idempotency-Keys. In a deployment without an admin key, an Idempotency-Key must be hard to guess, such as a UUID: at least ${length} characters, ${characters} of them different.`;
  return documented(idempotencyKey().clone(), { ...facts, description: `${description} ${scope}` });
}

function requestHeadersOf(route: Route): z.ZodObject | undefined {
  if (takesKey(route))
    return z.object({ 'Idempotency-Key': z.optional(route.admin ? applicationIdempotencyKey() : idempotencyKey()) });
  if (route.response.stream)
    return z.object({
      'Last-Event-ID': text(
        'For a stream: the id of the last event that the client got. The stream continues exactly after it, whatever versions the query names.',
      ).optional(),
    });
  if (route.etag)
    return z.object({ 'If-None-Match': text('The ETag of the response that the client already has.').optional() });
  return undefined;
}

/**
 * Returns the ways to authenticate for a route. `{}` means that no header is needed: the path has the application's
 * token, or the deployment has no admin key.
 */
function securityOf(route: Route): Pick<ZodOpenApiOperationObject, 'security'> {
  if (route.admin) return { security: [{ adminKey: [] }, {}] };
  if (!takesSelf(route)) return {};
  const refusesAccessTokens = route.allows === 'application token only';
  return { security: [{}, { applicationToken: [] }, ...(refusesAccessTokens ? [] : [{ accessToken: [] }])] };
}

/** Returns the description of an operation, with what an access token needs for it. */
function descriptionOf(id: OperationId, { allows }: Route): string {
  const needs =
    allows === 'application token only'
      ? 'No access token allows it.'
      : `An access token needs ${allows === 'read all' ? '`read`, and no `chats`' : `\`${allows}\``}.`;
  return allows === 'no token' ? descriptions[id] : `${descriptions[id]}\n\n${needs}`;
}

function operationOf(id: OperationId, route: Route): ZodOpenApiOperationObject {
  const header = requestHeadersOf(route);
  // An absent body counts as {}, so a body is required only where {} is not valid.
  const required = route.body ? !route.body().safeParse({}).success : false;
  return {
    operationId: id,
    summary: route.summary,
    description: descriptionOf(id, route),
    tags: [route.tag],
    requestParams: {
      ...(route.params && { path: route.params() }),
      ...(route.query && { query: route.query() }),
      ...(header && { header }),
    },
    ...(route.body && { requestBody: { required, content: json(route.body()) } }),
    ...securityOf(route),
    responses: responsesOf(id, route),
  };
}

const description = `A chat backend. Each application is identified by a secret token. Chats are numbered from 1 in each
application, and messages from 1 in each chat. The response to a create is sent as soon as the number is assigned and
the write is durable. Reads, lists and searches show the write within seconds.

Every path takes \`self\` in the place of the application's token. The header \`Authorization: Bearer …\` then has the
token, or an access token: a limited credential for a browser or an app, which your server requests with one call. With
an application's token in the path, \`Authorization\` is not evaluated.

Every response has the header \`x-request-id\`. Problems are \`application/problem+json\` (RFC 9457) and have a \`code\`.
HEAD is GET without the body, and PUT is the same as PATCH. Unknown members of a request are ignored. Later versions may
add problems, and members of responses: ignore members that you do not know. When a member occurs
twice, the last one counts. A request body may have at most ${limits.bodyValues} object members and array items in total,
over all depths.

URLs in \`Location\` and \`Link\` are relative to the URL of the request. A path that ends with a slash is another path, and
has no route. Responses of 1,000 bytes and more are compressed for clients that accept gzip; requests must not be
compressed. Pages of any origin may call the API with any header, in the credentials mode \`same-origin\` or \`omit\`.`;

/** Returns the operation id of a route's second method: `editChat` with PUT is `editChatByPut`. */
const aliasId = (id: OperationId, alias: 'PUT'): string => `${id}By${alias.charAt(0)}${alias.slice(1).toLowerCase()}`;

/** Builds the OpenAPI 3.1 document of the API from the route table. It takes about 20 ms. */
export function openapiDocument(): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [id, route] of Object.entries(routes) as [OperationId, Route][]) {
    const operation = operationOf(id, route);
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation,
      // Operation ids are unique, and generators of clients name a function after each.
      ...(route.alias && { [route.alias.toLowerCase()]: { ...operation, operationId: aliasId(id, route.alias) } }),
    };
  }
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: { title: 'chat-system', version: '1', description, license: { name: 'MIT', identifier: 'MIT' } },
    // Relative to the document's own URL, so it is correct with any path prefix of a proxy or gateway.
    servers: [{ url: '.' }],
    paths,
    components: {
      securitySchemes: {
        adminKey: {
          type: 'apiKey',
          in: 'header',
          name: 'x-api-key',
          description: 'Required when the deployment has an admin key.',
        },
        applicationToken: {
          type: 'http',
          scheme: 'bearer',
          description:
            "The application's token, for paths with `self`. It allows everything, so it belongs on a server.",
        },
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'opaque',
          description: 'An access token, for paths with `self`. It may be given to a browser or an app.',
        },
      },
    },
  };
  return createDocument(document, {
    // Schemas of responses are open, so that a client that validates them also accepts members that are added later.
    override: ({ jsonSchema, io }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
}

/** The OpenAPI document as it is served. */
export const openapiJson = documentOf(async () => ({
  contentType: 'application/json',
  text: JSON.stringify(openapiDocument()),
}));
