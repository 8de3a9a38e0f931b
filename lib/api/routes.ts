import type * as z from 'zod/mini';
import type { Permission } from '../model/holder.ts';
import { AccessTokenInput } from './access-schemas.ts';
import { FeedQuery } from './feed-schemas.ts';
import type { ProblemCode } from './problems.ts';
import * as schemas from './schemas.ts';

/** A service that a handler may need. On AWS a function gets the permissions for the services of its route only. */
export type ServiceName = 'ledger' | 'store' | 'searchIndex' | 'cursors' | 'feed';

/**
 * The response of a successful operation: JSON with a schema in responses.ts; JSON or, for a client that accepts it, a
 * stream; a document, which is the same for every client and served unchanged; or, with status 204, no body.
 */
type SuccessResponse =
  | { status: 200 | 201; document?: never; stream?: never }
  | { status: 200; document?: never; stream: 'text/event-stream' }
  | { status: 200; document: 'application/json' | 'text/html'; stream?: never }
  | { status: 204; document?: never; stream?: never };

/**
 * Which access tokens may call a route. The application's own token may call every route below its application.
 *
 * - A permission: the access tokens that have it, in their chats.
 * - `read all`: those that have `read` and are not limited to some chats.
 * - `application token only`: none.
 * - `no token`: the route is not below an application.
 */
export type Allows = Permission | 'read all' | 'application token only' | 'no token';

export interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** A second method that does the same. */
  alias?: 'PUT';
  /** The path, relative to the base path. */
  path: string;
  /** The base path itself leads to the route too, with and without a slash at its end. OpenAPI lists only `path`. */
  alsoAtRoot?: true;
  summary: string;
  /** The group of the route on the docs page. */
  tag: 'applications' | 'access' | 'chats' | 'messages' | 'changes' | 'search' | 'service';
  params?: () => z.ZodMiniObject;
  query?: () => z.ZodMiniObject;
  /** The parameters of the query that may occur several times. Their schemas take arrays. */
  repeated?: readonly string[];
  /** The query may have the access token (`access_token`). */
  tokenInQuery?: true;
  body?: () => z.ZodMiniObject;
  response: SuccessResponse;
  /** The route's own problems, without those that all routes share. */
  problems: ProblemCode[];
  /** The services that the handler uses. */
  needs: ServiceName[];
  /** Which access tokens may call it. */
  allows: Allows;
  /**
   * What the route does with the ledger, if that does not follow from its method: it reads, or ends access tokens.
   * Such a route accepts no write.
   */
  ledger?: 'read' | 'end access tokens';
  /** Requires the admin key, in a deployment that has one. */
  admin?: true;
  /** The response is a single resource or document. It has an ETag, and is 304 when the client already has it. */
  etag?: true;
}

const application = '/applications/{token}';
const accessTokens = `${application}/access-tokens`;
const chats = `${application}/chats`;
const chat = `${chats}/{chat_number}`;
const messages = `${chat}/messages`;
const message = `${messages}/{message_number}`;

const applicationProblems = ['application_not_found'] as const;
const chatProblems = ['application_not_found', 'chat_not_found'] as const;
const messageProblems = [...chatProblems, 'message_not_found'] as const;
const idempotencyProblems = ['idempotency_key_reused', 'idempotency_in_flight'] as const;

/**
 * The one table of routes. The HTTP stack, the hosts of both engines, the OpenAPI document and the tests are built from
 * it. A key is the id of an operation and, in kebab case, the name of its file in functions/api.
 */
export const routes = {
  createApplication: {
    method: 'POST',
    path: '/applications',
    summary: 'Create an application',
    tag: 'applications',
    body: schemas.ApplicationInput,
    response: { status: 201 },
    problems: [...idempotencyProblems],
    needs: ['ledger'],
    allows: 'no token',
    admin: true,
  },
  listApplications: {
    method: 'GET',
    path: '/applications',
    summary: 'List applications in the order of their creation',
    tag: 'applications',
    query: schemas.PageQuery,
    response: { status: 200 },
    problems: [],
    needs: ['store', 'cursors'],
    allows: 'no token',
    admin: true,
  },
  getApplication: {
    method: 'GET',
    path: application,
    summary: 'Read an application',
    tag: 'applications',
    params: schemas.ApplicationPath,
    response: { status: 200 },
    problems: [...applicationProblems],
    needs: ['store', 'ledger'],
    allows: 'read',
    etag: true,
  },
  editApplication: {
    method: 'PATCH',
    alias: 'PUT',
    path: application,
    summary: 'Rename an application',
    tag: 'applications',
    params: schemas.ApplicationPath,
    body: schemas.ApplicationInput,
    response: { status: 200 },
    problems: [...applicationProblems],
    needs: ['ledger'],
    allows: 'application token only',
  },
  deleteApplication: {
    method: 'DELETE',
    path: application,
    summary: 'Delete an application with all its chats and messages',
    tag: 'applications',
    params: schemas.ApplicationPath,
    response: { status: 204 },
    problems: [...applicationProblems],
    needs: ['ledger'],
    allows: 'application token only',
  },
  createAccessToken: {
    method: 'POST',
    path: accessTokens,
    summary: 'Create an access token: a limited, short-lived credential for a browser or an app',
    tag: 'access',
    params: schemas.ApplicationPath,
    body: AccessTokenInput,
    response: { status: 201 },
    problems: [...applicationProblems],
    needs: ['ledger'],
    allows: 'application token only',
    ledger: 'read',
  },
  endAccessTokens: {
    method: 'DELETE',
    path: accessTokens,
    summary: 'End all access tokens of an application that were created until now',
    tag: 'access',
    params: schemas.ApplicationPath,
    response: { status: 204 },
    problems: [...applicationProblems],
    needs: ['ledger'],
    allows: 'application token only',
    ledger: 'end access tokens',
  },
  createChat: {
    method: 'POST',
    path: chats,
    summary: 'Create a chat with the next number of its application',
    tag: 'chats',
    params: schemas.ApplicationPath,
    body: schemas.ChatInput,
    response: { status: 201 },
    problems: [...applicationProblems, ...idempotencyProblems],
    needs: ['ledger'],
    allows: 'application token only',
  },
  listChats: {
    method: 'GET',
    path: chats,
    summary: 'List the chats of an application in the order of their numbers',
    tag: 'chats',
    params: schemas.ApplicationPath,
    query: schemas.NumberedPageQuery,
    response: { status: 200 },
    problems: [...applicationProblems],
    needs: ['store', 'ledger', 'cursors'],
    allows: 'read',
  },
  getChat: {
    method: 'GET',
    path: chat,
    summary: 'Read a chat',
    tag: 'chats',
    params: schemas.ChatPath,
    response: { status: 200 },
    problems: [...chatProblems],
    needs: ['store', 'ledger'],
    allows: 'read',
    etag: true,
  },
  editChat: {
    method: 'PATCH',
    alias: 'PUT',
    path: chat,
    summary: 'Replace the name, the metadata or both of a chat; null removes the name',
    tag: 'chats',
    params: schemas.ChatPath,
    body: schemas.ChatEdit,
    response: { status: 200 },
    problems: [...chatProblems],
    needs: ['ledger'],
    allows: 'application token only',
  },
  deleteChat: {
    method: 'DELETE',
    path: chat,
    summary: 'Delete a chat with all its messages',
    tag: 'chats',
    params: schemas.ChatPath,
    response: { status: 204 },
    problems: [...chatProblems],
    needs: ['ledger'],
    allows: 'application token only',
  },
  createMessage: {
    method: 'POST',
    path: messages,
    summary: 'Create a message with the next number of its chat',
    tag: 'messages',
    params: schemas.ChatPath,
    body: schemas.MessageInput,
    response: { status: 201 },
    problems: [...chatProblems, ...idempotencyProblems],
    needs: ['ledger'],
    allows: 'create',
  },
  createMessages: {
    method: 'POST',
    path: `${messages}/batch`,
    summary: 'Create several messages with consecutive numbers: all of them or none',
    tag: 'messages',
    params: schemas.ChatPath,
    body: schemas.MessagesInput,
    response: { status: 201 },
    problems: [...chatProblems, ...idempotencyProblems],
    needs: ['ledger'],
    allows: 'create',
  },
  listMessages: {
    method: 'GET',
    path: messages,
    summary: 'List the messages of a chat in the order of their numbers',
    tag: 'messages',
    params: schemas.ChatPath,
    query: schemas.NumberedPageQuery,
    response: { status: 200 },
    problems: [...chatProblems],
    needs: ['store', 'ledger', 'cursors'],
    allows: 'read',
  },
  listChatChanges: {
    method: 'GET',
    path: `${chat}/changes`,
    summary: 'List what changed in a chat since a version, so that a client that polls misses nothing',
    tag: 'changes',
    params: schemas.ChatPath,
    query: schemas.ChangesQuery,
    response: { status: 200 },
    problems: [...chatProblems],
    needs: ['store', 'ledger', 'cursors'],
    allows: 'read',
  },
  listApplicationChanges: {
    method: 'GET',
    path: `${application}/changes`,
    summary: 'List which chats of an application changed since a version',
    tag: 'changes',
    params: schemas.ApplicationPath,
    query: schemas.ChangesQuery,
    response: { status: 200 },
    problems: [...applicationProblems],
    needs: ['store', 'ledger', 'cursors'],
    allows: 'read all',
  },
  searchChat: {
    method: 'GET',
    path: `${messages}/search`,
    summary: 'Search the messages of a chat by any part of their text, newest first',
    tag: 'search',
    params: schemas.ChatPath,
    query: schemas.SearchQuery,
    response: { status: 200 },
    problems: [...chatProblems],
    needs: ['store', 'ledger', 'searchIndex', 'cursors'],
    allows: 'read',
  },
  getMessage: {
    method: 'GET',
    path: message,
    summary: 'Read a message',
    tag: 'messages',
    params: schemas.MessagePath,
    response: { status: 200 },
    problems: [...messageProblems, 'message_pending'],
    needs: ['store', 'ledger'],
    allows: 'read',
    etag: true,
  },
  editMessage: {
    method: 'PATCH',
    alias: 'PUT',
    path: message,
    summary: 'Replace the body, the metadata or both of a message; for each, the last accepted edit wins',
    tag: 'messages',
    params: schemas.MessagePath,
    body: schemas.MessageEdit,
    response: { status: 200 },
    problems: [...messageProblems, 'message_pending'],
    needs: ['store', 'ledger'],
    allows: 'edit',
  },
  deleteMessage: {
    method: 'DELETE',
    path: message,
    summary: 'Delete a message; its number is never used again',
    tag: 'messages',
    params: schemas.MessagePath,
    response: { status: 204 },
    problems: [...messageProblems, 'message_pending'],
    needs: ['store', 'ledger'],
    allows: 'edit',
  },
  searchApplication: {
    method: 'GET',
    path: `${application}/search`,
    summary: 'Search the messages of all chats of an application by any part of their text, newest first',
    tag: 'search',
    params: schemas.ApplicationPath,
    query: schemas.SearchQuery,
    response: { status: 200 },
    problems: [...applicationProblems],
    needs: ['store', 'ledger', 'searchIndex', 'cursors'],
    allows: 'read all',
  },
  getFeed: {
    method: 'GET',
    path: `${application}/feed`,
    summary: 'List the ways to follow changes live, or follow them as server-sent events',
    tag: 'changes',
    params: schemas.ApplicationPath,
    query: FeedQuery,
    repeated: ['chat'],
    tokenInQuery: true,
    response: { status: 200, stream: 'text/event-stream' },
    problems: [...chatProblems, 'not_acceptable'],
    needs: ['ledger', 'feed'],
    allows: 'read',
  },
  getHealth: {
    method: 'GET',
    path: '/health',
    summary: 'Check that the API is running; its dependencies are not checked',
    tag: 'service',
    response: { status: 200 },
    problems: [],
    needs: [],
    allows: 'no token',
  },
  getOpenapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'The OpenAPI document of this API',
    tag: 'service',
    response: { status: 200, document: 'application/json' },
    problems: [],
    needs: [],
    allows: 'no token',
    etag: true,
  },
  getDocs: {
    method: 'GET',
    path: '/docs',
    alsoAtRoot: true,
    summary: 'A page for reading the OpenAPI document and trying the API',
    tag: 'service',
    response: { status: 200, document: 'text/html' },
    problems: [],
    needs: [],
    allows: 'no token',
    etag: true,
  },
  getConsole: {
    method: 'GET',
    path: '/console',
    summary: 'A page for looking at applications, chats and messages, live',
    tag: 'service',
    response: { status: 200, document: 'text/html' },
    problems: [],
    needs: ['feed'],
    allows: 'no token',
    etag: true,
  },
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type OperationId = keyof Routes;

type OperationWith<Response> = {
  [Id in OperationId]: Routes[Id]['response'] extends Response ? Id : never;
}[OperationId];
/** The operations that serve a document. */
export type DocumentOperation = OperationWith<{ document: string }>;
/** The operations that return JSON, or a stream to a client that accepts one. */
export type StreamOperation = OperationWith<{ stream: string }>;
/** The operations whose response has no body. */
export type EmptyOperation = OperationWith<{ status: 204 }>;
/** All other operations: they return JSON, with a schema in responses.ts. */
export type JsonOperation = Exclude<OperationId, DocumentOperation | EmptyOperation>;

/** Returns the paths of a route, relative to the base path. `/` stands for the base path itself. */
export const pathsOf = ({ path, alsoAtRoot }: Route): string[] => (alsoAtRoot ? [path, '/'] : [path]);

/** Returns the methods of a route, HEAD included. */
export const methodsOf = ({ method, alias }: Route): string[] => [
  method,
  ...(alias ? [alias] : []),
  ...(method === 'GET' ? ['HEAD'] : []),
];

/**
 * Returns whether the route is below an application. Its path then takes `self` in the place of the application's token,
 * with a bearer token in a header.
 */
export const takesSelf = ({ allows }: Route): boolean => allows !== 'no token';

/** A route that changes nothing in the ledger. */
export type ReadingRoute = { method: 'GET' } | { ledger: 'read' };

/** Returns whether the route changes nothing in the ledger. */
export const readsOnly = ({ method, ledger }: Route): boolean => method === 'GET' || ledger === 'read';

/** Returns whether the route accepts writes, which the workers store. */
export const acceptsWrites = ({ method, ledger }: Route): boolean => method !== 'GET' && ledger === undefined;

/** Returns whether the route evaluates an Idempotency-Key. */
export const takesKey = (route: Route): boolean => route.method === 'POST' && acceptsWrites(route);

/** Returns the name of an operation's file without its extension: `createMessage` is in `create-message`. */
export const operationFile = (id: OperationId): string => id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
