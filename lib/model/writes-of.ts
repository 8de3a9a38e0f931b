import {
  type ChatContent,
  type ContentChange,
  contentMembers,
  type MessageContent,
  type Revisions,
} from './content.ts';
import type { MessageKey, Parent } from './keys.ts';
import type { Write } from './write.ts';

/** The times of an application, chat or message, in milliseconds since 1970. */
interface Times {
  createdAt: number;
  updatedAt: number;
}

/** The present state of a message. `revisions` has, for each member, the revision of the write that last set it. */
export interface MessageState extends Times {
  content: MessageContent;
  revisions: Revisions;
}

/**
 * Returns the writes that bring an application or chat to its present state: its creation and, if there was one, its
 * last edit.
 */
export function writesOfParent(
  { token, chat }: Parent,
  { name, metadata, revision, createdAt, updatedAt }: Times & ChatContent & { revision: number },
): Write[] {
  const writeOf = (revision: number, at: number): Write =>
    chat === undefined
      ? { kind: 'application', token, revision, at, name: name ?? '' }
      : { kind: 'chat', token, chat, revision, at, name, metadata };
  const created = writeOf(0, createdAt);
  return revision === 0 ? [created] : [created, writeOf(revision, updatedAt)];
}

/** Returns the writes that bring a message to its present state: its creation and the last edit of each member. */
export function writesOfMessage({ token, chat, number }: MessageKey, state: MessageState): Write[] {
  const { content, revisions, createdAt, updatedAt } = state;
  const writeOf = (revision: number, at: number, change: ContentChange): Write => ({
    kind: 'message',
    token,
    chat,
    number,
    revision,
    at,
    content: change,
  });
  const edited = contentMembers.filter((member) => revisions[member] > 0);
  return [
    writeOf(0, createdAt, content),
    ...edited.map((member) => writeOf(revisions[member], updatedAt, { [member]: content[member] })),
  ];
}
