import * as z from 'zod';
import 'zod-openapi';
import { limits } from '../limits.ts';
import { permissions } from '../model/holder.ts';
import { type ProblemCode, problems } from './problems.ts';
import type { JsonOperation } from './routes.ts';
import { applicationName, chatName, messageBody, messageSender, metadataFacts, token } from './schemas.ts';

// Schemas of responses. They are not in the route table: only the OpenAPI document and the tests use them, so a
// function would build them at each cold start without need.

const timestamp = z.iso.datetime({ precision: 3 }).meta({
  description: 'An RFC 3339 time in UTC, with milliseconds.',
  override: ({ jsonSchema }) => {
    delete jsonSchema.pattern;
  },
  example: '2026-11-21T09:30:00.123Z',
});
const count = (things: string) =>
  z
    .int()
    .min(0)
    .meta({
      description: `The number of ${things} that are not deleted. It is updated every minute by default and every hour at the latest, so it may lack the newest ones.`,
    });
const number = (description: string) => z.int().min(1).meta({ description });
const chatNumber = number('The number of the chat in its application, from 1.');
const messageNumber = number('The number of the message in its chat, from 1.');

const times = { created_at: timestamp, updated_at: timestamp };

export const Application = z
  .object({ token: token(), name: applicationName(), chats_count: count('chats'), ...times })
  .meta({ id: 'Application' });
/** The response to a read, which leaves out what the holder of an access token may not see. */
export const ReadApplication = Application.extend({
  token: z.optional(token()),
  chats_count: count('chats').optional(),
}).meta({
  id: 'ReadApplication',
  description:
    'For an access token, it has no `token` and, if the access token is limited to some chats, no `chats_count`.',
});
/** Has no count, because an edit returns before it reaches the store, and only the store has the count. */
export const EditedApplication = Application.omit({ chats_count: true }).meta({ id: 'EditedApplication' });
const metadata = z.record(z.string(), z.unknown()).meta(metadataFacts);

export const Chat = z
  .object({ number: chatNumber, name: chatName(), metadata, messages_count: count('messages'), ...times })
  .meta({ id: 'Chat' });
/** Has only the members that the edit named, because an edit returns before it reaches the store. */
export const EditedChat = z
  .object({ number: chatNumber, name: z.optional(chatName()), metadata: metadata.optional(), ...times })
  .meta({ id: 'EditedChat' });

export const Message = z
  .object({ number: messageNumber, sender: messageSender(), body: messageBody(), metadata, ...times })
  .meta({ id: 'Message' });
/** Has only the members that the edit named, because an edit returns before it reaches the store. */
export const EditedMessage = z
  .object({
    number: messageNumber,
    body: z.optional(messageBody()),
    metadata: metadata.optional(),
    updated_at: timestamp,
  })
  .meta({ id: 'EditedMessage' });
export const Messages = z.object({ data: z.array(Message) }).meta({ id: 'Messages' });

const next = z.string().nullable().meta({ description: 'The cursor of the next page; null on the last page.' });
export const ApplicationPage = z.object({ data: z.array(Application), next }).meta({ id: 'ApplicationPage' });
export const ChatPage = z.object({ data: z.array(Chat), next }).meta({ id: 'ChatPage' });
export const MessagePage = z
  .object({
    data: z.array(Message),
    next,
    pending: z.array(z.int().min(1)).meta({
      description:
        'Numbers in the range of this page whose messages are accepted but not stored yet. Read them again later.',
    }),
  })
  .meta({ id: 'MessagePage' });

const version = (description: string) => z.int().min(0).meta({ description, example: 21 });
const changes = <Types extends z.ZodType>(data: Types) => ({
  data: z.array(data),
  change: version(
    'The version to pass as `after` next. Without `after`, the current version. It is lower than `after` when the system was restored from a backup: begin again with `after=0`.',
  ),
  more: z.boolean().meta({ description: 'Whether there are more changes.' }),
  cursor: z.string().optional().meta({
    description:
      'Present when the page ends within a version that has more changes than one page holds. Pass it with the same `after` and `limit` to get the rest. A client that has lost it passes `change` as `after`, and gets all changes of that version again.',
  }),
});
const change = <Type extends string, Shape extends z.ZodRawShape>(type: Type, id: string, shape: Shape) =>
  z.object({ change: version('The version of this change.'), type: z.literal(type), ...shape }).meta({ id });
/** Has no count, because a new count does not change the chat's version. */
export const ChatState = Chat.omit({ messages_count: true }).meta({ id: 'ChatState' });
export const MessageChanges = z
  .object(
    changes(
      z.discriminatedUnion('type', [
        change('message.created', 'MessageCreated', { message: Message }),
        change('message.edited', 'MessageEdited', { message: Message }),
        change('message.deleted', 'MessageDeleted', { message: z.object({ number: messageNumber }) }),
      ]),
    ),
  )
  .meta({ id: 'MessageChanges' });
export const ChatChanges = z
  .object(
    changes(
      z.discriminatedUnion('type', [
        change('chat.created', 'ChatCreated', { chat: ChatState }),
        change('chat.edited', 'ChatEdited', { chat: ChatState }),
        change('chat.deleted', 'ChatDeleted', { chat: z.object({ number: chatNumber }) }),
      ]),
    ),
  )
  .meta({ id: 'ChatChanges' });

const highlight = z.string().meta({
  description: 'The body as HTML text: special characters are escaped, and every match is in `<em>`.',
  example: 'H<em>ello, w</em>orld',
});
const totals = {
  total: z
    .int()
    .min(0)
    .meta({ description: `The number of matches, exact up to ${limits.exactTotal}.` }),
  total_is_minimum: z
    .literal(true)
    .optional()
    .meta({ description: `Present when there are more than ${limits.exactTotal} matches.` }),
};
export const ChatMatchPage = z
  .object({ data: z.array(Message.extend({ highlight }).meta({ id: 'ChatMatch' })), next, ...totals })
  .meta({ id: 'ChatMatchPage' });
export const ApplicationMatchPage = z
  .object({
    data: z.array(Message.extend({ chat_number: chatNumber, highlight }).meta({ id: 'ApplicationMatch' })),
    next,
    ...totals,
  })
  .meta({ id: 'ApplicationMatchPage' });

const chats = z
  .array(z.int().min(1))
  .nullable()
  .meta({ description: 'The chats that it is limited to; null for all chats of the application.', example: [1, 7] });
export const AccessToken = z
  .object({
    access_token: z
      .string()
      .max(limits.accessToken.length)
      .regex(/^[A-Za-z0-9_.-]+$/)
      .meta({
        description: 'For the header `Authorization: Bearer …`, with `self` in the place of the token in a path.',
      }),
    sender: messageSender(),
    chats,
    can: z.array(z.enum(permissions)).meta({ description: 'What it allows in its chats.', example: ['read'] }),
    expires_at: timestamp,
  })
  .meta({ id: 'AccessToken' });

const SseTransport = z
  .object({
    type: z.literal('sse'),
    url: z.string().meta({
      description:
        'The URL of the stream, relative to the URL of this response. Request it with `Accept: text/event-stream`, and name in the query what to follow.',
      example: 'feed',
    }),
  })
  .meta({ id: 'SseTransport', description: 'Server-sent events. The embedded engine has them.' });
const AppsyncEventsTransport = z
  .object({
    type: z.literal('appsync-events'),
    url: z.string().meta({ description: 'The WebSocket endpoint.' }),
    http_url: z.string().meta({ description: 'The HTTP endpoint. Its host is the `host` in `authorization`.' }),
    channels: z.object({
      chat: z.string().meta({
        description: 'The channel of a chat, with its number in the place of `{chat_number}`.',
        example: '/chats/3f9c0e/{chat_number}',
      }),
      application: z.string().meta({
        description: "The channel of the list of the application's chats.",
        example: '/applications/3f9c0e',
      }),
    }),
    authorization: z.record(z.string(), z.string()).meta({
      description:
        'The header fields `host` and `Authorization` of the protocol. Send this object unchanged: encoded in the subprotocol `header-…`, and with each subscription.',
    }),
  })
  .meta({ id: 'AppsyncEventsTransport', description: 'The WebSocket protocol of AWS AppSync Events.' });
export const Feed = z
  .object({
    transports: z.array(z.discriminatedUnion('type', [SseTransport, AppsyncEventsTransport])).meta({
      description:
        'The ways to follow changes, the preferred one first. Ignore types that you do not know. Empty in a deployment without the feed: poll the changes then.',
      example: [{ type: 'sse', url: 'feed' }],
    }),
    heartbeat_seconds: z.int().min(1).meta({
      description: 'Seconds between two heartbeats of a stream. Reconnect when none came for twice as long.',
      example: limits.feed.heartbeatSeconds,
    }),
  })
  .meta({ id: 'Feed' });

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

export const ProblemDocument = z
  .object({
    type: z.string().meta({ example: 'urn:chat-system:problem:chat_not_found' }),
    title: z.string().meta({ description: 'What the code means.' }),
    status: z.int().min(400).max(599).meta({ description: 'The HTTP status.' }),
    detail: z.string().meta({ description: 'What is wrong with this request.' }),
    code: z.enum(Object.keys(problems) as ProblemCode[]).meta({
      description: 'The kind of problem, for programs. Later versions may add kinds.',
      example: 'chat_not_found',
    }),
    request_id: z.string().meta({ description: 'The same as `x-request-id`.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description: 'A JSON Pointer into the body, or the name of a parameter or header.',
            example: '/messages/1/body',
          }),
          detail: z.string().meta({ description: 'What is wrong there.' }),
        }),
      )
      .optional()
      .meta({ description: 'The faults of a request that is not valid.' }),
  })
  .meta({ id: 'Problem', description: 'A problem as defined by RFC 9457.' });

/** The schema of the response of each operation that returns JSON. */
export const responseSchemas = {
  createApplication: Application,
  listApplications: ApplicationPage,
  getApplication: ReadApplication,
  editApplication: EditedApplication,
  createAccessToken: AccessToken,
  createChat: Chat,
  listChats: ChatPage,
  getChat: Chat,
  editChat: EditedChat,
  createMessage: Message,
  createMessages: Messages,
  listMessages: MessagePage,
  listChatChanges: MessageChanges,
  listApplicationChanges: ChatChanges,
  searchChat: ChatMatchPage,
  getMessage: Message,
  editMessage: EditedMessage,
  searchApplication: ApplicationMatchPage,
  getFeed: Feed,
  getHealth: Health,
} satisfies Record<JsonOperation, z.ZodType>;

/** The type of an operation's response body. Functions import only the type, so they do not load the schemas. */
export type DocumentedResponse<Id extends JsonOperation> = z.output<(typeof responseSchemas)[Id]>;
