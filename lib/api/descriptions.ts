import { limits } from '../limits.ts';
import type { OperationId } from './routes.ts';

// What the OpenAPI document says about each operation, in Markdown. It is not in the route table, because only the
// document uses it, and every function would load it.

const createdAtOnce =
  'The response is sent as soon as the number is assigned and the write is durable. Reads, lists and searches show it within seconds.';
const retried =
  'A failed request may still have been accepted, for example one that got 503. To retry it without creating anything twice, send an `Idempotency-Key` with the first request, and the same one with each retry.';
const neverReused = 'Deleting is final. The number is never assigned again.';
const mergeResponse = (missing: string) =>
  `The response has what an edit can change, but not ${missing}: merge it into the object that you have, do not replace the object.`;
const namedOnly = 'What the request does not name stays as it is; `metadata` is replaced whole.';
const mergeNamed = (times: string) =>
  `The response has the number, what the request named, and ${times}: merge it into the object that you have, do not replace the object.`;
const lastEditWins = 'The last accepted edit wins. Reads may show the old state for a moment.';
const pages =
  'To get the next page, pass `next` as `cursor`, until it is null. A page may have fewer items than `limit` although more follow. The last page is as fast as the first.';
const found =
  'A message matches when its body contains `q`, ignoring case. `q` has one character or more, in any script. Nothing else is ignored: not accents, punctuation or spaces. `highlight` is HTML; every other text is plain.';
const changes =
  'To follow, pass `change` of each response as `after` of the next request. If a response has `cursor`, pass the same `after` again with this cursor instead. While `more` is true, ask again at once. A client that does so misses nothing and gets nothing twice. Changes that were stored together have the same version. All changes of a version come on one page, except when there are too many for a page: then the page has `cursor`. A `change` lower than `after` means that the system was restored from a backup: begin again at 0. A page takes the same time, however many changes came before it.';
const counts = (member: string) =>
  `\`${member}\` is updated every minute by default, and at least every hour in any deployment.`;

export const descriptions: Record<OperationId, string> = {
  createApplication: `The \`token\` in the response is the password of the application: whoever has it may read, write and delete everything in it. Keep it on your server, never in a browser or an app.\n\n${retried}`,
  listApplications: `The response has the tokens of all applications, so a deployment that others can reach needs an admin key.\n\n${pages} ${counts('chats_count')}`,
  getApplication: counts('chats_count'),
  editApplication: `${lastEditWins} ${mergeResponse('`chats_count`')}`,
  deleteApplication:
    'Deleting is final. Writes to the application are refused at once. Reads of it, and requests for its chats and messages, are refused within a minute.',
  createAccessToken: `An access token is for a browser or an app, which must not have the application's token. It allows what \`can\` says, in its \`chats\` only, until it expires. It cannot be changed; to end it early, end all of them. Send it in the header \`Authorization: Bearer …\` with \`self\` in the place of the token in a path. The access token itself is not stored on the server. The body may be missing.`,
  endAccessTokens:
    'Ends all access tokens that were created until now. They may still be accepted for up to 60 seconds. Access tokens that are created after the response are valid. The token of the application itself is not changed.',
  createChat: `The body may be missing: a chat needs no name. ${createdAtOnce}\n\n${retried}`,
  listChats: `${pages} ${counts('messages_count')}`,
  getChat: counts('messages_count'),
  editChat: `${namedOnly} ${lastEditWins} ${mergeNamed('`created_at` and `updated_at`')}`,
  deleteChat: `${neverReused} Writes to the chat are refused at once. Reads of it, and requests for its messages, are refused within a minute.`,
  createMessage: `${createdAtOnce} Until then, reading the message gets 404 \`message_pending\`.\n\nNumbers start at 1, are unique, and have no gaps, however many clients write at once. On AWS, if a create gets 503 or no response, its number may become void: no message ever has it.\n\n${retried}`,
  createMessages: `Creates up to ${limits.batchSize} messages with consecutive numbers in the order of the request. That is much faster and cheaper than creating them one by one. ${createdAtOnce}\n\n${retried}`,
  listMessages: `${pages}\n\nMessages are not always stored in the order of their numbers. \`pending\` has the numbers in the range of this page that are accepted but not stored yet. A client that polls with \`after\` must read those again later, one by one or with \`after\` and \`before\`. Polling shows new messages only: neither edits nor deletions of earlier ones. To see those too, follow the chat's changes.`,
  listChatChanges: `Returns the messages that changed after the version \`after\`. Each message occurs once, in its current state. The list is ordered by the version that changed a message last, and within a version by number. Deleted messages stay in the list, with their number only. Without \`after\`, the response has the current version.\n\n${changes}`,
  listApplicationChanges: `Returns the chats that changed after the version \`after\`. Each chat occurs once, in its current state, without its count. New messages, new counts and a new name of the application do not count as changes here. Without \`after\`, the response has the current version.\n\n${changes}`,
  searchChat: `${found}\n\n${pages}`,
  getMessage: `A message that is accepted but not stored yet gets 404 \`message_pending\` with \`Retry-After\`: read it again after that time. A message that never existed or was deleted gets \`message_not_found\`.`,
  editMessage: `${namedOnly} The sender never changes. With the application's token, a message can be edited before it is stored; with an access token, only afterwards. ${lastEditWins} ${mergeNamed('`updated_at`')}`,
  deleteMessage: `${neverReused} With the application's token, a message can be deleted before it is stored; with an access token, only afterwards.`,
  searchApplication: `${found} Each match has the \`chat_number\` of its chat.\n\n${pages}`,
  getFeed: `Lists the ways to follow changes live. A client uses the first one that it knows.\n\nWith \`Accept: text/event-stream\`, where \`sse\` is listed, the response is a stream of server-sent events. It sends what changed after the given versions, in order, and then each new change, until the client disconnects. \`chat=2\` follows chat 2 from now on, and \`chat=2:17\` follows it from the first change after version 17. Each event "changes" is for one version. It has the messages, or chats, that changed in this version and have not changed since. If all of them have changed since, the version has no event. A version larger than ${limits.stepBytes / 1_000} kB comes with "truncated" and without data: ask for its changes. A client that reconnects with the id of the last event as \`Last-Event-ID\` misses nothing and repeats nothing. EventSource does that by itself.\n\nThe event "heartbeat" comes every ${limits.feed.heartbeatSeconds} seconds, with the versions of all that is followed. The event "end" has a \`code\`. With \`chat_not_found\`, it also has the number of a followed chat that was deleted, and the server closes the connection only if nothing else is followed. With the other codes the server always closes the connection: \`access_token_expired\`, \`access_token_invalid\`, \`application_not_found\`, "too_slow" (more than ${limits.feed.unreadBytes / 1_000_000} MB unread; reconnect and catch up) and "stopping" (reconnect).\n\nA page that cannot send headers, as with EventSource, uses the path with \`self\` and \`access_token\` in the query.`,
  getHealth: 'Use it for health checks of a load balancer. It needs no token.',
  getOpenapi: 'Generate a client from it, or load it into an API tool. Its URLs are relative to its own address.',
  getDocs: 'The page has no external parts, so it works without a connection to the internet.',
  getConsole:
    'The page asks for the admin key, or for a token of an application, and then uses this API. It keeps them only until its tab is closed. It has no external parts.',
};
