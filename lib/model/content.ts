/**
 * What a client writes in a message. It travels as this one object from the ledger to the store, the search index and
 * the archive. Each member is changed by edits on its own, so edits of different members commute.
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

/** What is left of the content of a deleted message. It is also what stands for a member that no write has set yet. */
export const blankContent: MessageContent = { body: '' };

/** The members, in the order of columns and fields. */
export const contentMembers = Object.keys(blankContent) as ContentMember[];

/** Returns the content alone of an object that has more. */
export const contentOf = ({ body }: MessageContent): MessageContent => ({ body });

/** Returns one value for each member. A loop, because workers call it for each message. */
export function forEachMember<Value>(makeValue: (member: ContentMember) => Value): Record<ContentMember, Value> {
  const values = {} as Record<ContentMember, Value>;
  for (const member of contentMembers) values[member] = makeValue(member);
  return values;
}

/** The revision of the last write that changed the message. The ledger counts revisions a message, not a member. */
export const lastRevision = (revisions: Revisions): number => Math.max(...Object.values(revisions));

/** Characters (UTF-16 code units) of the texts. */
export const charactersOf = (content: ContentChange): number =>
  contentMembers.reduce((sum, member) => sum + (content[member]?.length ?? 0), 0);

/** Bytes of the texts in UTF-8. */
export const bytesOf = (content: ContentChange): number =>
  contentMembers.reduce((sum, member) => sum + Buffer.byteLength(content[member] ?? ''), 0);

/** The name of the column or field that holds the revision of a member. */
export type RevisionName<Member extends ContentMember = ContentMember> = Member extends 'body'
  ? 'revision'
  : `${Member}_revision`;

/** The body was the only member once, so its revision has the plain name. */
export const revisionName = <Member extends ContentMember>(member: Member): RevisionName<Member> =>
  (member === 'body' ? 'revision' : `${member}_revision`) as RevisionName<Member>;
