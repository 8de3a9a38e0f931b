import { reservationsKept } from '../../lib/ledger/dynamodb/reservations.ts';
import type { Difference } from '../../lib/reconcile/difference.ts';
import type { Taken } from './dynamodb.ts';
import type { FinalState, MessageRow } from './final-state.ts';
import { type Attempt, accepted, isUnknown, isWrite, type Operation, startOf } from './history.ts';
import type { Known } from './known.ts';

// Checks the history of requests and responses against the final state, in the spirit of Elle
// (https://www.vldb.org/pvldb/vol14/p268-alvaro.pdf): each text is written once, so a text that is read identifies the
// request that wrote it.

/** Statuses that a client may get whatever fails. API Gateway returns 504 when a function died. */
const statuses = new Set([200, 201, 204, 404, 409, 429, 503, 504]);

/** Milliseconds. A slower write may have run out of time. */
const fastMs = 6_000;

const isCreateBelow = ({ id }: Operation): boolean => /^create(Chat|Message|Messages)$/.test(id);
const placeOf = (token: string | undefined, chat?: number, number?: number): string =>
  [token, chat, number].filter((part) => part !== undefined).join('/');

/** Returns the places that the operation created, edited, deleted or read. */
function subjectsOf(operation: Operation): string[] {
  const { id, token, chat, number } = operation;
  const answer = accepted(operation)?.json;
  if (id === 'createApplication') return answer ? [String(answer.token)] : [];
  if (id === 'createChat') return answer ? [placeOf(token, Number(answer.number))] : [];
  if (id === 'createMessage' || id === 'createMessages')
    return numbersOf(operation, answer).map((made) => placeOf(token, chat, made));
  return [placeOf(token, chat, number)];
}

function numbersOf({ id }: Operation, answer: Record<string, unknown> | undefined): number[] {
  if (!answer) return [];
  if (id === 'createMessages') return (answer.data as { number: number }[]).map(({ number }) => number);
  return [Number(answer.number)];
}

const placeIn = (one: { token: string; chat?: number; number?: number }): string =>
  placeOf(one.token, one.chat, one.number);

/** Returns a place and all its parents. */
const upwards = (place: string): string[] => place.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));

/** Checks everything, and returns a sentence for each fault. */
export function check(history: Operation[], state: FinalState, poison: string[]): string[] {
  return [
    ...checkAnswers(history),
    ...checkNumbers(history, state),
    ...checkDeletions(history),
    ...checkContents(history, state),
    ...checkCounts(state),
    ...checkDeadLetters(state, poison),
    ...state.leftBelow.map((place) => `${place} is below something deleted and exists again after the purge`),
    ...checkDifferences(history, state),
    ...state.followed.flatMap((follower) => [...follower.violations, ...checkFollower(follower, state)]),
    ...state.invalid.map((why) => `DynamoDB rejected a call as invalid: ${why}`),
  ];
}

/** A follower must know exactly what is stored: the text of each message or chat, and which of them are deleted. */
function checkFollower({ token, chat, changes }: Known, state: FinalState): string[] {
  const rows =
    chat === undefined
      ? state.chats.filter((row) => row.token === token).map((row) => ({ ...row, text: row.name }))
      : state.messages
          .filter((row) => row.token === token && row.chat === chat)
          .map((row) => ({ ...row, text: row.body }));
  const told = new Map(
    [...changes].map(([number, { type, message, chat }]) => {
      const text = message?.body ?? chat?.name ?? null;
      return [number, type?.endsWith('.deleted') ? 'deleted' : JSON.stringify(text)] as const;
    }),
  );
  const stored = new Map(
    rows.flatMap(({ number, deleted, created_at, text }) => {
      if (!deleted && created_at === null) return [];
      return [[number, deleted ? 'deleted' : JSON.stringify(text)] as const];
    }),
  );
  return [...new Set([...stored.keys(), ...told.keys()])]
    .filter((number) => told.get(number) !== stored.get(number))
    .map((number) => {
      const about = placeOf(token, chat, number);
      return `a follower knows ${about} as ${told.get(number)}, and the store has ${stored.get(number)}`;
    });
}

function checkAnswers(history: Operation[]): string[] {
  const wrong: string[] = [];
  const creates = new Map(
    history.flatMap((operation) =>
      operation.id.startsWith('create') ? subjectsOf(operation).map((place) => [place, operation] as const) : [],
    ),
  );
  const deletions = history.filter(({ id }) => id.startsWith('delete'));
  /** Returns whether nobody requested the deletion of the place, or of a parent, before this time. */
  const isSafe = (place: string, until: number) =>
    !deletions.some((one) => startOf(one) <= until && upwards(place).includes(subjectsOf(one)[0] ?? ''));

  for (const operation of history) {
    const answers = operation.attempts.filter(({ status }) => status < 300).map(({ json }) => JSON.stringify(json));
    if (new Set(answers).size > 1)
      wrong.push(`${operation.task} got two different responses: ${answers.join(' and ')}`);
    for (const attempt of operation.attempts) {
      const { status, json } = attempt;
      const told = `${operation.task} (${operation.id}) got ${status} ${json.code ?? ''}`;
      if (!statuses.has(status)) wrong.push(told);
      if (isWrite(operation) && !attempt.dynamodbFailed && isFailure(attempt))
        wrong.push(`${told} although no call to DynamoDB failed`);
      if (status !== 404 || json.code === 'message_pending' || operation.id === 'createApplication') continue;
      const place = placeOf(operation.token, operation.chat, operation.number);
      const created = accepted(creates.get(place) ?? operation);
      if (creates.has(place) && created && created.endedAt <= attempt.startedAt && isSafe(place, attempt.endedAt))
        wrong.push(`${told} although ${place} was created before and never deleted`);
    }
  }
  return wrong;
}

const isFailure = ({ status, startedAt, endedAt }: Attempt): boolean =>
  (status === 503 || status === 429) && endedAt - startedAt < fastMs;

function checkNumbers(history: Operation[], state: FinalState): string[] {
  const wrong: string[] = [];
  const byTask = Map.groupBy(state.taken, ({ task }) => task);
  const owners = new Map<string, string>();
  const keyed = new Set(history.flatMap((operation) => (operation.keyed ? [operation.task] : [])));
  /** Returns whether enough others have reserved numbers in between for the first reservation to have been removed. */
  const isForgotten = (reserved: Taken, again: Taken) =>
    state.taken
      .slice(state.taken.indexOf(reserved) + 1, state.taken.indexOf(again))
      .filter(({ parent, task }) => parent === again.parent && keyed.has(task)).length >= reservationsKept;
  for (const operation of history.filter(isCreateBelow)) {
    const { task, token } = operation;
    const chat = operation.id === 'createChat' ? undefined : operation.chat;
    const taken: Taken[] = byTask.get(task) ?? [];
    const given = numbersOf(operation, accepted(operation)?.json);
    for (const number of given) {
      const place = placeOf(token, chat, number);
      if (owners.has(place)) wrong.push(`${place} was assigned to ${owners.get(place)} and to ${task}`);
      owners.set(place, task);
    }
    const [first] = taken;
    if (given.length > 0 && (first?.first !== given[0] || first?.last !== given.at(-1)))
      wrong.push(`${task} returned ${given.join()} and took ${rangesOf(taken)}`);
    if (given.length === 0 && taken.length > 0 && !isUnknown(operation))
      wrong.push(`${task} was refused and took ${rangesOf(taken)}`);
    if (taken.some((again, i) => i > 0 && !(operation.keyed && isForgotten(taken[i - 1] as Taken, again))))
      wrong.push(`${task} took ${rangesOf(taken)}`);
  }

  const voids = new Set(state.later.flatMap((one) => (one.kind === 'void' ? [placeIn(one)] : [])));
  for (const place of voids)
    if (owners.has(place)) wrong.push(`${place}, which was returned to ${owners.get(place)}, is void`);
  const gapless = (parent: string, numbers: number[]) => {
    const stored = new Set(numbers);
    for (let number = 1; number <= (state.counters.get(parent) ?? 0); number++) {
      const place = `${parent}/${number}`;
      if (stored.has(number) === voids.has(place))
        wrong.push(`${place} ${stored.has(number) ? 'is stored and void' : 'is neither stored nor void'}`);
    }
    const above = numbers.find((number) => number > (state.counters.get(parent) ?? 0));
    if (above) wrong.push(`${parent}/${above} is stored and was never assigned`);
  };
  const existing = state.applications.filter(({ deleted }) => !deleted);
  for (const { token } of existing) gapless(token, numbersIn(state.chats.filter((chat) => chat.token === token)));
  for (const chat of state.chats.filter(
    ({ deleted, token }) => !deleted && existing.some((one) => one.token === token),
  ))
    gapless(placeOf(chat.token, chat.number), numbersIn(messagesOf(state, chat)));
  return wrong;
}

const numbersIn = (rows: { number: number }[]): number[] => rows.map(({ number }) => number);
const rangesOf = (taken: Taken[]): string =>
  taken.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(', ') || 'none';
const messagesOf = ({ messages }: FinalState, { token, number }: { token: string; number: number }): MessageRow[] =>
  messages.filter((row) => row.token === token && row.chat === number);

/**
 * After a deletion, requests below it must be refused. Messages below a deleted application may be accepted for half a
 * minute, and while the application's item cannot be read.
 */
function checkDeletions(history: Operation[]): string[] {
  const wrong: string[] = [];
  for (const deletion of history.filter(({ id }) => id.startsWith('delete'))) {
    const deleted = accepted(deletion);
    const [place = ''] = subjectsOf(deletion);
    if (!deleted) continue;
    for (const later of history.filter((one) => one !== deletion && isWrite(one))) {
      const done = accepted(later);
      if (!done || done.startedAt < deleted.endedAt || later.keyed) continue;
      const target = placeOf(later.token, later.chat, later.number);
      const unasked = deletion.id === 'deleteApplication' && /^createMessage/.test(later.id);
      if (upwards(target).includes(place) && !unasked)
        wrong.push(`${later.task} (${later.id}) was accepted after ${deletion.task} had deleted ${place}`);
    }
  }
  return wrong;
}

interface Stored {
  text: string | null;
  metadata: string | null;
  deleted: boolean;
  createdAt: number | null;
}

function checkContents(history: Operation[], state: FinalState): string[] {
  const wrong: string[] = [];
  const stored = new Map<string, Stored>([
    ...state.applications.map((row): [string, Stored] => [row.token, storedOf(row.name, row)]),
    ...state.chats.map((row): [string, Stored] => [placeOf(row.token, row.number), storedOf(row.name, row)]),
    ...state.messages.map((row): [string, Stored] => [
      placeOf(row.token, row.chat, row.number),
      storedOf(row.body, row),
    ]),
  ]);
  const documents = new Map(state.documents.map((row) => [placeOf(row.token, row.chat, row.number), row]));
  const deletions = history.filter(({ id }) => id.startsWith('delete'));
  const edits = Map.groupBy(
    history.filter(({ id, attempts }) => id.startsWith('edit') && attempts.length > 0),
    (edit) => subjectsOf(edit)[0] ?? '',
  );

  for (const create of history.filter(({ id }) => id.startsWith('create')))
    for (const [i, place] of subjectsOf(create).entries()) {
      const about = deletions.filter((one) => upwards(place).includes(subjectsOf(one)[0] ?? ''));
      const row = stored.get(place);
      const document = documents.get(place);
      const isMessage = place.split('/').length === 3;
      if (about.some(accepted)) {
        const own = about.some((one) => accepted(one) && subjectsOf(one)[0] === place);
        if (row && !row.deleted && own) wrong.push(`${place} was deleted and is stored`);
        if (row && !own) wrong.push(`${place} is below something deleted and is stored`);
        if (document && document.body !== null) wrong.push(`${place} was deleted and is searchable`);
        if (state.metadata.has(place)) wrong.push(`${place} was deleted and its metadata is in the ledger`);
        continue;
      }
      if (about.some(isUnknown)) continue;
      if (!row || row.deleted || row.createdAt === null) {
        wrong.push(`${place}, which was returned to ${create.task}, is not stored`);
        continue;
      }
      const answer = accepted(create)?.json;
      const { created_at } = (answer?.data as { created_at: string }[] | undefined)?.[i] ?? {
        created_at: answer?.created_at,
      };
      if (new Date(row.createdAt).toISOString() !== created_at)
        wrong.push(
          `${place} was created at ${created_at} and is stored as of ${new Date(row.createdAt).toISOString()}`,
        );
      const changes = edits.get(place) ?? [];
      const texts = lastValues(create.texts[i] ?? null, changes, ({ texts: [text] }) => text);
      if (!texts.includes(row.text))
        wrong.push(`${place} has the text ${row.text}, but the last accepted one is ${texts.map(String).join(' or ')}`);
      const metadata = lastValues(create.metadata ?? null, changes, (edit) => edit.metadata);
      for (const found of [row.metadata, state.metadata.get(place) ?? null])
        if (!metadata.includes(found))
          wrong.push(
            `${place} has the metadata ${found}, but the last accepted one is ${metadata.map(String).join(' or ')}`,
          );
      if (isMessage && document?.body !== row.text)
        wrong.push(`${place} has the text ${row.text}, but ${document?.body ?? 'nothing'} is searchable`);
    }

  for (const [place, { body }] of documents)
    if (body !== null && stored.get(place)?.text !== body)
      wrong.push(`${place} is searchable as ${body} but not stored as that`);
  return wrong;
}

const storedOf = (
  text: string | null,
  row: { metadata?: string | null; deleted: number; created_at: number | null },
): Stored => ({
  text,
  metadata: row.metadata ?? null,
  deleted: row.deleted === 1,
  createdAt: row.created_at,
});

/**
 * Returns the values that are possible at the end: those that no accepted edit followed.
 *
 * @param valueIn returns the value that an edit set, or undefined if it set none
 */
function lastValues(
  first: string | null,
  edits: Operation[],
  valueIn: (edit: Operation) => string | null | undefined,
): (string | null)[] {
  const setting = edits.filter((edit) => valueIn(edit) !== undefined);
  const begun = setting.filter(accepted).map(startOf);
  const standing = setting.filter((edit) => {
    const done = accepted(edit);
    return done ? !begun.some((start) => start > done.endedAt) : isUnknown(edit);
  });
  const values = standing.map((edit) => valueIn(edit) ?? null);
  return begun.length === 0 ? [first, ...values] : values;
}

function checkCounts(state: FinalState): string[] {
  const wrong: string[] = [];
  const exists = (row: { deleted: number; created_at: number | null }) => !row.deleted && row.created_at !== null;
  for (const application of state.applications.filter(exists)) {
    const { token, chats_count } = application;
    const chats = state.chats.filter((chat) => chat.token === token && exists(chat));
    if (chats.length !== chats_count) wrong.push(`${token} has ${chats.length} chats and the count ${chats_count}`);
    for (const chat of chats) {
      const messages = messagesOf(state, chat).filter(exists).length;
      if (messages !== chat.messages_count)
        wrong.push(`${placeOf(token, chat.number)} has ${messages} messages and the count ${chat.messages_count}`);
    }
  }
  return wrong;
}

function checkDeadLetters({ deadLetters }: FinalState, poison: string[]): string[] {
  const planted = new Set(poison);
  const found = new Set(deadLetters.map(({ body }) => body));
  return [
    ...poison.filter((body) => !found.has(body)).map((body) => `the poison ${body} is not in the dead letters`),
    ...deadLetters.filter(({ body }) => !planted.has(body)).map(({ body }) => `the dead letters contain ${body}`),
    ...deadLetters.filter(({ reason }) => !reason).map(({ body }) => `the dead letter ${body} has no reason`),
  ];
}

/**
 * Checks that the only differences at the end result from unacknowledged requests: numbers without a write, and writes
 * that are only in the ledger.
 */
function checkDifferences(history: Operation[], { differences, later, left }: FinalState): string[] {
  const answered = new Set(
    history.flatMap((operation) => (operation.id.startsWith('create') ? subjectsOf(operation) : [])),
  );
  const failedEdits = new Set(
    history.flatMap((operation) =>
      operation.id.startsWith('edit') && isUnknown(operation) ? subjectsOf(operation) : [],
    ),
  );
  const isUnanswered = (one: Difference) => {
    if (one.kind === 'not in store' && one.lacking === 'edit') return failedEdits.has(placeIn(one));
    return (one.kind === 'not in store' || one.kind === 'missing') && !answered.has(placeIn(one));
  };
  return [
    ...differences.filter((one) => !isUnanswered(one)),
    ...later.filter(({ kind }) => kind !== 'void'),
    ...left,
  ].map((one) => `reconcile finds ${JSON.stringify(one)}`);
}
