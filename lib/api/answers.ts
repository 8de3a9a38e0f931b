import * as z from 'zod';
import 'zod-openapi';
import { limits } from '../limits.ts';
import type { JsonOperation } from './routes.ts';
import { applicationName, chatName, messageBody, token } from './schemas.ts';

// What clients get. Only the OpenAPI document and the tests need it, so it is apart from the route table: a function
// would make it at each start, and never use it.

const timestamp = z.iso.datetime({ precision: 3 }).meta({
  description: 'RFC 3339 in UTC, with milliseconds.',
  override: ({ jsonSchema }) => {
    delete jsonSchema.pattern;
  },
  example: '2026-11-21T09:30:00.123Z',
});
const count = z.int().min(0);
const number = z.int().min(1);

const changes = { created_at: timestamp, updated_at: timestamp };

export const Application = z
  .object({ token: token(), name: applicationName(), chats_count: count, ...changes })
  .meta({ id: 'Application' });
/** An edit does not wait for the store, which alone knows the count. */
export const EditedApplication = Application.omit({ chats_count: true }).meta({ id: 'EditedApplication' });
export const Chat = z.object({ number, name: chatName(), messages_count: count, ...changes }).meta({ id: 'Chat' });
export const EditedChat = Chat.omit({ messages_count: true }).meta({ id: 'EditedChat' });
export const Message = z.object({ number, body: messageBody(), ...changes }).meta({ id: 'Message' });
export const EditedMessage = Message.omit({ created_at: true }).meta({ id: 'EditedMessage' });
export const Messages = z.object({ data: z.array(Message) }).meta({ id: 'Messages' });

const next = z.string().nullable().meta({ description: 'The cursor of the next page; null ends the list.' });
export const ApplicationPage = z.object({ data: z.array(Application), next }).meta({ id: 'ApplicationPage' });
export const ChatPage = z.object({ data: z.array(Chat), next }).meta({ id: 'ChatPage' });
export const MessagePage = z
  .object({
    data: z.array(Message),
    next,
    pending: z.array(number).meta({
      description:
        'Numbers inside the stretch this page covers that are accepted but not stored yet: come back for them.',
    }),
  })
  .meta({ id: 'MessagePage' });

const highlight = z.string().meta({
  description: 'The body as HTML text, every match in `<em>`.',
  example: 'H<em>ello, w</em>orld',
});
const totals = {
  total: count.meta({ description: `All matches, exact up to ${limits.exactTotal}.` }),
  total_is_minimum: z
    .literal(true)
    .optional()
    .meta({ description: `There are more than ${limits.exactTotal} matches.` }),
};
export const ChatMatchPage = z
  .object({ data: z.array(Message.extend({ highlight }).meta({ id: 'ChatMatch' })), next, ...totals })
  .meta({ id: 'ChatMatchPage' });
export const ApplicationMatchPage = z
  .object({
    data: z.array(Message.extend({ chat_number: number, highlight }).meta({ id: 'ApplicationMatch' })),
    next,
    ...totals,
  })
  .meta({ id: 'ApplicationMatchPage' });

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

export const ProblemDocument = z
  .object({
    type: z.string().meta({ example: 'urn:chat-system:problem:chat_not_found' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ example: 'chat_not_found' }),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description: "A JSON Pointer into the body, or a parameter's or header's name.",
            example: '/messages/1/body',
          }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457, as application/problem+json.' });

/** The documented answer of each operation that answers with JSON. */
export const answers = {
  createApplication: Application,
  listApplications: ApplicationPage,
  getApplication: Application,
  editApplication: EditedApplication,
  createChat: Chat,
  listChats: ChatPage,
  getChat: Chat,
  editChat: EditedChat,
  createMessage: Message,
  createMessages: Messages,
  listMessages: MessagePage,
  searchChat: ChatMatchPage,
  getMessage: Message,
  editMessage: EditedMessage,
  searchApplication: ApplicationMatchPage,
  getHealth: Health,
} satisfies Record<JsonOperation, z.ZodType>;

/** The body of an operation's documented answer, as a type. Functions use it without loading the schemas. */
export type DocumentedAnswer<Id extends JsonOperation> = z.output<(typeof answers)[Id]>;
