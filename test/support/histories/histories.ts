import fc from 'fast-check';
import { blankContent } from '../../../lib/model/content.ts';
import { targetOf, type Write } from '../../../lib/model/write.ts';
import type { Found, StoredApplication, StoredChat, StoredMessage } from '../../../lib/store/reads.ts';
import type { Store } from '../../../lib/store/store.ts';
import { applicationWrite, chatWrite, deletionWrite, messageWrite } from './writes.ts';

// Random histories of an application with up to two chats of up to three messages, the ways in which a queue may
// deliver them, and the state in which all of these must end.

const token = '?';
const chats = [1, 2];
const messages = [1, 2, 3];
const revisions = [0, 1, 2];

const edits = revisions.flatMap((revision) => [
  applicationWrite(token, { revision }),
  ...chats.flatMap((chat) => [
    chatWrite(token, chat, { revision }),
    ...messages.map((number) => messageWrite(token, chat, number, { revision })),
  ]),
]);
const deletions = (chance: number, writes: Write[]): fc.Arbitrary<Write[]> =>
  fc
    .array(fc.integer({ min: 1, max: chance }), { minLength: writes.length, maxLength: writes.length })
    .map((dice) => writes.filter((_, i) => dice[i] === chance));

/** Any subset of the writes that a ledger may have accepted. Missing ones have not arrived yet. */
export const history: fc.Arbitrary<Write[]> = fc
  .tuple(
    fc.subarray(edits, { minLength: 1 }),
    deletions(8, [deletionWrite(token)]),
    deletions(
      5,
      chats.map((chat) => deletionWrite(token, chat)),
    ),
    deletions(
      4,
      chats.flatMap((chat) => messages.map((number) => deletionWrite(token, chat, number))),
    ),
  )
  .map((parts) => parts.flat());

export interface Batch {
  batch: Write[];
  /** Whether a roll-up runs after the batch. */
  countAfter: boolean;
}

/** A way to deliver the writes: in any order, some of them twice, in batches. */
export const deliveries = (writes: Write[]): fc.Arbitrary<Batch[]> =>
  fc
    .subarray(writes)
    .chain((twice) =>
      fc.tuple(
        fc.shuffledSubarray([...writes, ...twice], { minLength: writes.length + twice.length }),
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), countAfter: fc.boolean() }), {
          minLength: 1,
          maxLength: 8,
        }),
      ),
    )
    .map(([ordered, cuts]) => {
      const batches: Batch[] = [];
      for (let at = 0; at < ordered.length; ) {
        const { size, countAfter } = cuts[batches.length % cuts.length] as (typeof cuts)[number];
        batches.push({ batch: ordered.slice(at, at + size), countAfter });
        at += size;
      }
      return batches;
    });

interface State {
  application: Found<StoredApplication>;
  chats: { chat: Found<StoredChat> | 'gone'; messages: (Found<StoredMessage> | 'void')[]; listed: number[] }[];
  listed: number[];
}

const firstPage = { order: 'asc', limit: 10 } as const;
const listed = ({ rows }: { rows: { number: number }[] }) => rows.map(({ number }) => number);

/**
 * Returns what readers see. Leaves out everything below something deleted, because the order of the deliveries decides
 * which rows remain there.
 */
export async function stateOf(store: Store, token: string): Promise<State> {
  const application = await store.application(token);
  const gone = application === 'deleted';
  const chatState = async (number: number) => {
    const chat = await store.chat(token, number);
    if (gone && typeof chat === 'string') return { chat: 'gone' as const, messages: [], listed: [] };
    if (chat === 'deleted') return { chat, messages: [], listed: [] };
    return {
      chat,
      messages: await Promise.all(messages.map((message) => store.message(token, number, message))),
      listed: listed(await store.messages(token, number, firstPage)),
    };
  };
  return {
    application,
    chats: await Promise.all(chats.map(chatState)),
    listed: gone ? [] : listed(await store.chats(token, firstPage)),
  };
}

/** Returns the highest number that the writes assign: to the application's chats or, with `chat`, to its messages. */
export const highestNumber = (writes: Write[], chat?: number): number => {
  const given = writes.map(targetOf).map((target) => {
    if (chat === undefined) return target.number === undefined ? target.chat : undefined;
    return target.chat === chat ? target.number : undefined;
  });
  return Math.max(0, ...given.filter((number) => number !== undefined));
};

/** Computes the expected state from the rules: deleted, or else the highest revision, hidden until it is created. */
export function expectedState(writes: Write[], token: string): State {
  const about = (chat?: number, number?: number) =>
    writes.filter((write) => targetOf(write).chat === chat && targetOf(write).number === number);
  const isDeleted = (of: Write[]) => of.some(({ kind }) => kind === 'deletion');
  const found = <Thing>(
    of: Write[],
    thing: (last: Write, times: { createdAt: number; updatedAt: number }) => Thing,
  ): Found<Thing> => {
    if (isDeleted(of)) return 'deleted';
    const revision = (write: Write) => (write.kind === 'deletion' ? 0 : write.revision);
    const [created, last] = [
      of.find((write) => revision(write) === 0),
      of.toSorted((a, b) => revision(a) - revision(b)).at(-1),
    ];
    return created && last ? thing(last, { createdAt: created.at, updatedAt: last.at }) : 'unknown';
  };
  const nameOf = (write: Write) => ('name' in write ? write.name : null);
  const exists = (thing: unknown) => typeof thing !== 'string';

  const application = found(about(), (last, times) => ({
    token,
    name: nameOf(last) ?? '',
    chatsCount: highestNumber(writes) - chats.filter((chat) => isDeleted(about(chat))).length,
    ...times,
  }));
  const chatStates = chats.map((number): State['chats'][number] => {
    if (application === 'deleted') return { chat: 'gone', messages: [], listed: [] };
    const chat = found(about(number), (last, times) => ({
      number,
      name: nameOf(last) ?? null,
      metadata: null,
      messagesCount:
        highestNumber(writes, number) - messages.filter((message) => isDeleted(about(number, message))).length,
      ...times,
    }));
    if (chat === 'deleted') return { chat, messages: [], listed: [] };
    const states = messages.map((message) =>
      found(about(number, message), (last, times) => ({
        number: message,
        content: { ...blankContent, ...('content' in last && last.content) },
        ...times,
      })),
    );
    return { chat, messages: states, listed: messages.filter((_, i) => exists(states[i])) };
  });
  return {
    application,
    chats: chatStates,
    listed: application === 'deleted' ? [] : chats.filter((_, i) => exists(chatStates[i]?.chat)),
  };
}
