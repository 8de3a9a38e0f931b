/** The members of a message that an edit can change, each independently, so edits of different members commute. */
interface EditableContent {
  body: string;
  /** The client's own JSON object, as `JSON.stringify` writes it; null for the empty object. */
  metadata: string | null;
}

/**
 * What a client writes in a message. It travels as this one object from the ledger to the store, the search index and
 * the archive.
 */
export interface MessageContent extends EditableContent {
  /** The client's own id of the user who wrote the message. Only the creation sets it. */
  sender: string | null;
}

/** What a client writes in a chat. An edit changes each member independently. */
export interface ChatContent {
  name: string | null;
  /** The client's own JSON object, as in {@link MessageContent}. */
  metadata: string | null;
}

/** The members of a chat that a write sets. A creation sets all of them. */
export type ChatChange = Partial<ChatContent>;

/** Names a member of the content that an edit can change. */
export type ContentMember = keyof EditableContent;

/**
 * The members that a write sets; it leaves the others as they are. A creation sets all. An edit never sets the sender.
 */
export type ContentChange = Partial<MessageContent>;

/** For each member, the revision of the write that set it last: 0 is the creation. */
export type Revisions = Record<ContentMember, number>;

/** The content of a deleted message, and the initial value of each member until a write sets it. */
export const blankContent: MessageContent = { sender: null, body: '', metadata: null };

/** The members that an edit can change, in the order of columns and fields. */
export const contentMembers: ContentMember[] = ['body', 'metadata'];

/** All members, in the order of columns and fields. */
export const contentNames: (keyof MessageContent)[] = ['sender', ...contentMembers];

/** Returns only the content of an object that has more members. */
export const contentOf = ({ sender, body, metadata }: MessageContent): MessageContent => ({ sender, body, metadata });

/**
 * Returns a record with one value for each member. It is a plain loop for speed, because workers call it for each
 * message.
 */
export function memberRecord<Value>(makeValue: (member: ContentMember) => Value): Record<ContentMember, Value> {
  const values = {} as Record<ContentMember, Value>;
  for (const member of contentMembers) values[member] = makeValue(member);
  return values;
}

/**
 * Returns the revision of the last write that changed the message. The ledger counts revisions per message, not per
 * member.
 */
export const lastRevision = (revisions: Revisions): number => Math.max(...Object.values(revisions));

/** The texts of a message's content. Any of them may be missing. */
type Texts = { [Name in keyof MessageContent]?: string | null | undefined };

/** Returns the number of UTF-16 code units in all texts. It allocates nothing, because it is called for each write. */
export const charactersOf = ({ sender, body, metadata }: Texts): number =>
  (sender?.length ?? 0) + (body?.length ?? 0) + (metadata?.length ?? 0);

/** Returns the size of all texts in UTF-8, in bytes. */
export const bytesOf = (content: ContentChange): number =>
  contentNames.reduce((sum, name) => sum + Buffer.byteLength(content[name] ?? ''), 0);

/** The name of the column or field that holds the revision of a member. */
export type RevisionName<Member extends ContentMember = ContentMember> = Member extends 'body'
  ? 'revision'
  : `${Member}_revision`;

/**
 * Returns the name of the column or field with the revision of a member. That of `body` is plain `revision`, because
 * the body was once the only member.
 */
export const revisionName = <Member extends ContentMember>(member: Member): RevisionName<Member> =>
  (member === 'body' ? 'revision' : `${member}_revision`) as RevisionName<Member>;
