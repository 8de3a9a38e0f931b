/** The outcome of a request: `unknown` after a 503 or without a response. */
export type Outcome = 'accepted' | 'refused' | 'unknown';

/**
 * A write request as its client saw it. All requests of a history concern one parent: a chat and its messages, or an
 * application and its chats. Times are from one clock in any unit; the completion time of a request without a response
 * is Infinity.
 */
export type Operation = { invokedAt: number; completedAt: number; outcome: Outcome } & (
  | {
      kind: 'create';
      /**
       * The texts of what it creates, in order. They differ from those of any other create, except for retries with its
       * key.
       */
      texts: string[];
      /** The number that was returned for the first of them. */
      first?: number;
      key?: string;
    }
  | { kind: 'edit'; number: number; text: string }
  | { kind: 'delete'; number: number }
);

/** The final state. */
export interface FinalState {
  /** The highest number that was assigned. */
  counter: number;
  /** What can be read, by number. */
  stored: Map<number, string>;
  /** What can be found, by number, if it is indexed. */
  indexed?: Map<number, string>;
  /** The count that readers see. */
  count: number;
  /** Numbers that may be void, because a create without a 2xx took them. */
  mayBeVoid?: (number: number) => boolean;
}

type Create = Extract<Operation, { kind: 'create' }>;
type Change = Exclude<Operation, { kind: 'create' }>;

/**
 * Compares a history with the final state, and returns every way in which no correct system could have reached it:
 *
 * - A create has numbers of its own, the same for every retry with its key, and higher ones than every create that
 *   completed before it started. Each number from 1 on belongs to a complete create, or may be void.
 * - Accepted creates are stored unless they were deleted; deleted ones are not, and nothing is stored that nobody sent.
 * - A text is that of the last accepted edit, of a concurrent one, or of a later one with an unknown outcome.
 * - The index has exactly what the store has, and the count is its size.
 */
export function violations(history: Operation[], final: FinalState): string[] {
  const creates = history.filter((each) => each.kind === 'create');
  const changes = Map.groupBy(
    history.filter((each): each is Change => each.kind !== 'create'),
    ({ number }) => number,
  );
  const given = numbersGiven(creates);
  const found = [...given.wrong, ...numbersInOrder(creates)];
  // The texts identify the creates that had no response.
  const unanswered = new Map(
    creates.filter(({ outcome, texts }) => outcome === 'unknown' && !given.texts.has(texts.join())).map(byFirstText),
  );
  for (let number = 1; number <= final.counter; number++) {
    const create = given.byNumber.get(number);
    if (create) {
      found.push(...contentFaults(number, create.text, create.by, changes.get(number) ?? [], final.stored.get(number)));
      continue;
    }
    const text = final.stored.get(number);
    const late = text === undefined ? undefined : unanswered.get(text);
    if (late) {
      unanswered.delete(late.texts[0] as string);
      for (const [i, each] of late.texts.entries())
        if (final.stored.get(number + i) !== each)
          found.push(`${number}: an unanswered create of ${late.texts.length} exists in part`);
      number += late.texts.length - 1;
    } else if (text !== undefined) found.push(`${number}: has a text that nobody sent, or one that was refused`);
    else if (!final.mayBeVoid?.(number)) found.push(`${number}: is a gap`);
  }
  for (const number of new Set([...given.byNumber.keys(), ...final.stored.keys()]))
    if (number < 1 || number > final.counter) found.push(`${number}: is above the counter, ${final.counter}`);
  found.push(...indexLikeStore(final));
  if (final.count !== final.stored.size) found.push(`the count is ${final.count} of ${final.stored.size}`);
  return found;
}

const byFirstText = (create: Create): [string, Create] => [create.texts[0] as string, create];

/** Returns the create that each number was returned to. Creates with the same key count as one. */
function numbersGiven(creates: Create[]) {
  const byNumber = new Map<number, { text: string; by: Create }>();
  const byKey = new Map<string, number>();
  const texts = new Set<string>();
  const wrong: string[] = [];
  for (const create of creates.filter(({ outcome }) => outcome === 'accepted')) {
    const first = create.first as number;
    texts.add(create.texts.join());
    const before = create.key === undefined ? undefined : byKey.get(create.key);
    if (before !== undefined) {
      if (before !== first) wrong.push(`${first}: was returned to a key that had ${before} before`);
      continue;
    }
    if (create.key !== undefined) byKey.set(create.key, first);
    for (const [i, text] of create.texts.entries()) {
      if (byNumber.has(first + i)) wrong.push(`${first + i}: was assigned twice`);
      byNumber.set(first + i, { text, by: create });
    }
  }
  return { byNumber, texts, wrong };
}

/** Checks that a create that started after another one completed has a higher number. */
function numbersInOrder(creates: Create[]): string[] {
  const keyless = creates.filter(({ outcome, key }) => outcome === 'accepted' && key === undefined);
  const byEnd = keyless.toSorted((a, b) => a.completedAt - b.completedAt);
  const byBegin = keyless.toSorted((a, b) => a.invokedAt - b.invokedAt);
  let [highest, ended] = [0, 0];
  const wrong: string[] = [];
  for (const { first = 0, invokedAt } of byBegin) {
    for (let one = byEnd[ended]; one && one.completedAt < invokedAt; one = byEnd[++ended])
      highest = Math.max(highest, (one.first ?? 0) + one.texts.length - 1);
    if (first <= highest) wrong.push(`${first}: was assigned after ${highest} had been returned`);
  }
  return wrong;
}

/** Returns the faults of what is stored under a returned number. */
function contentFaults(number: number, created: string, by: Operation, changes: Change[], stored: string | undefined) {
  const wrong: string[] = [];
  const deletions = changes.filter(({ kind, outcome }) => kind === 'delete' && outcome !== 'refused');
  const deleted = deletions.find(({ outcome }) => outcome === 'accepted');
  for (const { kind, outcome, invokedAt, completedAt } of changes) {
    if (outcome === 'accepted' && deleted && invokedAt > deleted.completedAt)
      wrong.push(`${number}: ${kind} was accepted after the deletion`);
    if (outcome === 'refused' && !deletions.some((each) => each.invokedAt < completedAt))
      wrong.push(`${number}: ${kind} was refused although it existed`);
  }
  if (deleted && stored !== undefined) wrong.push(`${number}: exists again after its deletion`);
  if (deletions.length === 0 && stored === undefined) wrong.push(`${number}: was accepted and is lost`);
  if (stored === undefined || deleted) return wrong;

  const edits = changes.filter((each) => each.kind === 'edit').filter(({ outcome }) => outcome !== 'refused');
  const accepted = edits.filter(({ outcome }) => outcome === 'accepted');
  const possible = [{ ...by, text: created }, ...edits].filter(
    // Without a response, the time of acceptance is unknown.
    ({ completedAt, outcome }) => outcome === 'unknown' || !accepted.some(({ invokedAt }) => invokedAt > completedAt),
  );
  if (!possible.some(({ text }) => text === stored)) wrong.push(`${number}: has another text than the last edit`);
  return wrong;
}

function indexLikeStore({ stored, indexed }: FinalState): string[] {
  if (!indexed) return [];
  const wrong: string[] = [];
  for (const number of new Set([...stored.keys(), ...indexed.keys()]))
    if (!indexed.has(number)) wrong.push(`${number}: is not in the index`);
    else if (!stored.has(number)) wrong.push(`${number}: is only in the index`);
    else if (indexed.get(number) !== stored.get(number)) wrong.push(`${number}: differs in the index`);
  return wrong;
}
