import * as z from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from 'zod-openapi';
import { limits } from '../limits.ts';
import { answers, ProblemDocument } from './answers.ts';
import { documentOf } from './documents.ts';
import { type ProblemCode, problems } from './problems.ts';
import { type JsonOperation, type OperationId, type Route, routes } from './routes.ts';
import { documented } from './schema-parts.ts';
import { idempotencyKey } from './schemas.ts';

const json = (schema: z.core.$ZodType) => ({ 'application/json': { schema } });
const requestId = z.string().meta({ description: 'Names this request in problems and logs.' });
const text = (description: string) => z.string().meta({ description });

/** Problems of the whole class of route, besides its own. */
function problemsOf(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = [...route.problems, 'malformed_request', 'headers_too_large', 'request_timeout'];
  if (route.admin) codes.push('admin_key_required', 'not_allowed');
  if (route.body) codes.push('malformed_json', 'unsupported_media_type', 'payload_too_large');
  if (route.params || route.query || route.body) codes.push('validation_failed');
  return [...codes, 'too_many_requests', 'internal_error', 'unavailable'];
}

/** Headers of the answers beyond those that all have. */
function headersOf(route: Route): z.ZodObject {
  return z.object({
    'x-request-id': requestId,
    ...(route.answer.status === 201 && route.method === 'POST' && !route.path.endsWith('/batch')
      ? { Location: text('Where the new resource is, relative to the URL of the request.') }
      : {}),
    ...(route.etag ? { ETag: text('A weak hash of the answer, for If-None-Match.') } : {}),
    ...(route.query
      ? { Link: text('The next page, as rel="next", relative to the URL of the request.').optional() }
      : {}),
  });
}

/** The documented content of a successful answer; undefined where it has no body. */
function contentOf(id: OperationId, { answer }: Route): ZodOpenApiResponseObject['content'] {
  if (answer.document === 'text/html') return { 'text/html': { schema: z.string() } };
  if (answer.document === 'application/json') return json(z.looseObject({}));
  // Every operation that is left answers with JSON.
  return answer.status === 204 ? undefined : json(answers[id as JsonOperation]);
}

function responsesOf(id: OperationId, route: Route): ZodOpenApiOperationObject['responses'] {
  const { status } = route.answer;
  const content = contentOf(id, route);
  const byStatus = Map.groupBy(problemsOf(route), (code) => problems[code].status);
  return {
    [`${status}`]: { description: route.summary, headers: headersOf(route), ...(content && { content }) },
    ...(route.etag && { '304': { description: 'The client has this answer already' } }),
    ...Object.fromEntries(
      [...byStatus]
        .sort(([a], [b]) => a - b)
        .map(([problemStatus, codes]) => [
          `${problemStatus}`,
          {
            description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join('\n\n'),
            headers: problemHeaders(codes),
            content: { 'application/problem+json': { schema: ProblemDocument } },
          },
        ]),
    ),
  };
}

/** Problems that pass by themselves say when to come back. */
const passing: ProblemCode[] = ['message_pending', 'idempotency_in_flight', 'too_many_requests', 'unavailable'];

const problemHeaders = (codes: ProblemCode[]): z.ZodObject =>
  z.object({
    'x-request-id': requestId,
    ...(codes.some((code) => passing.includes(code)) && {
      'Retry-After': text('Seconds after which to try again.').optional(),
    }),
  });

/** The key of a create of an application; its schema is that of every key, because a deployment may have an admin key. */
function registryKey(): z.core.$ZodType {
  const { description, ...facts } = z.globalRegistry.get(idempotencyKey()) ?? {};
  const { length, characters } = limits.unguessableKey;
  const scope = `Belongs to the holder of the admin key. Where no admin key is set, it must be hard to guess, such as a UUID: at least ${length} characters, ${characters} of them different.`;
  return documented(idempotencyKey().clone(), { ...facts, description: `${description} ${scope}` });
}

function requestHeadersOf(route: Route): z.ZodObject | undefined {
  if (route.method === 'POST')
    return z.object({ 'Idempotency-Key': z.optional(route.admin ? registryKey() : idempotencyKey()) });
  if (route.etag) return z.object({ 'If-None-Match': text('The ETag of the answer the client has.').optional() });
  return undefined;
}

function operationOf(id: OperationId, route: Route): ZodOpenApiOperationObject {
  const header = requestHeadersOf(route);
  // An absent body counts as {}, so it is required where {} would not do.
  const required = route.body ? !route.body().safeParse({}).success : false;
  return {
    operationId: id,
    summary: route.summary,
    tags: [route.tag],
    requestParams: {
      ...(route.params && { path: route.params() }),
      ...(route.query && { query: route.query() }),
      ...(header && { header }),
    },
    ...(route.body && { requestBody: { required, content: json(route.body()) } }),
    ...(route.admin && { security: [{ adminKey: [] }, {}] }),
    responses: responsesOf(id, route),
  };
}

const description = `A chat backend. Applications get a token; chats are numbered from 1 in each application, messages
from 1 in each chat. A create is answered as soon as its number is taken and the write is durable; reads, lists and
search follow within seconds.

Every answer carries \`x-request-id\`. Problems are \`application/problem+json\` (RFC 9457) and have a \`code\`. HEAD is GET
without the body; PUT does the same as PATCH. Unknown members of a request are ignored, and of a member that comes twice
the last one counts. A request body has at most ${limits.bodyValues} members and items in all, at all depths.

References in \`Location\` and \`Link\` are relative to the URL of the request.`;

/** Makes the OpenAPI 3.1 document of the API from the route table; that takes some 20 ms. */
export function openapiDocument(): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [id, route] of Object.entries(routes) as [OperationId, Route][]) {
    const operation = operationOf(id, route);
    // Operation ids are unique, and the id is the PATCH's.
    const { operationId: _, ...sameByAlias } = operation;
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation,
      ...(route.alias && { [route.alias.toLowerCase()]: sameByAlias }),
    };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'chat-system', version: '1', description, license: { name: 'MIT', identifier: 'MIT' } },
    // Relative to the document's own URL, so it holds behind any prefix of a proxy or gateway.
    servers: [{ url: '.' }],
    paths,
    components: {
      securitySchemes: {
        adminKey: {
          type: 'apiKey',
          in: 'header',
          name: 'x-api-key',
          description: 'Asked for where the deployment has an admin key.',
        },
      },
    },
  });
}

/** The document as clients get it. */
export const openapiJson = documentOf(async () => ({
  contentType: 'application/json',
  text: JSON.stringify(openapiDocument()),
}));
