import { blankContent, contentMembers, revisionName } from '../../model/content.ts';

/** A column with a value that clients write. */
export interface MemberColumn {
  column: string;
  /** The column that holds the revision of the write that last set it; undefined if only the creation sets it. */
  revision: string | undefined;
  /** Its value after a deletion, and until a write sets it. */
  blank: string | null;
}

/** A member that edits can change, each independently of the others. */
export type EditableColumn = MemberColumn & { revision: string };

const name = (blank: string | null): MemberColumn => ({ column: 'name', revision: 'revision', blank });
const metadata: MemberColumn = { column: 'metadata', revision: 'metadata_revision', blank: null };

/** The member columns of each table. All SQL for merging is built from this list. */
export const memberColumns: Record<'applications' | 'chats' | 'messages', MemberColumn[]> = {
  applications: [name('')],
  chats: [name(null), metadata],
  messages: [
    { column: 'sender', revision: undefined, blank: blankContent.sender },
    ...contentMembers.map((member) => ({
      column: member,
      revision: revisionName(member),
      blank: blankContent[member],
    })),
  ],
};

/** Returns the members that edits can change. */
export const editable = (members: MemberColumn[]): EditableColumn[] =>
  members.filter((member): member is EditableColumn => member.revision !== undefined);

/** Returns the names of the columns whose values {@link memberValues} returns, in the same order. */
export const memberNames = (members: MemberColumn[]): string[] => [
  ...members.map(({ column }) => column),
  ...editable(members).map(({ revision }) => revision),
];

const textIn = (change: object, { column }: MemberColumn): string | null | undefined =>
  (change as Record<string, string | null | undefined>)[column];

/** Returns the texts of a write, in the order of the members; blank for a member that it does not set. */
export function memberTexts(members: MemberColumn[], change: object): (string | null)[] {
  const texts: (string | null)[] = [];
  for (const member of members) {
    const text = textIn(change, member);
    texts.push(text === undefined ? member.blank : text);
  }
  return texts;
}

/**
 * Returns the row values of a write: its texts and then their revisions. A member that the write does not set has
 * revision 0, which replaces nothing. It is a plain loop for speed, because the store worker calls it for each message.
 */
export function memberValues(members: MemberColumn[], change: object, revision: number): (string | number | null)[] {
  const values: (string | number | null)[] = memberTexts(members, change);
  for (const member of members)
    if (member.revision !== undefined) values.push(textIn(change, member) === undefined ? 0 : revision);
  return values;
}

/** Returns the row values of a deletion. */
export const blankValues = (members: MemberColumn[]): (string | number | null)[] => [
  ...members.map(({ blank }) => blank),
  ...editable(members).map(() => 0),
];
