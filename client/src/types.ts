import type { components, operations } from './openapi.ts';
import type { CallOptions } from './requests.ts';

// The API's own types, by short names. Members are named as in the JSON.

type Schemas = components['schemas'];

export type Application = Schemas['Application'];
/** For an access token, it has no `token` and, if the access token is limited to some chats, no `chats_count`. */
export type ReadApplication = Schemas['ReadApplication'];
export type EditedApplication = Schemas['EditedApplication'];
export type ApplicationPage = Schemas['ApplicationPage'];
export type AccessToken = Schemas['AccessToken'];
export type AccessTokenInput = NonNullable<
  operations['createAccessToken']['requestBody']
>['content']['application/json'];
export type Chat = Schemas['Chat'];
export type ChatInput = Schemas['ChatInput'];
export type ChatEdit = Schemas['ChatEdit'];
export type EditedChat = Schemas['EditedChat'];
export type ChatPage = Schemas['ChatPage'];
export type Message = Schemas['Message'];
export type MessageInput = Schemas['MessageInput'];
export type MessageEdit = Schemas['MessageEdit'];
export type EditedMessage = Schemas['EditedMessage'];
export type MessagePage = Schemas['MessagePage'];
/** A message as it is now, and the version in which it last changed. A deleted message has only its number. */
export type MessageChange = Schemas['MessageCreated'] | Schemas['MessageEdited'] | Schemas['MessageDeleted'];
export type MessageChanges = Schemas['MessageChanges'];
/** A chat as it is now, without counts, and the version in which it last changed. */
export type ChatChange = Schemas['ChatCreated'] | Schemas['ChatEdited'] | Schemas['ChatDeleted'];
export type ChatChanges = Schemas['ChatChanges'];
export type ChatMatch = Schemas['ChatMatch'];
export type ChatMatchPage = Schemas['ChatMatchPage'];
export type ApplicationMatch = Schemas['ApplicationMatch'];
export type ApplicationMatchPage = Schemas['ApplicationMatchPage'];

type Query<Operation extends keyof operations> = Omit<
  NonNullable<operations[Operation]['parameters']['query']>,
  'cursor' | 'q'
>;
/** `order`, and `limit`: how many items are read at once. */
export type ListOptions = Query<'listApplications'> & CallOptions;
/** `order` and `limit`, and `after` and `before`: only numbers between these two. */
export type NumberedListOptions = Query<'listMessages'> & CallOptions;
/** `after`: the version after which to begin, and `limit`. Without `after`, a page has only the present version. */
export type ChangesOptions = NonNullable<operations['listChatChanges']['parameters']['query']> & CallOptions;
/** `limit`: how many matches are read at once. */
export type SearchOptions = Query<'searchChat'> & CallOptions;
