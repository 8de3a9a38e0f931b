/**
 * What a client writes in a message. It travels as this one object from the ledger to the store, the search index and
 * the archive. An edit can change each member independently, so edits of different members commute.
 */
export interface MessageContent {
  body: string;
}

/** Names a member of the content. */
export type ContentMember = keyof MessageContent;

/** The members that an edit sets; it leaves the others as they are. A creation sets all of them. */
export type ContentChange = Partial<MessageContent>;

/** For each member, the revision of the write that set it last: 0 is the creation. */
export type Revisions = Record<ContentMember, number>;

/** The content of a deleted message, and the initial value of each member until a write sets it. */
export const blankContent: MessageContent = { body: '' };

/** The members, in the order of columns and fields. */
export const contentMembers = Object.keys(blankContent) as ContentMember[];

/** Returns only the content of an object that has more members. */
export const contentOf = ({ body }: MessageContent): MessageContent => ({ body });

/** Returns a record with one value for each member. It is a plain loop for speed, because workers call it for each message. */
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

/**
 * Returns the number of UTF-16 code units in all texts. The loop counts, because an iterator per write is a tenth of all
 * that accepting a batch allocates.
 */
export function charactersOf(content: { [Member in ContentMember]?: string | undefined }): number {
  let sum = 0;
  for (let i = 0; i < contentMembers.length; i += 1) sum += content[contentMembers[i] as ContentMember]?.length ?? 0;
  return sum;
}

/** Returns the size of all texts in UTF-8, in bytes. */
export const bytesOf = (content: ContentChange): number =>
  contentMembers.reduce((sum, member) => sum + Buffer.byteLength(content[member] ?? ''), 0);

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
