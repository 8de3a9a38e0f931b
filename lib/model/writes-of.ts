import type { MessageKey, Parent } from './keys.ts';
import type { Write } from './write.ts';

/** How far something was edited: 0 is its creation. Times are in milliseconds since 1970. */
interface Revised {
  revision: number;
  createdAt: number;
  updatedAt: number;
}

/** The writes that bring an application or chat to where it stands: its creation and, where there was one, its last edit. */
export const writesOfParent = ({ token, chat }: Parent, name: string | null, revised: Revised): Write[] =>
  revisionsOf(revised).map((each) =>
    chat === undefined
      ? { kind: 'application', token, ...each, name: name ?? '' }
      : { kind: 'chat', token, chat, ...each, name },
  );

/** The same of a message. */
export const writesOfMessage = ({ token, chat, number }: MessageKey, body: string, revised: Revised): Write[] =>
  revisionsOf(revised).map((each) => ({ kind: 'message', token, chat, number, ...each, body }));

const revisionsOf = ({ revision, createdAt, updatedAt }: Revised) => {
  const created = { revision: 0, at: createdAt };
  return revision === 0 ? [created] : [created, { revision, at: updatedAt }];
};
